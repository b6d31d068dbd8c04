// SPDX-License-Identifier: Apache-2.0
// A hundred failovers through unixODBC and FreeTDS, of every kind that a mirrored pair has, judged
// by what the double's servers recorded.
#include "sql_server/left_over.hpp"
#include "sql_server/rows.hpp"
#include "support/odbc_handles.hpp"
#include "support/process.hpp"

#include <hadr/operation.hpp>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <thread>

namespace hadr::test {

using namespace std::chrono_literals;
using testing::commit_step;
namespace utf = boost::unit_test;

namespace {

constexpr int writers = 8;
constexpr int rounds = 5;
constexpr auto call_deadline = 1500ms;
constexpr auto short_deadline = 150ms; // Ends within the silence of a server, once and again.

double milliseconds_of(duration length) {
    return std::chrono::duration<double, std::milli>(length).count();
}

struct totals {
    std::uint64_t failovers = 0;
    row_verdict rows;
    std::uint64_t acknowledged = 0;
    std::uint64_t refused = 0;
    std::uint64_t in_flight = 0;   ///< Calls at the very moment of the faults.
    std::uint64_t at_deadline = 0; ///< Calls that their own deadline left without an answer.
    std::uint64_t cuts = 0;        ///< Statements that a fault may leave without an answer.
    duration overrun{};
    duration longest_gap{};
    std::map<std::string, std::uint64_t> of_kind;
};

/// One failover: writers before, while and after.
class round_of {
public:
    round_of(mirrored_pair& on, totals& into, std::string kind, duration deadline)
        : pair(on)
        , lead(on.named())
        , other(lead == site::one ? site::two : site::one)
        , into_(into)
        , kind_(std::move(kind))
        , client_(on)
        , ledger_(client_, writers, prefix(kind_), deadline) {
        goes_on(40);
    }

    /// What the engine's parts or the network do, at once.
    template <class Function>
    void happens(Function what) {
        in_flight_ = std::max(in_flight_, client_.in_flight());
        pair.served.with([&](simulated_store& of) { what(of); });
    }

    /// Likewise, in the middle of the next commit.
    void happens_at(commit_step step, std::function<void(simulated_store&)> what) {
        pair.served.with([&](simulated_store& of) {
            of.when(step, [&of, what, this] {
                in_flight_ = std::max(in_flight_, client_.in_flight());
                what(of);
            });
        });
        pair.await("the commit to pass", [](simulated_store& of) { return of.hooks_left() == 0U; });
    }

    void goes_on(std::uint64_t commits = 15) { ledger_.await(commits, 10s); }

    void does(operation_kind what) {
        in_flight_ = std::max(in_flight_, client_.in_flight());
        const operation wanted{
            what,
            what == operation_kind::forced_failover
                ? std::optional<std::size_t>(other == site::one ? 0U : 1U)
                : std::nullopt,
            what == operation_kind::forced_failover};
        wait_until("the operation to be done", 10s, [&] {
            const auto plan = pair.store().plan(wanted);
            return plan && pair.store().execute(*plan, deadline::in(5s)).has_value();
        });
    }

    void follows() {
        pair.await(other);
        goes_on();
    }

    void end() {
        pair.served.with([](simulated_store& of) { of.heal(); });
        pair.served.clear(site::one);
        pair.served.clear(site::two);
        pair.settle();
        goes_on();
        const auto told = ledger_.stop();
        const auto found = judge_rows(told, client_.refused(), witnesses_of(pair));
        assert_no_harm(found, told);
        add(found, told);
    }

    mirrored_pair& pair;
    const site lead;
    const site other;

private:
    static std::string prefix(const std::string& kind) {
        static int serial = 0;
        return fmt::format("{}-{}", kind, ++serial);
    }

    static std::uint64_t at_deadline(const tally& told) {
        const auto& all = told.unknown;
        return static_cast<std::uint64_t>(std::count_if(
            all.begin(), all.end(), [](const unanswered& one) { return one.at_its_deadline; }
        ));
    }

    void assert_no_harm(const row_verdict& found, const tally& told) {
        for (const auto& line : found.details)
            BOOST_TEST_MESSAGE(kind_ << ": " << line);
        for (const auto& why : told.refusals)
            BOOST_TEST_MESSAGE(kind_ << " refused: " << why);
        BOOST_TEST_CONTEXT(kind_) {
            BOOST_TEST(found.lost == 0U);
            BOOST_TEST(found.exposed_lost == 0U);
            BOOST_TEST(found.duplicated == 0U);
            BOOST_TEST(found.demoted_writes == 0U);
            BOOST_TEST(found.unexplained == 0U);
            BOOST_TEST(found.refused_present == 0U);
            // What its own deadline cut, the fault did not.
            BOOST_TEST(found.unknown - at_deadline(told) <= static_cast<std::uint64_t>(writers));
        }
    }

    void add(const row_verdict& found, const tally& told) {
        ++into_.of_kind[kind_];
        into_.rows.lost += found.lost;
        into_.rows.exposed += found.exposed;
        into_.rows.exposed_lost += found.exposed_lost;
        into_.rows.duplicated += found.duplicated;
        into_.rows.demoted_writes += found.demoted_writes;
        into_.rows.unknown += found.unknown;
        into_.rows.unknown_present += found.unknown_present;
        into_.acknowledged += told.rows.size();
        into_.refused += told.refused;
        into_.at_deadline += at_deadline(told);
        into_.cuts += writers; // Each has one under way before anybody knows of the fault.
        into_.in_flight += static_cast<std::uint64_t>(in_flight_);
        into_.overrun = std::max(into_.overrun, told.overrun);
        into_.longest_gap = std::max(into_.longest_gap, told.longest_gap);
        fmt::print(
            "{}: {} acknowledged ({} exposed), {} in flight at the fault, {} unknown ({} present), "
            "{} refused, longest gap {:.0f} ms, overrun {:.1f} ms\n",
            kind_,
            told.rows.size(),
            found.exposed,
            in_flight_,
            found.unknown,
            found.unknown_present,
            told.refused,
            milliseconds_of(told.longest_gap),
            milliseconds_of(told.overrun)
        );
    }

    totals& into_;
    const std::string kind_;
    row_client client_;
    ledger_writers ledger_;
    int in_flight_ = 0;
};

/// What of a server's talk with the others is cut.
struct severance {
    bool words = true;
    bool ears = true;
    bool clients = true;
};

void cut_off(simulated_store& of, site which, severance what) {
    for (const auto from : {site::one, site::two, site::witness, site::client}) {
        if (from == which || (from == site::client && !what.clients))
            continue;
        if (what.words)
            of.cut(which, from);
        if (what.ears)
            of.cut(from, which);
    }
}

struct kind {
    const char* name;
    void (*fault)(round_of&);
};

template <commit_step step>
void kill_at(round_of& now) {
    now.happens_at(step, [lead = now.lead](simulated_store& of) { of.kill(lead); });
    now.follows();
}

template <commit_step step>
void freeze_at(round_of& now) {
    now.happens_at(step, [lead = now.lead](simulated_store& of) { of.freeze(lead); });
    now.follows();
}

template <bool words, bool ears, bool client>
void isolate(round_of& now) {
    now.happens([&](simulated_store& of) { cut_off(of, now.lead, {words, ears, client}); });
    now.follows();
}

void kill_now(round_of& now) {
    now.happens([&](simulated_store& of) { of.kill(now.lead); });
    now.follows();
}

// It is back while the other is being promoted.
void kill_and_return(round_of& now) {
    now.happens([&](simulated_store& of) {
        of.kill(now.lead);
        of.restart(now.lead);
    });
    now.pair.await("a principal", [](simulated_store& of) { return of.named() != site::client; });
    now.goes_on();
    if (now.pair.named() == now.lead) // It was quicker than the others' patience.
        kill_now(now);
}

void freeze_now(round_of& now) {
    now.happens([&](simulated_store& of) { of.freeze(now.lead); });
    now.follows();
}

void planned_by_the_library(round_of& now) {
    now.does(operation_kind::planned_failover);
    now.follows();
}

void planned_by_an_administrator(round_of& now) {
    now.happens([](simulated_store& of) { of.switch_over(); });
    now.follows();
}

void witness_away_before(round_of& now) {
    now.happens([](simulated_store& of) { of.kill(site::witness); });
    now.goes_on();
    now.happens([](simulated_store& of) { of.restart(site::witness); });
    now.pair.settle();
    kill_now(now);
}

void mirror_away_before(round_of& now) {
    now.happens([&](simulated_store& of) { of.kill(now.other); });
    now.goes_on();
    now.happens([&](simulated_store& of) { of.restart(now.other); });
    now.pair.settle();
    kill_now(now);
}

void sessions_reset_and_killed(round_of& now) {
    now.happens([&](simulated_store& of) {
        of.reset(site::client, now.lead);
        of.kill(now.lead);
    });
    now.follows();
}

// The new principal does not take the first logins.
void hesitant_successor(round_of& now) {
    for (const auto number : {952, 921})
        now.pair.served.set(
            now.other,
            {.at = point::login,
             .what = effect::refuse,
             .numbers = {number, 18456},
             .times = 1,
             .database = "d"}
        );
    kill_now(now);
}

// The answers to some commits are cut in the middle, and the principal is lost just then.
void commit_answers_cut(round_of& now) {
    now.pair.served.set(
        now.lead,
        {.at = point::commit,
         .what = effect::cut,
         .when = tds::moment::after,
         .bytes = 5,
         .times = 2}
    );
    freeze_at<commit_step::visible>(now);
}

void forced_by_the_library(round_of& now) {
    now.happens([&](simulated_store& of) { of.kill(now.lead); });
    now.does(operation_kind::forced_failover);
    now.follows();
}

// clang-format off
constexpr kind with_a_witness[] = {
    {"killed",                              kill_now},
    {"killed_as_a_commit_comes",            kill_at<commit_step::received>},
    {"killed_as_a_commit_is_logged",        kill_at<commit_step::logged>},
    {"killed_as_a_commit_is_replicated",    kill_at<commit_step::replicated>},
    {"killed_as_a_commit_is_visible",       kill_at<commit_step::visible>},
    {"killed_as_a_commit_is_answered",      kill_at<commit_step::answered>},
    {"frozen",                              freeze_now},
    {"frozen_as_a_commit_is_logged",        freeze_at<commit_step::logged>},
    {"cut_off_from_all",                    isolate<true, true, true>},
    {"cut_off_but_for_its_clients",         isolate<true, true, false>},
    {"its_words_are_lost",                  isolate<true, false, false>},
    {"it_hears_nobody",                     isolate<false, true, false>},
    {"planned_by_the_library",              planned_by_the_library},
    {"planned_by_an_administrator",         planned_by_an_administrator},
    {"killed_after_the_witness_was_away",   witness_away_before},
    {"killed_after_the_mirror_was_away",    mirror_away_before},
    {"killed_and_back_at_once",             kill_and_return},
    {"sessions_reset_and_killed",           sessions_reset_and_killed},
    {"killed_before_a_hesitant_successor",  hesitant_successor},
    {"frozen_as_commit_answers_are_cut",    commit_answers_cut},
};
constexpr kind without_a_witness[] = {
    {"forced_by_the_library",               forced_by_the_library},
};
// clang-format on

template <std::size_t count>
void run(const kind (&kinds)[count], mirrored_pair& on, totals& into) {
    on.open();
    BOOST_TEST_REQUIRE(on.write().where.has_value());
    const auto promotions = [&] {
        return on.served.with([](simulated_store& of) { return of.counted().promotions; });
    };
    const auto before = promotions();
    for (int i = 0; i < rounds; ++i)
        for (const auto& one : kinds) {
            round_of now(on, into, one.name, i % 2 == 0 ? call_deadline : short_deadline);
            one.fault(now);
            now.end();
        }
    into.failovers += promotions() - before;
}

double shown(std::string_view name, double value) {
    fmt::print("figure odbc_{} {:.10g}\n", name, value);
    return value;
}

double shown(std::string_view name, std::uint64_t value) {
    return shown(name, static_cast<double>(value));
}

void judge(const left_over& before) {
    const auto left = before.after();
    BOOST_TEST(shown("threads_left", static_cast<double>(left.threads)) == 0);
    BOOST_TEST(shown("descriptors_left", static_cast<double>(left.descriptors)) == 0);
    BOOST_TEST(shown("handles_left", static_cast<double>(left.handles)) == 0);
}

void judge_all(const totals& all, duration lateness) {
    BOOST_TEST(shown("double_failovers", all.failovers) >= 100);
    for (const auto& [name, count] : all.of_kind)
        shown("double_failovers_" + name, count);
    BOOST_TEST(shown("acknowledged", all.acknowledged) > 0);
    BOOST_TEST(shown("lost", all.rows.lost) == 0);
    BOOST_TEST(shown("duplicated", all.rows.duplicated) == 0);
    BOOST_TEST(shown("demoted_writes", all.rows.demoted_writes) == 0);
    shown("acknowledged_while_exposed", all.rows.exposed);
    shown("lost_while_exposed", all.rows.exposed_lost);
    shown("calls_in_flight_at_the_faults", all.in_flight);
    const auto at_deadline = shown("statements_cut_at_their_deadline", all.at_deadline);
    const auto in_flight = shown("statements_in_flight_at_cuts", all.cuts) + at_deadline;
    BOOST_TEST(shown("unknown_outcomes", all.rows.unknown) <= in_flight);
    shown("unknown_outcomes_present", all.rows.unknown_present);
    shown("longest_gap_ms", milliseconds_of(all.longest_gap));
    shown("control_lateness_ms", milliseconds_of(lateness));
    const auto beyond = std::max(all.overrun - lateness, duration::zero());
    BOOST_TEST(shown("deadline_overrun_ms", milliseconds_of(beyond)) <= 50);
}

// What libraries make once for a process, however often they are used.
void warm_up() {
    mirrored_pair once;
    once.open();
    BOOST_TEST_REQUIRE(once.write().where.has_value());
}

}

BOOST_AUTO_TEST_SUITE(
    mirrored_failovers,
    *utf::label("E1") * utf::label("C6") * utf::label("C18") * utf::label("C37") *
        utf::label("P4") * utf::label("F1") * utf::label("F2")
)

BOOST_AUTO_TEST_CASE(a_hundred_of_them_lose_and_double_nothing_and_leave_nothing_behind) {
    warm_up();
    const left_over before;
    totals all;
    duration lateness{};
    {
        control_thread control;
        mirrored_pair armed;
        run(with_a_witness, armed, all);
        auto alone = quick();
        alone.store.has_witness = false;
        mirrored_pair by_hand(alone);
        run(without_a_witness, by_hand, all);
        // Calls are stuck in the driver as the stores close, until the double closes its sockets.
        armed.served.with([](simulated_store& of) { of.freeze(of.named()); });
        BOOST_TEST(!armed.write(300ms).where.has_value());
        const auto begun = std::chrono::steady_clock::now();
        BOOST_TEST(armed.store().close(deadline::in(200ms)) > 0U);
        all.overrun = std::max(all.overrun, std::chrono::steady_clock::now() - begun - 200ms);
        lateness = control.worst();
        BOOST_TEST(odbc_handles_now() > before.before().handles, "handles are counted");
    }
    judge(before);
    judge_all(all, lateness);
}

BOOST_AUTO_TEST_SUITE_END()

}

// SPDX-License-Identifier: Apache-2.0
#include "support/trial.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>

namespace hadr::test {

using namespace std::chrono_literals;

namespace {

constexpr double commits_per_second_min = 200;
constexpr auto overrun_most = 50ms;

std::string serial_name(const std::string& kind) {
    static std::atomic<int> serial{0};
    return fmt::format("{}-{}", kind, serial++);
}

// One folder for each client library: their runs are judged apart.
std::string sheets() {
    return fmt::format("{}/{}", HADR_SHEETS, client_library_under_trial().name);
}

std::string running_case() {
    const auto& running = boost::unit_test::framework::current_test_case();
    auto name = running.full_name();
    std::replace(name.begin(), name.end(), '/', '.');
    return name;
}

bool worst_counts(const std::string& name) {
    return name.ends_with("_ms");
}

}

double milliseconds(duration length) {
    return std::chrono::duration<double, std::milli>(length).count();
}

sheet::sheet() : file_(fmt::format("{}/{}", sheets(), running_case())) {
    std::filesystem::create_directories(sheets());
    save();
}

void sheet::add(const std::string& name, double value) {
    auto& entry = entries_[name];
    entry = worst_counts(name) ? std::max(entry, value) : entry + value;
    save();
}

void sheet::save() const {
    std::ofstream out(file_);
    for (const auto& [name, value] : entries_)
        out << name << ' ' << value << '\n';
}

std::map<std::string, double> sheet::take_all() {
    std::map<std::string, double> sum;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(sheets(), none)) {
        std::ifstream in(entry.path());
        double value = 0;
        for (std::string name; in >> name >> value;)
            sum[name] = worst_counts(name) ? std::max(sum[name], value) : sum[name] + value;
    }
    std::filesystem::remove_all(sheets(), none);
    return sum;
}

court::court(std::vector<std::string> observed)
    : observer_(std::move(observed))
    , threads_before_(threads_now()) {}

void court::open(const std::string& connection_string) {
    store_ = std::make_unique<observed_store>(connection_string);
}

court::~court() {
    if (store_)
        for (const auto& one : store_->told())
            BOOST_TEST_MESSAGE(to_string(one));
    store_.reset();
    const auto threads = threads_now();
    const auto left = threads - std::min(threads, threads_before_);
    record_.add("threads_left", static_cast<double>(left));
    BOOST_TEST(left == 0U);
    const auto lateness = control_.worst();
    const auto beyond = std::max(overrun_ - lateness, duration::zero());
    record_.add("control_lateness_ms", milliseconds(lateness));
    record_.add("deadline_overrun_ms", milliseconds(beyond));
    BOOST_TEST(
        (beyond <= overrun_most),
        "calls are back " << milliseconds(beyond) << " ms after their deadline and the worst "
                          << "lateness of the control thread"
    );
}

trial::trial(std::string kind, court& judged_by, terms with)
    : kind_(std::move(kind))
    , court_(judged_by)
    , with_(with)
    , client_(judged_by.store())
    , ledger_(client_, writers, serial_name(kind_), with.deadline) {
    goes_on(50);
    wait_until(
        fmt::format("{} commits a second before the fault", commits_per_second_min),
        20s,
        [&] { return ledger_.rate(200ms) >= commits_per_second_min; }
    );
}

void trial::goes_on(std::uint64_t commits, duration within) const {
    ledger_.await(commits, within);
}

void trial::end(int primary_port) {
    const auto told = ledger_.stop();
    const auto found = judge(told, primary_port, court_.namings());
    assert_no_harm(found, told);
    auto& record = court_.record();
    const auto add = [&](const std::string& name, std::uint64_t value) {
        record.add(name, static_cast<double>(value));
    };
    add("trials_" + kind_, 1);
    add(kind_.starts_with("engine_") ? "promotions_by_engine" : "promotions_by_hand",
        found.promotions);
    add("lost", found.lost);
    add("duplicated", found.duplicated);
    add("demoted_writes", found.demoted_writes);
    add("unknown_outcomes", found.unknown);
    add("statements_cut_at_their_deadline", found.unknown_at_deadline);
    add("statements_in_flight_at_cuts", in_flight_at_cuts(found));
    add("acknowledged", told.rows.size());
    add("acknowledged_while_exposed", found.exposed);
    add("lost_while_exposed", found.exposed_lost);
    court_.was_late(told.overrun);
    fmt::print(
        "{}: {} acknowledged ({} of them exposed), {} unknown ({} present), {} refused, {} "
        "promotions, longest gap {:.0f} ms\n",
        kind_,
        told.rows.size(),
        found.exposed,
        found.unknown,
        found.unknown_present,
        told.refused,
        found.promotions,
        milliseconds(told.longest_gap)
    );
    for (const auto& why : told.refusals)
        BOOST_TEST_MESSAGE(kind_ << " refused: " << why);
}

void trial::assert_no_harm(const verdict& found, const tally& told) {
    for (const auto& line : found.details)
        BOOST_TEST_MESSAGE(kind_ << ": " << line);
    BOOST_TEST_CONTEXT(kind_) {
        BOOST_TEST(!told.rows.empty());
        BOOST_TEST(found.lost == 0U);
        BOOST_TEST(found.exposed_lost == 0U);
        BOOST_TEST(found.duplicated == 0U);
        BOOST_TEST(found.demoted_writes == 0U);
        BOOST_TEST(found.unknown <= in_flight_at_cuts(found));
    }
}

// A writer has one statement under way. The fault cuts it, and so does its own deadline, which may
// pass just as the new primary has taken it.
std::uint64_t trial::in_flight_at_cuts(const verdict& found) const {
    return static_cast<std::uint64_t>(writers * with_.cuts) + found.unknown_at_deadline;
}

pair_on_trial::pair_on_trial()
    : judged({"members", std::to_string(pair.first().port()), std::to_string(pair.second().port())}
      ) {
    create_ledger(pair.primary().port());
    judged.open(mirroring_string(pair.first().port(), pair.second().port()));
}

engine_on_trial::engine_on_trial(auto_failover_cluster& made)
    : engine(made)
    , judged({"monitor", std::to_string(engine.monitor_port())}) {
    settle();
    create_ledger(engine.port(engine.primary()));
    judged.open(mirroring_string(
        engine.port(0),
        engine.port(1),
        fmt::format("Witness=pg_auto_failover:127.0.0.1:{}", engine.monitor_port())
    ));
}

void engine_on_trial::settle() const {
    engine.revive();
    engine.wait_settled();
}

void engine_on_trial::wait_for_other_than(std::size_t primary) const {
    wait_until("the engine to name the other", 40s, [&] { return engine.primary() != primary; });
}

}

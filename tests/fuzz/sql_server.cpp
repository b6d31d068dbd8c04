// SPDX-License-Identifier: Apache-2.0
#include "core/sql_server_member.hpp"
#include "fuzz/answer_maker.hpp"

#include <hadr/adapters.hpp>

#include <algorithm>

namespace hadr::test {

namespace {

using namespace std::chrono_literals;

/// A pair of SQL Server's, and what its views must keep.
struct fuzzed_pair {
    std::shared_ptr<const ha_adapter> by;
    bool may_learn = false; ///< Partners that the principal names.
    bool standalone = false;
};

// Immutable: each serves all inputs.
const fuzzed_pair& pair_of(std::uint8_t choice) {
    static const auto make = [](std::string text, fuzzed_pair how) {
        text += ";Driver=FreeTDS;Database=rtc;UID=app;PWD=p;Encrypt=disable";
        how.by = make_adapter(parse(text).value()).value();
        return how;
    };
    static const std::string pair = "Mode=mirroring;Server=db1,1433;Failover_Partner=db2,1433";
    static const std::array<fuzzed_pair, 4> all = {
        make(pair, {}),
        make(pair + ";Partner_Allowed=db3,db4", {{}, true, false}),
        make(pair + ";Partner_Allowed=db3;Cold_Start=alone", {{}, true, false}),
        make("Mode=standalone;Server=db1,1433", {{}, false, true})};
    return all[choice % all.size()];
}

/// Feeds the adapter with any events and checks what it believes after each.
class listener {
public:
    explicit listener(byte_reader& from)
        : from_(from)
        , made_(from)
        , pair_(pair_of(from.byte()))
        , adapter_(*pair_.by)
        , known_(adapter_.begin()) {}

    void run() {
        check_view();
        for (int i = 0; i < 200 && !from_.empty(); ++i) {
            const auto by = std::chrono::milliseconds(from_.byte());
            now_ += from_.below(8) == 0 ? 1000 * by : by;
            const auto event = any_event();
            const auto* ruling = std::get_if<ruled>(&event);
            lineage_ruled_ = lineage_ruled_ ||
                             (ruling != nullptr && ruling->what == ruled::verdict::accept_lineage);
            const auto before = known_.is;
            known_ = adapter_.apply(known_, event, now_);
            check_step(before);
            check_view();
            check_plan();
            check_judgement();
            check_operation();
        }
    }

private:
    std::uint64_t sequence() {
        // Now and then of a question that was asked before others.
        const auto back = from_.below(16);
        return back > 12 && sequence_ > back ? sequence_ - back : ++sequence_;
    }

    failure any_failure() {
        constexpr std::array<errc, 6> codes = {
            errc::unreachable,
            errc::deadline_exceeded,
            errc::wrong_role,
            errc::no_quorum,
            errc::rejected_by_server,
            errc::standby_not_provisioned};
        constexpr std::array<int, 6> numbers = {0, 954, 4060, 18401, 18456, local_cause};
        const auto next = from_.below(4) == 0 ? advice::give_up : advice::retry;
        auto made = make_failure(codes[from_.below(codes.size())], next, "generated");
        made.native = numbers[from_.below(numbers.size())];
        return made;
    }

    std::variant<answer, failure> any_result() {
        if (from_.below(4) == 0)
            return any_failure();
        return made_.partner();
    }

    // One more than there may be, now and then.
    std::size_t any_member() { return from_.below(4); }

    event_seen any_event() {
        const auto asked = now_ - std::chrono::milliseconds(from_.byte());
        switch (from_.below(12)) {
        case 0: return pushed{{subject::kind::member, any_member()}, now_, from_.text(), "x"};
        case 1: return answered{{subject::kind::witness, 0}, asked, sequence(), now_, any_result()};
        case 2: return reported{any_member(), asked, sequence(), any_result()};
        case 3: return suspected{any_member(), now_};
        case 4:
            return remembered{
                {from_.below(2) == 0 ? std::string() : std::string(guids[0]),
                 from_.below(4),
                 {},
                 {},
                 proof::own_word},
                {{"db3", 1433, {}}}};
        case 5: {
            constexpr std::array<ruled::verdict, 3> all = {
                ruled::verdict::offline, ruled::verdict::online, ruled::verdict::accept_lineage};
            const auto what = all[from_.below(all.size())];
            return ruled{what, any_member()};
        }
        default:
            return answered{
                {subject::kind::member, any_member()}, asked, sequence(), now_, any_result()};
        }
    }

    void check_step(const topology& before) const {
        const auto& is = known_.is;
        must(is.version >= before.version, "the version never goes back");
        if (!before.accepted)
            return;
        must(is.accepted.has_value(), "an accepted epoch is never forgotten");
        const auto order = adapter_.compare(*is.accepted, *before.accepted);
        must(
            lineage_ruled_ || order == epoch_order::same || order == epoch_order::newer,
            "no epoch goes back but by an operator's word (E2)"
        );
    }

    void check_members() const {
        const auto& all = known_.is.members;
        const std::size_t fixed = pair_.standalone ? 1 : 2;
        must(all.size() >= fixed && all.size() <= 16, "members stay, and are bounded (X7)");
        must(all[0].at.host == "db1", "in their places");
        must(fixed < 2 || all[1].at.host == "db2", "in their places");
        for (std::size_t i = fixed; i < all.size(); ++i)
            must(
                pair_.may_learn && (all[i].at.host == "db3" || all[i].at.host == "db4"),
                "only an allowed partner is learned (X3)"
            );
    }

    void check_view() const {
        const auto& is = known_.is;
        check_members();
        must(!to_string(is).empty(), "a view prints");
        if (!is.writer)
            return;
        must(*is.writer < is.members.size(), "the writer is a member");
        const auto& writer = is.members[*is.writer];
        must(writer.plays == role::primary, "the writer is a principal");
        must(writer.writable, "the writer takes writes");
        must(!writer.offline && !writer.refused, "the writer is neither offline nor refused");
        must(is.accepted.has_value(), "with a writer there is an epoch");
        must(
            writer.reign && adapter_.compare(*writer.reign, *is.accepted) == epoch_order::same,
            "which is the writer's (E1)"
        );
    }

    void check_plan() const {
        const auto plan = adapter_.next(known_, now_);
        std::vector<std::size_t> asked;
        for (const auto& one : plan.ask) {
            must(one.to.what == subject::kind::member, "the witness is never contacted (C9)");
            must(one.to.index < known_.is.members.size(), "who is asked is a member");
            must(
                std::find(asked.begin(), asked.end(), one.to.index) == asked.end(),
                "one inquiry of each subject"
            );
            must(one.limit > duration::zero(), "every question has its limit");
            must(one.due <= now_ + 1min, "every question is due some time");
            asked.push_back(one.to.index);
        }
        must(!asked.empty(), "somebody is always asked");
        must(plan.wake > now_, "an adapter does not spin");
    }

    void check_judgement() {
        const auto member = any_member();
        const auto stands = adapter_.judge(known_, member, made_.partner());
        must(
            stands.may_write || stands.may_read || stands.refused.has_value(),
            "a session that may do nothing is told why"
        );
        must(
            !(stands.may_wait && (stands.may_write || stands.may_read)) || pair_.standalone,
            "what waits outside of the database does nothing in it"
        );
        if (stands.may_write)
            must(known_.is.writer == member, "write sessions go to the writer only");
    }

    void check_operation() {
        operation wanted;
        const auto choice = from_.byte();
        wanted.what =
            (choice & 1U) != 0 ? operation_kind::forced_failover : operation_kind::planned_failover;
        wanted.data_loss_acknowledged = (choice & 2U) != 0;
        if ((choice & 4U) != 0)
            wanted.target = choice >> 5U;
        const auto plan = adapter_.consider(known_, wanted, now_);
        if (!plan)
            return;
        const bool forced = wanted.what == operation_kind::forced_failover;
        must(!forced || wanted.data_loss_acknowledged, "nothing is forced unasked (C22)");
        must(plan->to < known_.is.members.size(), "the target is a member");
        must(plan->to != known_.is.writer, "and not the writer");
        must(!plan->steps.empty(), "a plan has steps");
        for (const auto& one : plan->steps)
            must(one.member < known_.is.members.size(), "each for a member");
    }

    static constexpr auto& guids = answer_maker::guids;

    byte_reader& from_;
    answer_maker made_;
    const fuzzed_pair& pair_;
    const ha_adapter& adapter_;
    belief known_;
    time_point now_ = time_point() + 1h;
    std::uint64_t sequence_ = 0;
    bool lineage_ruled_ = false;
};

}

}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    hadr::test::byte_reader from(bytes, count);
    hadr::test::listener(from).run();
    return 0;
}

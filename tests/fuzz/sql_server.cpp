// SPDX-License-Identifier: Apache-2.0
#include "core/sql_server_member.hpp"
#include "fuzz/adapter_listener.hpp"

namespace hadr::test {

namespace {

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

class listener final : public adapter_listener {
public:
    listener(byte_reader& from, const fuzzed_pair& of)
        : adapter_listener(from, *of.by)
        , pair_(of) {}

private:
    duration any_pause() override {
        const auto by = std::chrono::milliseconds(from_.byte());
        return from_.below(8) == 0 ? 1000 * by : by;
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

    event_seen any_event() override {
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
        case 5: return any_ruling();
        default:
            return answered{
                {subject::kind::member, any_member()}, asked, sequence(), now_, any_result()};
        }
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

    void check_view() const override {
        check_members();
        check_writer();
        const auto& is = known_.is;
        if (!is.writer)
            return;
        const auto& writer = is.members[*is.writer];
        must(
            writer.reign && adapter_.compare(*writer.reign, *is.accepted) == epoch_order::same,
            "which is the writer's (E1)"
        );
    }

    void check_asked(const std::vector<subject>& asked) const override {
        for (const auto& one : asked) {
            must(one.what == subject::kind::member, "the witness is never contacted (C9)");
            must(one.index < known_.is.members.size(), "who is asked is a member");
        }
        must(!asked.empty(), "somebody is always asked");
    }

    void check_judgement() override {
        const auto member = any_member();
        const auto stands = adapter_.judge(known_, member, made_.partner());
        check_standing(member, stands);
        must(
            !(stands.may_wait && (stands.may_write || stands.may_read)) || pair_.standalone,
            "what waits outside of the database does nothing in it"
        );
    }

    void check_operation() override {
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

    const fuzzed_pair& pair_;
};

}

}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    hadr::test::byte_reader from(bytes, count);
    const auto& of = hadr::test::pair_of(from.byte());
    hadr::test::listener(from, of).run();
    return 0;
}

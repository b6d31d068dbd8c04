// SPDX-License-Identifier: Apache-2.0
#include "fuzz/answer_maker.hpp"

#include <hadr/adapters.hpp>

#include <algorithm>

namespace hadr::test {

namespace {

using namespace std::chrono_literals;

/// One way to make a store available, and what its views must keep.
struct fuzzed_store {
    std::shared_ptr<const ha_adapter> by;
    std::size_t members = 2;
    bool witness = false;
    bool may_learn = false; ///< Partners that the witness names.
};

fuzzed_store make(const std::string& text, fuzzed_store how) {
    how.by = make_adapter(parse(text).value()).value();
    return how;
}

// Immutable: each serves all inputs.
const fuzzed_store& store_of(std::uint8_t choice) {
    static const std::string pair =
        "Mode=mirroring;Server=db1:5432;Failover_Partner=db2:5432;Database=rtc;UID=app;";
    static const std::string witness = "Witness=pg_auto_failover:monitor:5000;";
    static const std::array<fuzzed_store, 4> all = {
        make(pair + witness + "Partner_Allowed=db3", {{}, 2, true, true}),
        make(pair + witness + "Fork_Table=ha.forks", {{}, 2, true, false}),
        make(pair, {{}, 2, false, false}),
        make("Mode=standalone;Server=db1:5432;Database=rtc;UID=app", {{}, 1, false, false})};
    return all[choice % all.size()];
}

/// Feeds an adapter with any events and checks what it believes after each.
class listener {
public:
    explicit listener(byte_reader& from)
        : from_(from)
        , made_(from)
        , store_(store_of(from.byte()))
        , adapter_(*store_.by)
        , known_(adapter_.begin()) {}

    void run() {
        check_view();
        for (int i = 0; i < 200 && !from_.empty(); ++i) {
            now_ += std::chrono::milliseconds(from_.byte());
            const auto event = any_event();
            const auto* ruling = std::get_if<ruled>(&event);
            const bool overruled =
                ruling != nullptr && ruling->what == ruled::verdict::accept_lineage;
            lineage_ruled_ = lineage_ruled_ || overruled;
            const auto before = known_.is;
            known_ = adapter_.apply(known_, event, now_);
            check_step(before);
            check_view();
            check_plan();
            check_judgement();
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
            errc::rejected_by_server,
            errc::configuration_invalid,
            errc::standby_not_provisioned};
        constexpr std::array<std::string_view, 4> states = {"", "57P01", "53300", "28P01"};
        auto made = make_failure(codes[from_.below(codes.size())], advice::retry, "generated");
        made.sqlstate = states[from_.below(states.size())];
        made.native = static_cast<int>(from_.below(3)) - 1;
        return made;
    }

    std::variant<answer, failure> any_result(bool of_witness) {
        if (from_.below(4) == 0)
            return any_failure();
        return of_witness ? made_.witness() : made_.member();
    }

    std::size_t any_member() { return from_.below(4); }

    event_seen any_answer() {
        const bool witness = from_.below(3) == 0;
        const auto asked = now_ - std::chrono::milliseconds(from_.byte());
        return answered{
            {witness ? subject::kind::witness : subject::kind::member, witness ? 0 : any_member()},
            asked,
            sequence(),
            now_,
            any_result(witness)};
    }

    event_seen any_event() {
        switch (from_.below(12)) {
        case 0: return pushed{{subject::kind::witness, 0}, now_, from_.text(), from_.text()};
        case 1:
            return pushed{
                {subject::kind::witness, 0}, now_, "state", "{\"formation\": \"default\"}"};
        case 2: return reported{any_member(), now_, sequence(), any_result(false)};
        case 3: return suspected{any_member(), now_};
        case 4: return remembered{{"7000000001", from_.below(4), {}, {}, proof::own_word}, {}};
        case 5: {
            constexpr std::array<ruled::verdict, 3> all = {
                ruled::verdict::offline, ruled::verdict::online, ruled::verdict::accept_lineage};
            const auto what = all[from_.below(all.size())];
            return ruled{what, any_member()};
        }
        default: return any_answer();
        }
    }

    void check_step(const topology& before) {
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

    void check_view() const {
        const auto& is = known_.is;
        must(is.members.size() >= store_.members, "the members of the string stay");
        must(is.members[0].at.host == "db1", "in their places");
        must(store_.members < 2 || is.members[1].at.host == "db2", "in their places");
        for (std::size_t i = store_.members; i < is.members.size(); ++i)
            must(
                store_.may_learn && is.members[i].at.host == "db3",
                "only an allowed partner is learned (X3)"
            );
        must(
            store_.witness == (is.witness != witness_state::none),
            "no witness is known where none is configured, which is not the same as lost (C32)"
        );
        must(!to_string(is).empty(), "a view prints");
        if (!is.writer)
            return;
        must(*is.writer < is.members.size(), "the writer is a member");
        const auto& writer = is.members[*is.writer];
        must(writer.plays == role::primary, "the writer is a primary");
        must(writer.writable, "the writer takes writes");
        must(!writer.offline && !writer.refused, "the writer is neither offline nor refused");
        must(is.accepted.has_value(), "with a writer there is an epoch");
    }

    void check_plan() const {
        const auto plan = adapter_.next(known_, now_);
        std::vector<subject> asked;
        for (const auto& one : plan.ask) {
            must(
                std::find(asked.begin(), asked.end(), one.to) == asked.end(),
                "one inquiry of each subject"
            );
            must(one.limit > duration::zero(), "every question has its limit");
            must(one.due <= now_ + 1min, "every question is due some time");
            asked.push_back(one.to);
        }
        const std::size_t others = store_.witness ? 1 : 0;
        must(
            asked.size() >= store_.members + others &&
                asked.size() <= known_.is.members.size() + others,
            "the witness and every member that is not dropped are asked"
        );
        must(plan.wake > now_, "an adapter does not spin");
    }

    void check_judgement() {
        const auto member = any_member() % store_.members;
        const auto stands = adapter_.judge(known_, member, made_.member());
        must(
            stands.may_write || stands.may_read || stands.refused.has_value(),
            "a session that may do nothing is told why"
        );
        if (stands.may_write)
            must(known_.is.writer == member, "write sessions go to the writer only");
    }

    byte_reader& from_;
    answer_maker made_;
    const fuzzed_store& store_;
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

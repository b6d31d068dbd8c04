// SPDX-License-Identifier: Apache-2.0
#include "fuzz/adapter_listener.hpp"

namespace hadr::test {

namespace {

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

class listener final : public adapter_listener {
public:
    listener(byte_reader& from, const fuzzed_store& of)
        : adapter_listener(from, *of.by)
        , store_(of) {}

private:
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

    event_seen any_event() override {
        switch (from_.below(12)) {
        case 0: return pushed{{subject::kind::witness, 0}, now_, from_.text(), from_.text()};
        case 1:
            return pushed{
                {subject::kind::witness, 0}, now_, "state", "{\"formation\": \"default\"}"};
        case 2: return reported{any_member(), now_, sequence(), any_result(false)};
        case 3: return suspected{any_member(), now_};
        case 4: return remembered{{"7000000001", from_.below(4), {}, {}, proof::own_word}, {}};
        case 5: return any_ruling();
        default: return any_answer();
        }
    }

    void check_view() const override {
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
        check_writer();
    }

    void check_asked(const std::vector<subject>& asked) const override {
        const std::size_t others = store_.witness ? 1 : 0;
        must(
            asked.size() >= store_.members + others &&
                asked.size() <= known_.is.members.size() + others,
            "the witness and every member that is not dropped are asked"
        );
    }

    void check_judgement() override {
        const auto member = any_member() % store_.members;
        check_standing(member, adapter_.judge(known_, member, made_.member()));
    }

    const fuzzed_store& store_;
};

}

}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    hadr::test::byte_reader from(bytes, count);
    const auto& of = hadr::test::store_of(from.byte());
    hadr::test::listener(from, of).run();
    return 0;
}

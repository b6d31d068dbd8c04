// SPDX-License-Identifier: Apache-2.0
#include "core/epoch_order.hpp"
#include "core/mark.hpp"
#include "mirroring/sql_server.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hadr::inline v0::mirroring::sql_server {

namespace {

using namespace std::chrono_literals;

// The partners' time-out is 10 s unless an operator raised it, and the redo comes on top (C39,
// C40): an engine that has not acted by then will not.
constexpr duration failover_expected_within = 2min;

/// One decision, from evidence to topology.
class decision {
public:
    decision(
        const topology& was, const evidence& known, const store_specification& store, time_point now
    )
        : known_(known)
        , store_(store)
        , places_(known.places)
        , now_(now) {
        is_.version = was.version;
        is_.level = was.level;
        is_.accepted = was.accepted;
    }

    topology run() {
        find_lineage();
        for (std::size_t i = 0; i < places_.size(); ++i)
            describe_member(i);
        find_mirrors();
        refuse_others();
        choose_writer();
        describe_session();
        describe_availability();
        return std::move(is_);
    }

private:
    const std::optional<member_facts>& facts(std::size_t i) const {
        return known_.members[i].facts;
    }

    // Accepted before, else what all who show one agree on.
    void find_lineage() {
        if (is_.accepted) {
            lineage_ = is_.accepted->lineage;
            return;
        }
        for (std::size_t i = 0; i < places_.size(); ++i) {
            if (!facts(i) || facts(i)->guid.empty())
                continue;
            if (lineage_.empty())
                lineage_ = facts(i)->guid;
            split_ = split_ || lineage_ != facts(i)->guid;
        }
    }

    bool foreign(std::size_t i) const {
        return facts(i) && !facts(i)->guid.empty() && known_.overruled != i &&
               (split_ || (!lineage_.empty() && facts(i)->guid != lineage_) ||
                (!is_.accepted && of_another_database(i, known_, store_.members().size())));
    }

    void describe_member(std::size_t i) {
        const auto& seen = known_.members[i];
        member one;
        one.at = places_[i];
        one.name = fixed_name(i);
        one.serves_reads = false;
        one.offline = seen.offline;
        one.trouble = seen.trouble;
        one.seen = seen.facts_asked;
        if (seen.facts) {
            const auto& row = *seen.facts;
            one.engine_state = words_of(row);
            one.writable = row.serves();
            one.plays = row.claims()                ? role::primary
                        : row.plays == part::mirror ? role::standby
                                                    : role::unknown;
            if (!row.guid.empty())
                one.reign = reign_of(row, proof::own_word);
            if (!one.trouble)
                one.trouble = unfit(row, one.at);
        }
        if (foreign(i)) {
            core::mark<"partner of another mirroring session">();
            one.refused = true;
            one.trouble = make_failure(
                errc::configuration_invalid,
                advice::retry,
                fmt::format("{} is of another mirroring session (E9)", to_string(one.at))
            );
        }
        is_.members.push_back(std::move(one));
    }

    // A mirror without sysadmin shows nothing of its part: its principal names it.
    void find_mirrors() {
        const auto name = [this](const member_facts& by) {
            const auto i = member_called(by.partner, known_);
            const bool hidden = i && facts(*i) && facts(*i)->known &&
                                facts(*i)->plays == part::unknown && !facts(*i)->online();
            if (hidden)
                is_.members[*i].plays = role::standby;
            if (!i && !by.partner.empty() && !some_unheard(known_, store_.members().size()))
                unlisted(place_called(by.partner));
        };
        if (known_.principal)
            name(known_.principal->facts);
        for (std::size_t i = 0; i < places_.size(); ++i)
            if (facts(i) && facts(i)->claims() && !is_.members[i].refused)
                name(*facts(i));
    }

    void unlisted(const endpoint& at) {
        if (std::find(is_.unlisted.begin(), is_.unlisted.end(), at) == is_.unlisted.end())
            is_.unlisted.push_back(at);
    }

    epoch_order order(std::size_t i) const {
        if (known_.overruled == i || !is_.accepted)
            return epoch_order::newer;
        return core::compare(*is_.members[i].reign, *is_.accepted);
    }

    void refuse(std::size_t i, std::string why) {
        is_.members[i].refused = true;
        is_.members[i].trouble = make_failure(errc::wrong_role, advice::retry, std::move(why));
    }

    bool claims(std::size_t i) const {
        return facts(i) && facts(i)->claims() && !is_.members[i].refused;
    }

    void refuse_others() {
        for (std::size_t i = 0; i < places_.size(); ++i) {
            if (!claims(i))
                continue;
            const auto& by = known_.members[i].outruled;
            const auto& reign = *is_.members[i].reign;
            if (order(i) != epoch_order::same && order(i) != epoch_order::newer) {
                core::mark<"principal of an older role sequence">();
                refuse(
                    i,
                    fmt::format(
                        "{} claims to be principal in the older epoch {} (F15)",
                        to_string(places_[i]),
                        to_string(reign)
                    )
                );
            } else if (by && core::compare(reign, *by) != epoch_order::newer)
                refuse(
                    i,
                    fmt::format(
                        "{} claims to be principal, and an operator ruled for another (F14)",
                        to_string(places_[i])
                    )
                );
        }
    }

    // The highest role sequence by own word; of two in one, none (E3).
    std::optional<std::size_t> best_claimant() {
        std::optional<std::size_t> best;
        for (std::size_t i = 0; i < places_.size(); ++i) {
            if (!claims(i))
                continue;
            const auto against =
                best ? core::compare(*is_.members[i].reign, *is_.members[*best].reign)
                     : epoch_order::newer;
            if (against == epoch_order::newer) {
                if (best)
                    refuse(*best, older_text(*best));
                best = i;
                tied_ = false;
            } else if (against == epoch_order::older) {
                core::mark<"two principals, the later one older">();
                refuse(i, older_text(i));
            } else {
                tied_ = true;
            }
        }
        return best;
    }

    std::string older_text(std::size_t i) const {
        return fmt::format(
            "{} claims to be principal in an older epoch (F15)", to_string(places_[i])
        );
    }

    void choose_writer() {
        best_ = best_claimant();
        if (!best_) {
            is_.cause = all_lack_it() ? fmt::format(
                                            "no partner lets this login into database '{}' (4060)",
                                            escaped(store_.with->database, 128)
                                        )
                                      : "no partner is principal";
            return;
        }
        if (tied_) {
            is_.cause = "two partners claim to be principal in the same epoch: none may write "
                        "until an operator rules (F14, E3)";
            return;
        }
        if (const auto why = not_serving(*best_)) {
            is_.cause = *why;
            return;
        }
        if (!is_.accepted && known_.overruled != best_ &&
            !member_called(facts(*best_)->partner, known_) &&
            some_unheard(known_, store_.members().size())) {
            is_.cause = "a principal of partners unknown here, and the other server is unheard yet";
            return;
        }
        const auto strength = strength_of(*best_);
        if (strength == proof::none)
            is_.cause = fmt::format(
                "{} claims to be principal and nothing proves it: neither its partner nor a "
                "witness is with it by its own word, and the other member does not answer "
                "(Cold_Start=alone would take its word)",
                to_string(places_[*best_])
            );
        else
            accept(*best_, strength);
    }

    // 4060 alone says nothing: a mirror's database cannot be opened either.
    bool all_lack_it() const {
        bool some = false;
        for (const auto& one : known_.members) {
            if (one.dropped)
                continue;
            if (!one.present || !one.facts || one.facts->known)
                return false;
            some = true;
        }
        return some;
    }

    std::optional<std::string> not_serving(std::size_t i) {
        const auto& row = *facts(i);
        const auto at = to_string(places_[i]);
        if (principal_isolated(own_links(row, known_.members[i].facts_asked))) {
            core::mark<"principal without quorum">();
            isolated_ = true;
            return fmt::format(
                "{} is principal and sees neither its partner nor the witness: no quorum (C20, "
                "C29)",
                at
            );
        }
        if (row.serves())
            return std::nullopt;
        if (row.online() && !row.access)
            return fmt::format("{} is principal, and the login has no access there (C41)", at);
        return fmt::format(
            "{} is principal and its database is {}",
            at,
            row.online()        ? "read-only"
            : row.state.empty() ? "not online"
                                : row.state
        );
    }

    // The engine stops a principal that sees nobody; of one that says it has quorum the
    // acknowledged commits are in both logs, or nobody can take over by itself. With Safety off
    // none of this holds.
    bool engine_names(const member_facts& row) const {
        return row.safety == safety_level::full &&
               (row.mirroring == mirroring_state::synchronized ||
                row.witness == witness_link::connected);
    }

    bool others_follow(std::size_t i) const {
        for (std::size_t other = 0; other < places_.size(); ++other) {
            const auto& one = known_.members[other];
            if (other == i || one.dropped)
                continue;
            if (!one.present || is_.members[other].plays != role::standby ||
                is_.members[other].refused)
                return false;
        }
        return true;
    }

    proof strength_of(std::size_t i) const {
        const auto& row = *facts(i);
        if (engine_names(row)) {
            core::mark<"principal named by its quorum">();
            return proof::engine_named;
        }
        if (others_follow(i)) {
            core::mark<"both partners answered">();
            return proof::both_members;
        }
        const bool same = is_.accepted && order(i) == epoch_order::same;
        if (known_.proven == i && same) // E10
            return is_.accepted->strength;
        const bool promoted = is_.accepted && order(i) == epoch_order::newer;
        const bool alone = store_.start == cold_start::alone && !known_.forgetful;
        if (promoted || (known_.recalled && same) || known_.overruled == i || alone) {
            core::mark<"principal taken at its own word">();
            return proof::own_word;
        }
        return proof::none;
    }

    void accept(std::size_t i, proof strength) {
        auto& one = is_.members[i];
        one.named = strength == proof::engine_named;
        if (one.offline) {
            is_.cause = fmt::format(
                "{} is the principal and offline by an operator's word", to_string(places_[i])
            );
            return;
        }
        is_.writer = i;
        one.reign->strength = strength;
        is_.accepted = one.reign;
    }

    struct word {
        const member_facts* facts = nullptr;
        time_point asked{};
    };

    // Whose word counts for the session: the principal that answers, else what one said last, else
    // a mirror that shows its part.
    word speaker() const {
        if (best_ && !tied_)
            return {&*facts(*best_), known_.members[*best_].facts_asked};
        if (known_.principal)
            return {&known_.principal->facts, known_.principal->asked};
        for (std::size_t i = 0; i < places_.size(); ++i)
            if (facts(i) && facts(i)->plays == part::mirror && !is_.members[i].refused)
                return {&*facts(i), known_.members[i].facts_asked};
        return {};
    }

    void describe_session() {
        const auto [by, asked] = speaker();
        is_.failover = failover_form::none;
        if (by == nullptr) {
            is_.witness = witness_state::unknown;
            return;
        }
        const auto seen = links_of(known_, *by, asked);
        const auto link_to = is_.writer ? seen.principal_witness
                                        : later(seen.principal_witness, seen.mirror_witness);
        is_.witness = !seen.witness             ? witness_state::none
                      : link_to.is == link::up  ? witness_state::connected
                      : link_to.is == link::cut ? witness_state::lost
                                                : witness_state::unknown;
        is_.replication = synchrony_of(by->mirroring);
        armed_ = by->safety == safety_level::full && is_.replication == synchrony::synchronized &&
                 is_.witness == witness_state::connected;
        is_.failover = armed_ ? failover_form::automatic : failover_form::manual_only;
    }

    bool mirror_answers() const {
        for (std::size_t i = 0; i < places_.size(); ++i) {
            const auto& one = is_.members[i];
            if (is_.writer != i && one.plays == role::standby && !one.refused && !one.trouble)
                return true;
        }
        return false;
    }

    void describe_availability() {
        if (is_.writer)
            describe_serving();
        else
            describe_outage();
    }

    void describe_serving() {
        const auto& row = *facts(*is_.writer);
        const bool kept = row.safety == safety_level::full;
        const bool covered = kept && mirror_answers() && is_.replication == synchrony::synchronized;
        is_.state = covered ? availability::serving : availability::exposed;
        if (!covered && is_.cause.empty())
            is_.cause = kept ? fmt::format(
                                   "the mirror is {}",
                                   mirror_answers() ? to_string(is_.replication) : "out of reach"
                               )
                             : "the session is asynchronous (SAFETY OFF): a failover can only be "
                               "forced and may lose commits (C1, C27)";
    }

    // C28: the engine acts only for a mirror that has all, with the witness, and that was not away.
    bool engine_acts() const {
        if (tied_ || (known_.principal && known_.principal->mirror_lost_since) ||
            (known_.without && now_ - *known_.without >= failover_expected_within))
            return false;
        if (best_ && !isolated_)
            return becoming(*facts(*best_));
        if (known_.principal && foreign(known_.principal->by)) // Set up anew: its past is over.
            return false;
        return armed_before() && left() != quorum::none;
    }

    // Roles have moved, and the new principal is not through yet.
    static bool becoming(const member_facts& row) {
        return !row.serves() && (!row.online() || !row.read_write);
    }

    bool armed_before() const {
        if (!known_.principal)
            return false;
        const auto& row = known_.principal->facts;
        return row.safety == safety_level::full && row.witness == witness_link::connected &&
               synchrony_of(row.mirroring) == synchrony::synchronized;
    }

    // Of those who are left without the principal: a mirror that shows its part (sysadmin) may
    // have said since the principal's last word that it has lost the witness.
    quorum left() const {
        links over{true, {link::cut}, {link::cut}, {}};
        for (const auto& one : known_.members)
            if (one.present && one.facts && one.facts->plays == part::mirror &&
                one.facts_asked > known_.principal->asked)
                over.mirror_witness =
                    later(over.mirror_witness, witness_link_of(*one.facts, one.facts_asked));
        return evaluate(over);
    }

    bool starting() const {
        return std::any_of(
            known_.members.begin(),
            known_.members.end(),
            [](const member_evidence& one) { return one.trouble && one.trouble->native == 18401; }
        );
    }

    void describe_outage() {
        const bool heard =
            std::any_of(known_.members.begin(), known_.members.end(), [](const auto& one) {
                return one.facts || one.trouble;
            });
        if (!heard) {
            is_.state = availability::unknown;
            is_.cause = "nothing has been learned yet";
            return;
        }
        // At the beginning an outage is not told of before each configured one had his say.
        if (!is_.accepted && some_unheard(known_, store_.members().size())) {
            is_.state = availability::unknown;
            return;
        }
        is_.state = engine_acts() || starting() ? availability::failing_over
                                                : availability::action_required;
        if (is_.state == availability::failing_over || tied_)
            return;
        if (is_.witness == witness_state::none)
            is_.cause += "; without a witness somebody must force the mirror (C6, C19)";
        else if (known_.principal && known_.principal->mirror_lost_since)
            is_.cause += "; the mirror was away when the principal was lost: nobody serves until "
                         "the principal returns or somebody forces the mirror (C33)";
        else if (is_.witness == witness_state::lost)
            is_.cause += "; the witness is lost, so that no failover will come (C20, C28)";
        else if (known_.principal && !armed_before())
            is_.cause += "; the mirror was not synchronized, or the session is asynchronous: no "
                         "failover will come by itself (C28)";
    }

    const evidence& known_;
    const store_specification& store_;
    const std::vector<endpoint>& places_;
    const time_point now_;
    topology is_;
    std::string lineage_;
    std::optional<std::size_t> best_;
    bool split_ = false;
    bool tied_ = false;
    bool armed_ = false;
    bool isolated_ = false;
};

}

topology decide(
    const topology& was, const evidence& known, const store_specification& store, time_point now
) {
    return decision(was, known, store, now).run();
}

}

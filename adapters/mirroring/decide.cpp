// SPDX-License-Identifier: Apache-2.0
#include "mirroring/decide.hpp"

#include "core/epoch_order.hpp"
#include "core/mark.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hadr::inline v0::mirroring {

namespace {

bool witness_names(const evidence& known) noexcept {
    return known.witness.connected && !known.witness.rows.empty();
}

/// One decision, from evidence to topology.
class decision {
public:
    decision(const topology& was, const evidence& known, const store_specification& store)
        : was_(was)
        , known_(known)
        , store_(store)
        , places_(known.places) {}

    topology run() {
        is_.version = was_.version;
        is_.level = was_.level;
        is_.accepted = was_.accepted;
        find_named();
        find_lineage();
        describe_members();
        choose_writer();
        describe_witness();
        describe_replication();
        describe_availability();
        return std::move(is_);
    }

private:
    const std::optional<member_facts>& facts(std::size_t i) const {
        return known_.members[i].facts;
    }

    void find_named() {
        if (!witness_names(known_))
            return;
        for (const auto& row : known_.witness.rows)
            if (row.named()) {
                names_two_ = named_row_ != nullptr;
                named_row_ = &row;
                named_ = member_of(row, places_);
            }
        if (names_two_) { // Contradicts itself: it names nobody (F19).
            named_row_ = nullptr;
            named_.reset();
        }
    }

    // Accepted before, else the engine's, else what all who answered agree on.
    void find_lineage() {
        if (is_.accepted) {
            lineage_ = is_.accepted->lineage;
            return;
        }
        if (named_row_ != nullptr && !named_row_->lineage.empty()) {
            lineage_ = named_row_->lineage;
            return;
        }
        for (std::size_t i = 0; i < places_.size(); ++i) {
            if (!facts(i))
                continue;
            if (lineage_.empty())
                lineage_ = facts(i)->lineage;
            split_ = split_ || lineage_ != facts(i)->lineage;
        }
    }

    bool foreign(std::size_t i) const {
        return facts(i) && known_.overruled != i &&
               (split_ || (!lineage_.empty() && facts(i)->lineage != lineage_));
    }

    // The witness, which can tell, has not been heard of yet.
    bool undecided() const noexcept { return split_ && store_.witness && !known_.witness.heard_of; }

    void describe_members() {
        for (std::size_t i = 0; i < places_.size(); ++i) {
            const auto& seen = known_.members[i];
            member one;
            one.at = places_[i];
            one.name = fixed_name(i);
            one.named = named_ == i;
            one.offline = seen.offline;
            one.trouble = seen.trouble;
            one.seen = seen.facts_asked;
            if (seen.facts) {
                one.plays = seen.facts->claims() ? role::primary : role::standby;
                one.writable = seen.facts->claims() && !seen.facts->read_only;
                one.reign = reign_of(*seen.facts, proof::own_word);
            }
            if (foreign(i)) {
                core::mark<"member of another lineage">();
                one.refused = true;
                one.trouble =
                    undecided()
                        ? make_failure(
                              errc::no_quorum,
                              advice::retry,
                              "the members are of two lineages, and the witness has not said which "
                              "is meant (E9)"
                          )
                        : make_failure(
                              errc::configuration_invalid,
                              advice::retry,
                              fmt::format("{} is of another lineage (E9)", to_string(one.at))
                          );
            }
            is_.members.push_back(std::move(one));
        }
        if (!known_.witness.connected)
            return;
        for (const auto& row : known_.witness.rows) {
            const auto i = member_of(row, places_);
            if (!i) {
                is_.unlisted.push_back(row.at);
                continue;
            }
            is_.members[*i].engine_state = row.goal;
            check_row(row, *i);
        }
    }

    void check_row(const witness_row& row, std::size_t i) {
        if (row.lineage.empty() || !facts(i) || row.lineage == facts(i)->lineage ||
            known_.overruled == i)
            return;
        core::mark<"witness knows another server there">();
        is_.members[i].refused = true;
        is_.members[i].trouble = make_failure(
            errc::configuration_invalid,
            advice::retry,
            fmt::format(
                "{} is not the server that the witness knows there (E9)", to_string(places_[i])
            )
        );
    }

    epoch_order order(std::size_t i) const {
        if (known_.overruled == i || !is_.accepted)
            return epoch_order::newer;
        // Rulings 11: a descendant carries the rows of its ancestors unchanged.
        if (carries_other_fork(i))
            return epoch_order::unordered;
        return core::compare(*is_.members[i].reign, *is_.accepted);
    }

    // The fork that the member's history has for the accepted timeline; null if none is known.
    const std::string* inherited(std::size_t i) const {
        const auto& before = is_.accepted;
        if (!before || !before->fork || !before->term || !facts(i) || !facts(i)->forks)
            return nullptr;
        const auto& rows = *facts(i)->forks;
        const auto row = rows.find(*before->term);
        return row == rows.end() ? nullptr : &row->second;
    }

    bool carries_other_fork(std::size_t i) const {
        const auto* const row = inherited(i);
        return row != nullptr && *row != *is_.accepted->fork;
    }

    // F16: the promoted member never got the row that the accepted epoch had.
    bool history_cut(std::size_t i) const {
        return is_.accepted && is_.accepted->fork && facts(i) && facts(i)->forks &&
               known_.overruled != i && order(i) == epoch_order::newer && inherited(i) == nullptr;
    }

    void refuse(std::size_t i, std::string why) {
        auto& one = is_.members[i];
        one.refused = true;
        one.trouble = make_failure(errc::wrong_role, advice::retry, std::move(why));
    }

    bool claims(std::size_t i) const {
        return facts(i) && facts(i)->claims() && !is_.members[i].refused;
    }

    void choose_writer() {
        for (std::size_t i = 0; i < places_.size(); ++i)
            if (claims(i) && order(i) != epoch_order::same && order(i) != epoch_order::newer)
                refuse(
                    i,
                    fmt::format(
                        "{} claims to be primary in the older epoch {} (F15)",
                        to_string(places_[i]),
                        to_string(*is_.members[i].reign)
                    )
                );
        if (witness_names(known_))
            choose_named();
        else
            choose_alone();
    }

    // The engine names; the member's own session proves (E8).
    void choose_named() {
        for (std::size_t i = 0; i < places_.size(); ++i)
            if (named_row_ != nullptr && named_ != i && claims(i))
                refuse(i, claims_but(i, "the witness names " + to_string(named_row_->at)));
        if (named_row_ == nullptr) {
            // The engine has taken the role from one and not given it to another yet.
            core::mark<"witness names nobody">();
            is_.cause =
                names_two_ ? "the witness names two primaries" : "the witness names no primary now";
            return;
        }
        if (!named_) {
            is_.cause = fmt::format(
                "the witness names {} ('{}'), which is no member: list it as the witness does, or "
                "let "
                "Partner_Allowed take it (C43, C47, X3)",
                to_string(named_row_->at),
                named_row_->name
            );
            return;
        }
        if (!claims(*named_))
            is_.cause = fmt::format("{} is named and not primary yet", to_string(places_[*named_]));
        else if (facts(*named_)->read_only)
            is_.cause =
                fmt::format("{} is promoted and not writable yet", to_string(places_[*named_]));
        else {
            core::mark<"writer accepted by name">();
            accept(*named_, proof::engine_named);
        }
    }

    bool all_answered() const {
        return std::all_of(
            known_.members.begin(),
            known_.members.end(),
            [](const member_evidence& one) { return one.dropped || (one.present && one.facts); }
        );
    }

    bool no_later_than(std::size_t i, const std::optional<epoch>& by) const {
        return by && claims(i) && core::compare(*is_.members[i].reign, *by) != epoch_order::newer;
    }

    std::string claims_but(std::size_t i, std::string_view why) const {
        return fmt::format("{} claims to be primary, and {}", to_string(places_[i]), why);
    }

    // F14: an operator has ruled for another claimant, or the witness went on naming another while
    // it was in touch; and it claims no newer epoch since.
    void refuse_outruled() {
        for (std::size_t i = 0; i < places_.size(); ++i) {
            const auto& seen = known_.members[i];
            if (no_later_than(i, seen.outruled))
                refuse(i, claims_but(i, "an operator ruled for another (F14)"));
            if (known_.overruled == i || !no_later_than(i, seen.contradicted))
                continue;
            core::mark<"claim that the witness contradicted">();
            refuse(
                i,
                claims_but(
                    i,
                    "the witness named another while it was in touch (accept_lineage overrules it)"
                )
            );
        }
    }

    // Without the engine's word: the highest epoch by own word, if there is one, under rulings 12.
    void choose_alone() {
        refuse_outruled();
        std::optional<std::size_t> best;
        bool tied = false;
        for (std::size_t i = 0; i < places_.size(); ++i) {
            if (!claims(i))
                continue;
            if (!best) {
                best = i;
                continue;
            }
            const auto against = core::compare(*is_.members[i].reign, *is_.members[*best].reign);
            if (against == epoch_order::newer) {
                core::mark<"two claimants, the older one refused">();
                refuse(*best, older_text(*best));
                best = i;
                tied = false;
            } else if (against == epoch_order::older) {
                core::mark<"two claimants, the later one older">();
                refuse(i, older_text(i));
            } else {
                tied = true;
            }
        }
        if (!best) {
            core::mark<"nobody claims and the witness is silent">();
            is_.cause = "no member is primary";
            return;
        }
        if (tied) {
            is_.cause = "two members claim to be primary in the same epoch: none may write until "
                        "an operator rules (F14, E3)";
            return;
        }
        if (facts(*best)->read_only) {
            is_.cause =
                fmt::format("{} is promoted and not writable yet", to_string(places_[*best]));
            return;
        }
        const auto strength = strength_of(*best);
        if (strength == proof::none)
            is_.cause = fmt::format(
                "{} claims to be primary and nothing proves it: {} (rulings of a cold start; "
                "Cold_Start=alone would "
                "take its word)",
                to_string(places_[*best]),
                store_.witness ? "the witness is out of reach" : "the other member does not answer"
            );
        else {
            core::mark<"writer accepted without the witness">();
            accept(*best, strength);
        }
    }

    std::string older_text(std::size_t i) const {
        return fmt::format(
            "{} claims to be primary in an older epoch (F15)", to_string(places_[i])
        );
    }

    // How far the claim is proved without the engine; none is not enough.
    proof strength_of(std::size_t i) const {
        if (all_answered()) {
            core::mark<"both members answered">();
            return proof::both_members;
        }
        const bool goes_on = known_.proven == i && is_.accepted && order(i) == epoch_order::same;
        if (goes_on) // E10: a proven primary stays usable while it proves its role.
        {
            core::mark<"proven primary goes on without the witness">();
            return is_.accepted->strength;
        }
        const bool promoted = is_.accepted && order(i) == epoch_order::newer;
        const bool recalled = is_.accepted && known_.recalled && order(i) == epoch_order::same;
        const bool alone = store_.start == cold_start::alone && !known_.forgetful;
        if (promoted || recalled || known_.overruled == i || alone)
            return proof::own_word;
        return proof::none;
    }

    void accept(std::size_t i, proof strength) {
        if (is_.members[i].offline) {
            core::mark<"primary taken offline">();
            is_.cause = fmt::format(
                "{} is the primary and offline by an operator's word", to_string(places_[i])
            );
            return;
        }
        if (history_cut(i))
            is_.cause = fmt::format(
                "the history of {} was cut: it lacks the fork row of {}, so that commits made "
                "there "
                "are lost (F16)",
                to_string(places_[i]),
                to_string(*is_.accepted)
            );
        is_.writer = i;
        auto reign = *is_.members[i].reign;
        const bool goes_on = is_.accepted && order(i) == epoch_order::same;
        if (goes_on && !reign.fork)
            reign.fork = is_.accepted->fork;
        reign.strength = reign.fork && strength == proof::engine_named ? proof::fork_row : strength;
        is_.accepted = reign;
        is_.members[i].reign = reign;
    }

    void describe_witness() {
        is_.witness_trouble = known_.witness.trouble;
        is_.witness = !store_.witness            ? witness_state::none
                      : known_.witness.connected ? witness_state::connected
                      : known_.witness.heard_of  ? witness_state::lost
                                                 : witness_state::unknown;
        // C6, C32: without a witness in touch nothing fails over by itself.
        is_.failover = is_.witness == witness_state::none || is_.witness == witness_state::lost
                           ? failover_form::manual_only
                           : failover_form::automatic;
    }

    std::optional<std::size_t> standby() const {
        for (std::size_t i = 0; i < places_.size(); ++i) {
            const auto& one = is_.members[i];
            if (is_.writer != i && one.plays == role::standby && !one.refused && !one.trouble)
                return i;
        }
        return std::nullopt;
    }

    void describe_replication() {
        if (witness_names(known_)) // Known without a primary as well: a forced failover asks (C28).
            is_.replication = by_witness();
        if (!is_.writer)
            return;
        const auto& writer = *facts(*is_.writer);
        const auto other = standby();
        if (other && facts(*other)->position <= writer.position)
            is_.members[*other].lag_bytes = writer.position - facts(*other)->position;
        if (witness_names(known_))
            return;
        if (!writer.standbys)
            return;
        if (*writer.standbys == 0)
            is_.replication = synchrony::suspended;
        else if (writer.synchronous)
            is_.replication =
                *writer.synchronous > 0 ? synchrony::synchronized : synchrony::synchronizing;
    }

    synchrony by_witness() const {
        if (known_.witness.rows.size() < 2)
            return synchrony::not_replicating;
        auto made = synchrony::synchronizing;
        for (const auto& row : known_.witness.rows) {
            if (row.named() && row.goal == "wait_primary")
                return synchrony::suspended;
            if (row.goal == "secondary" && row.state == "secondary")
                made = synchrony::synchronized;
        }
        return made;
    }

    void describe_availability() {
        const bool heard =
            std::any_of(known_.members.begin(), known_.members.end(), [](const auto& one) {
                return one.facts || one.trouble;
            });
        if (is_.writer) {
            const bool covered = standby() && (is_.replication == synchrony::synchronized ||
                                               is_.replication == synchrony::unknown);
            is_.state = covered ? availability::serving : availability::exposed;
            if (!covered && is_.cause.empty())
                is_.cause = fmt::format("the mirror is {}", to_string(is_.replication));
            return;
        }
        if (!heard && !known_.witness.heard_of) {
            is_.state = availability::unknown;
            is_.cause = "nothing has been learned yet";
            return;
        }
        const bool promoting =
            std::any_of(is_.members.begin(), is_.members.end(), [](const member& one) {
                return one.plays == role::primary && !one.refused && !one.writable;
            });
        const bool starting =
            std::any_of(is_.members.begin(), is_.members.end(), [](const member& one) {
                return one.trouble && one.trouble->sqlstate.starts_with("57P"); // F33
            });
        // C28, C31, C34: nothing takes over from a primary that was lost while exposed.
        const bool lost_exposed = named_ && !facts(*named_) &&
                                  named_row_->state == named_row_->goal &&
                                  is_.replication != synchrony::synchronized;
        const bool acting = named_ ? !is_.members[*named_].refused && !lost_exposed
                                   : named_row_ == nullptr && !names_two_ && standby();
        const bool engine_acts = witness_names(known_) && acting;
        is_.state = promoting || starting || engine_acts ? availability::failing_over
                                                         : availability::action_required;
        if (!store_.witness && is_.state == availability::action_required)
            is_.cause += "; without a witness somebody must promote the mirror (C6, C19)";
        else if (is_.witness == witness_state::lost && is_.state == availability::action_required)
            is_.cause += "; the witness is lost, so that no failover will come (C20, C28)";
    }

    const topology& was_;
    const evidence& known_;
    const store_specification& store_;
    const std::vector<endpoint>& places_;
    topology is_;
    const witness_row* named_row_ = nullptr;
    std::optional<std::size_t> named_;
    std::string lineage_;
    bool names_two_ = false;
    bool split_ = false;
};

}

topology decide(const topology& was, const evidence& known, const store_specification& store) {
    return decision(was, known, store).run();
}

}

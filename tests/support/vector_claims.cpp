// SPDX-License-Identifier: Apache-2.0
#include "core/selection.hpp"
#include "support/vector_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hadr::test {

namespace {

using claims = std::vector<claim>;

std::string host_at(const told& is, std::optional<std::size_t> place) {
    return place && *place < is.known.is.members.size() ? is.known.is.members[*place].at.host
                                                        : "nobody";
}

const member* member_at(const told& is, const std::string& host) {
    const auto& all = is.known.is.members;
    const auto found = std::find_if(all.begin(), all.end(), [&](const member& one) {
        return one.at.host == host;
    });
    return found == all.end() ? nullptr : &*found;
}

std::string listed(const std::vector<std::string>& hosts) {
    return hosts.empty() ? "none" : fmt::format("{}", fmt::join(hosts, ", "));
}

template <class Choose>
std::string members_that(const told& is, Choose choose) {
    std::vector<std::string> made;
    for (const auto& one : is.known.is.members)
        if (choose(one))
            made.push_back(one.at.host);
    return listed(made);
}

std::string accepted_part(const told& is, std::string (*part)(const epoch&)) {
    const auto& accepted = is.known.is.accepted;
    return accepted ? part(*accepted) : "unknown";
}

// Names, a number or null; null is "unknown".
std::string number_or_unknown(const entry& of) {
    return of.null() ? "unknown" : std::to_string(of.number(0xFFFF'FFFF'FFFF));
}

void read_writer(const entry& of, claims& into) {
    into.push_back({"writer", of.null() ? "nobody" : of.text(), false, [](const told& is) {
                        return host_at(is, is.known.is.writer);
                    }});
}

void read_state(const entry& of, claims& into) {
    auto word = of.word({"serving", "exposed", "failing_over", "action_required", "unknown"});
    into.push_back({"state", std::move(word), false, [](const told& is) {
                        return std::string(to_string(is.known.is.state));
                    }});
}

void read_failover(const entry& of, claims& into) {
    auto word = of.word({"automatic", "manual_only", "none"});
    into.push_back({"failover", std::move(word), false, [](const told& is) {
                        return std::string(to_string(is.known.is.failover));
                    }});
}

void read_witness_state(const entry& of, claims& into) {
    auto word = of.word({"none", "unknown", "connected", "lost"});
    into.push_back({"witness", std::move(word), false, [](const told& is) {
                        return std::string(to_string(is.known.is.witness));
                    }});
}

void read_replication(const entry& of, claims& into) {
    auto word =
        of.word({"unknown", "synchronized", "synchronizing", "suspended", "not_replicating"});
    into.push_back({"replication", std::move(word), false, [](const told& is) {
                        return std::string(to_string(is.known.is.replication));
                    }});
}

void read_term(const entry& of, claims& into) {
    into.push_back({"term", number_or_unknown(of), false, [](const told& is) {
                        return accepted_part(is, [](const epoch& one) {
                            return one.term ? std::to_string(*one.term) : "unknown";
                        });
                    }});
}

void read_accepted_lineage(const entry& of, claims& into) {
    into.push_back({"lineage", of.null() ? "unknown" : read_lineage(of), false, [](const told& is) {
                        return accepted_part(is, [](const epoch& one) { return one.lineage; });
                    }});
}

void read_fork(const entry& of, claims& into) {
    into.push_back({"fork", of.null() ? "unknown" : of.text(), false, [](const told& is) {
                        return accepted_part(is, [](const epoch& one) {
                            return one.fork.value_or("unknown");
                        });
                    }});
}

void read_proof(const entry& of, claims& into) {
    auto word = of.word({"none", "own_word", "both_members", "engine_named", "fork_row"});
    into.push_back({"proof", std::move(word), false, [](const told& is) {
                        return accepted_part(is, [](const epoch& one) {
                            return std::string(to_string(one.strength));
                        });
                    }});
}

void read_refused(const entry& of, claims& into) {
    into.push_back({"refused", listed(of.texts()), false, [](const told& is) {
                        return members_that(is, [](const member& one) { return one.refused; });
                    }});
}

void read_named(const entry& of, claims& into) {
    into.push_back({"named", of.null() ? "none" : of.text(), false, [](const told& is) {
                        return members_that(is, [](const member& one) { return one.named; });
                    }});
}

void read_offline(const entry& of, claims& into) {
    into.push_back({"offline", listed(of.texts()), false, [](const told& is) {
                        return members_that(is, [](const member& one) { return one.offline; });
                    }});
}

void read_members(const entry& of, claims& into) {
    into.push_back({"members", listed(of.texts()), false, [](const told& is) {
                        return members_that(is, [](const member&) { return true; });
                    }});
}

void read_unlisted(const entry& of, claims& into) {
    into.push_back({"unlisted", listed(of.texts()), false, [](const told& is) {
                        std::vector<std::string> made;
                        for (const auto& one : is.known.is.unlisted)
                            made.push_back(one.host);
                        return listed(made);
                    }});
}

void read_asks(const entry& of, claims& into) {
    into.push_back({"asks", listed(of.texts()), false, [](const told& is) {
                        std::vector<std::string> made;
                        for (const auto& one : is.adapter.next(is.known, is.now).ask)
                            made.push_back(
                                one.to.what == subject::kind::witness ? "witness"
                                                                      : host_at(is, one.to.index)
                            );
                        return listed(made);
                    }});
}

void read_readers(const entry& of, claims& into) {
    into.push_back({"readers", listed(of.texts()), false, [](const told& is) {
                        std::array<std::size_t, 16> places{};
                        const auto count = core::readers(is.known.is, {}, places);
                        std::vector<std::string> made;
                        for (std::size_t i = 0; i < count; ++i)
                            made.push_back(host_at(is, places[i]));
                        return listed(made);
                    }});
}

void read_cause(const entry& of, claims& into) {
    for (auto& word : of.list() ? of.texts() : std::vector<std::string>{of.text()})
        into.push_back({"cause", std::move(word), true, [](const told& is) {
                            return is.known.is.cause;
                        }});
}

/// For each host of the object a claim on what shows says of that member.
void for_each_member(
    std::string_view field, const entry& of, claims& into, std::string (*shows)(const member&)
) {
    for (const auto& [host, is] : of.named()) {
        const bool trouble = field == "trouble" && !is.null();
        into.push_back(
            {fmt::format("{} of {}", field, host),
             field == "lag" ? number_or_unknown(is)
             : is.null()    ? "none"
                            : is.text(),
             trouble,
             [host = host, shows](const told& all) {
                 const auto* one = member_at(all, host);
                 return one == nullptr ? "no member" : shows(*one);
             }}
        );
    }
}

void read_roles(const entry& of, claims& into) {
    for (const auto& [host, is] : of.named())
        static_cast<void>(is.word({"primary", "standby", "unknown"}));
    for_each_member("role", of, into, [](const member& one) {
        return std::string(to_string(one.plays));
    });
}

void read_names(const entry& of, claims& into) {
    for_each_member("name", of, into, [](const member& one) { return one.name; });
}

void read_engine_states(const entry& of, claims& into) {
    for_each_member("engine_state", of, into, [](const member& one) { return one.engine_state; });
}

void read_trouble(const entry& of, claims& into) {
    for_each_member("trouble", of, into, [](const member& one) {
        return one.trouble ? to_string(*one.trouble) : "none";
    });
}

void read_lag(const entry& of, claims& into) {
    for_each_member("lag", of, into, [](const member& one) {
        return one.lag_bytes ? std::to_string(*one.lag_bytes) : "unknown";
    });
}

std::string use_of(const session_standing& stands) {
    if (stands.may_write)
        return stands.may_read ? "write" : "write and not read";
    if (stands.may_wait)
        return "wait";
    return stands.may_read ? "read" : stands.refused ? "nothing" : "nothing, and no reason";
}

void read_sessions(const entry& of, claims& into) {
    for (const auto& one : of.items()) {
        fields all(one);
        const auto host = all.need("on").text();
        auto word = all.need("may").word({"write", "read", "wait", "nothing"});
        const auto shown = all.need("shows");
        fields proof_of(shown);
        const auto proof = read_member_evidence(host, proof_of);
        proof_of.finish();
        all.finish();
        const auto* row = std::get_if<answer>(&proof);
        if (row == nullptr)
            shown.wrong("is no answer");
        into.push_back(
            {fmt::format("session on {}", host),
             std::move(word),
             false,
             [host, row = *row](const told& is) {
                 const auto* at = member_at(is, host);
                 if (at == nullptr)
                     return std::string("no member");
                 const auto place = static_cast<std::size_t>(at - is.known.is.members.data());
                 return use_of(is.adapter.judge(is.known, place, row));
             }}
        );
    }
}

struct wanted_operation {
    operation what;
    std::string target;
};

expected<operation_plan> considered(const wanted_operation& wanted, const told& is) {
    auto what = wanted.what;
    if (!wanted.target.empty()) {
        const auto* at = member_at(is, wanted.target);
        what.target = at == nullptr ? is.known.is.members.size()
                                    : static_cast<std::size_t>(at - is.known.is.members.data());
    }
    return is.adapter.consider(is.known, what, is.now);
}

std::string places_of(const told& is, const operation_plan& plan) {
    std::vector<std::string> made;
    for (const auto& one : plan.steps)
        made.push_back(
            one.where == operation_step::place::witness ? "witness" : host_at(is, one.member)
        );
    return listed(made);
}

void read_operation(const entry& of, claims& into) {
    fields all(of);
    wanted_operation wanted;
    const auto what = all.need("wants").word({"planned", "forced"});
    wanted.what.what =
        what == "planned" ? operation_kind::planned_failover : operation_kind::forced_failover;
    if (const auto acknowledged = all.take("acknowledged"))
        wanted.what.data_loss_acknowledged = acknowledged->flag();
    if (const auto target = all.take("target"))
        wanted.target = target->text();
    const auto field = fmt::format("{} failover", what);
    if (const auto why = all.take("refused")) {
        all.finish();
        into.push_back({field, why->text(), true, [wanted](const told& is) {
                            const auto made = considered(wanted, is);
                            return made ? "allowed at " + places_of(is, *made)
                                        : made.error().message;
                        }});
        return;
    }
    into.push_back({field, all.need("done_at").text(), false, [wanted](const told& is) {
                        const auto made = considered(wanted, is);
                        return made ? places_of(is, *made) : made.error().message;
                    }});
    if (const auto warns = all.take("warns"))
        into.push_back({field + " warns", warns->text(), true, [wanted](const told& is) {
                            const auto made = considered(wanted, is);
                            return made ? listed(made->warnings) : made.error().message;
                        }});
    all.finish();
}

void read_operations(const entry& of, claims& into) {
    for (const auto& one : of.items())
        read_operation(one, into);
}

struct claim_kind {
    std::string_view field;
    void (*read)(const entry& of, claims& into);
};

constexpr claim_kind claim_kinds[] = {
    {"writer", read_writer},
    {"state", read_state},
    {"failover", read_failover},
    {"witness", read_witness_state},
    {"replication", read_replication},
    {"term", read_term},
    {"lineage", read_accepted_lineage},
    {"fork", read_fork},
    {"proof", read_proof},
    {"refused", read_refused},
    {"named", read_named},
    {"offline", read_offline},
    {"members", read_members},
    {"unlisted", read_unlisted},
    {"asks", read_asks},
    {"readers", read_readers},
    {"cause", read_cause},
    {"roles", read_roles},
    {"names", read_names},
    {"engine_states", read_engine_states},
    {"trouble", read_trouble},
    {"lag", read_lag},
    {"sessions", read_sessions},
    {"operations", read_operations},
};

}

claims read_claims(const entry& of) {
    fields all(of);
    claims made;
    for (const auto& kind : claim_kinds)
        if (const auto one = all.take(kind.field)) {
            const auto before = made.size();
            kind.read(*one, made);
            if (made.size() == before)
                one->wrong("expects nothing");
        }
    all.finish();
    if (made.empty())
        of.wrong("expects nothing");
    return made;
}

std::vector<std::string> differences(const claims& all, const told& is) {
    std::vector<std::string> made;
    for (const auto& one : all) {
        const auto shown = one.shows(is);
        if (one.part ? shown.find(one.wanted) == std::string::npos : shown != one.wanted)
            made.push_back(fmt::format(
                "{}: expected {}'{}', is '{}' ({})",
                one.field,
                one.part ? "something with " : "",
                one.wanted,
                shown,
                is.known.is.cause
            ));
    }
    return made;
}

}

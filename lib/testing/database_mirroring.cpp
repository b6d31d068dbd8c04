// SPDX-License-Identifier: Apache-2.0
#include "testing/database_mirroring.hpp"

#include <algorithm>
#include <array>

namespace hadr::inline v0::testing {

namespace {

// A message between the partners is of one stream: of its connection, which may be over.
constexpr unsigned count_bits = 22;
constexpr std::uint32_t count_mask = (1U << count_bits) - 1;

constexpr std::uint32_t numbered(std::uint32_t stream, std::size_t count) noexcept {
    return stream << count_bits | (static_cast<std::uint32_t>(count) & count_mask);
}

constexpr bool of_stream(std::uint32_t number, std::uint32_t stream) noexcept {
    return number >> count_bits == (stream << count_bits) >> count_bits;
}

}

std::string_view to_string(mirroring_state state) noexcept {
    constexpr std::array<std::string_view, 5> names = {
        "SUSPENDED", "DISCONNECTED", "SYNCHRONIZING", "PENDING_FAILOVER", "SYNCHRONIZED"};
    return names[static_cast<std::size_t>(state)];
}

database_mirroring::database_mirroring(manual_world& in, simulated_settings how)
    : impl(in, std::move(how))
    , has_witness(rules.has_witness)
    , partner_timeout(rules.partner_timeout) {
    for (auto& of_one : contacts)
        for (auto& one : of_one)
            one.heard = world.now();
    for (auto& one : partners) {
        one.full = rules.safety_full;
        one.started = world.now();
    }
    noted.synchronized = rules.safety_full;
    nodes[0].synchronous = rules.safety_full;
    partners[0].serves = true;
    stream(1);
    check_synchronized(0);
    for (auto& one : strangers)
        one.lineage = "00000000-0000-0000-0000-000000000009";
}

std::shared_ptr<simulated_store::impl>
make_database_mirroring(manual_world& in, simulated_settings how) {
    return std::make_shared<database_mirroring>(in, std::move(how));
}

std::string database_mirroring::connection_string() const {
    return "Mode=mirroring;Driver=FreeTDS;Server=one,1433;Failover_Partner=two,1433;Database=" +
           rules.database + ";UID=u;PWD=p;Encrypt=disable";
}

std::optional<std::size_t> database_mirroring::named() const noexcept {
    std::optional<std::size_t> made;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const bool leads = nodes[i].running && !nodes[i].in_recovery && partners[i].serves;
        if (leads && (!made || nodes[i].timeline > nodes[*made].timeline))
            made = i;
    }
    return made;
}

bool database_mirroring::writable(const node& at) const noexcept {
    return at.running && !at.in_recovery && !at.read_only && partners[place(at)].serves;
}

bool database_mirroring::protected_now() const noexcept {
    const auto lead = named();
    if (!lead || !writable(nodes[*lead]) || !awake(*lead) || !awake(1 - *lead))
        return false;
    const auto& mirror = nodes[1 - *lead];
    return nodes[*lead].synchronous && mirror.in_recovery && mirror.streaming &&
           partners[*lead].state == mirroring_state::synchronized &&
           (!has_witness ||
            (noted.synchronized && connected(*lead, witness) && connected(1 - *lead, witness)));
}

std::string database_mirroring::assigned(std::size_t which) const {
    return std::string(to_string(partners[which].state));
}

// Who hears whom.

bool database_mirroring::present(std::size_t party) const noexcept {
    return party == witness ? witness_up : nodes[party].running;
}

bool database_mirroring::awake(std::size_t party) const noexcept {
    return present(party) && !(party == witness ? witness_frozen : nodes[party].frozen);
}

bool database_mirroring::heard_by(std::size_t party, std::size_t by) const noexcept {
    return !way(site_of(party), site_of(by)).cut;
}

// A question of one to the other would be answered now.
bool database_mirroring::talk(std::size_t one, std::size_t two) const noexcept {
    return connected(one, two) && awake(one) && awake(two) && heard_by(one, two) &&
           heard_by(two, one);
}

bool database_mirroring::connected(std::size_t one, std::size_t two) const noexcept {
    return contacts[one][two].connected && contacts[two][one].connected;
}

void database_mirroring::begin() {
    for (std::size_t i = 0; i < contacts.size(); ++i)
        world.later(rules.ping_period / 3 * static_cast<int>(i + 1), [this, i] { tick(i); });
}

void database_mirroring::tick(std::size_t party) {
    if (over)
        return;
    world.later(rules.ping_period, [this, party] { tick(party); });
    look(party);
}

void database_mirroring::nudge(std::size_t party) {
    world.later(reaction, [this, party] { look(party); });
}

void database_mirroring::look(std::size_t party) {
    if (over || !awake(party))
        return;
    for (std::size_t to = 0; to < contacts.size(); ++to)
        if (to != party && (has_witness || (to != witness && party != witness)))
            listen(party, to);
    if (party == witness)
        return; // It remembers, and is asked.
    if (nodes[party].in_recovery)
        settle_mirror(party);
    else
        settle_principal(party);
}

// A connection ends where its other end is closed, which a dead process's kernel does too (C39), or
// where nothing is heard for PARTNER TIMEOUT.
void database_mirroring::listen(std::size_t party, std::size_t to) {
    auto& mine = contacts[party][to];
    const bool open = heard_by(to, party);
    if (!mine.connected) {
        if (!awake(to) || contacts[to][party].connected || !open || !heard_by(party, to))
            return;
        mine = contacts[to][party] = {true, world.now()};
        nudge(to);
        return;
    }
    if (open && !contacts[to][party].connected)
        drop(party, to);
    else if (open && awake(to))
        mine.heard = world.now();
    else if (world.now() - mine.heard >= partner_timeout)
        drop(party, to);
}

void database_mirroring::drop(std::size_t party, std::size_t to) {
    contacts[party][to].connected = false;
    nudge(to);
    if (party != witness && to != witness)
        lose_partner(party);
}

void database_mirroring::lose_partner(std::size_t which) {
    auto& mine = partners[which];
    end_streams();
    const bool had_all = mine.state == mirroring_state::synchronized ||
                         mine.state == mirroring_state::pending_failover;
    mine.eligible = nodes[which].in_recovery && had_all && mine.full;
    mine.state = mirroring_state::disconnected;
}

// Roles.

void database_mirroring::settle_principal(std::size_t which) {
    auto& at = nodes[which];
    auto& mine = partners[which];
    const auto mirror = 1 - which;
    const bool paired = connected(which, mirror);
    if (paired && !nodes[mirror].in_recovery && nodes[mirror].timeline > at.timeline) {
        step_down(which);
        return;
    }
    if (has_witness && talk(which, witness) && !note_down(which)) {
        step_down(which); // C34
        return;
    }
    if (mine.state == mirroring_state::pending_failover)
        return;
    if (!contacts[which][mirror].connected && has_witness && !contacts[which][witness].connected) {
        lose_quorum(which);
        return;
    }
    if (!contacts[which][mirror].connected && !go_alone(which))
        return; // Until the witness knows, no commit is acknowledged.
    if (!mine.serves && !mine.recovering && !at.busy)
        serve(which);
    if (paired && nodes[mirror].in_recovery && awake(mirror))
        follow(mirror);
}

// The witness learns of this reign, unless it knows of a later one.
bool database_mirroring::note_down(std::size_t which) {
    const auto& at = nodes[which];
    if (noted.sequence > at.timeline)
        return false;
    const bool together = at.synchronous && partners[which].state == mirroring_state::synchronized;
    if (noted.sequence < at.timeline)
        noted = {at.timeline, together};
    else if (together)
        noted.synchronized = true;
    return true;
}

// C31: the principal serves exposed, once the witness has noted that the mirror lacks something.
bool database_mirroring::go_alone(std::size_t which) {
    auto& at = nodes[which];
    if (has_witness) {
        if (!talk(which, witness))
            return false;
        noted.synchronized = false;
    }
    if (at.synchronous) {
        ++count.exposures;
        set_synchronous(at, false);
    }
    return true;
}

void database_mirroring::serve(std::size_t which) {
    partners[which].serves = true;
    nodes[which].visible = nodes[which].log.size();
}

void database_mirroring::lose_quorum(std::size_t which) {
    auto& mine = partners[which];
    if (!mine.serves)
        return;
    ++count.demotions;
    mine.serves = false;
    kill_sessions(nodes[which]);
}

// A partner serves in a later reign: this one becomes its mirror.
void database_mirroring::step_down(std::size_t which) {
    lose_quorum(which);
    auto& mine = partners[which];
    mine.serves = mine.recovering = mine.eligible = false;
    mine.state = mirroring_state::disconnected;
    nodes[which].in_recovery = true;
    nodes[which].synchronous = false;
    nudge(which);
}

void database_mirroring::settle_mirror(std::size_t which) {
    auto& mine = partners[which];
    const auto principal = 1 - which;
    if (contacts[which][principal].connected) {
        if (connected(which, principal) && !nodes[principal].in_recovery)
            follow(which);
        return;
    }
    if (!has_witness || !contacts[which][witness].connected) {
        mine.eligible = false; // C33: alone it may miss what the others decide.
        return;
    }
    if (!talk(which, witness) || !mine.eligible)
        return;
    // Had the principal of this reign ever gone alone, the witness would know of the reign.
    if (noted.sequence < nodes[which].timeline)
        noted = {nodes[which].timeline, true};
    const bool lost_by_both = !contacts[witness][principal].connected; // C30
    if (lost_by_both && noted.synchronized && noted.sequence == nodes[which].timeline) {
        noted = {nodes[which].timeline + 1, false};
        promote(which);
    }
}

void database_mirroring::promote(std::size_t which) {
    auto& at = nodes[which];
    auto& mine = partners[which];
    end_streams();
    ++at.timeline;
    at.in_recovery = false;
    at.synchronous = false;
    at.replicated = 0;
    mine.eligible = mine.serves = false;
    mine.recovering = true;
    mine.failover_lsn = at.log.size();
    ++count.promotions;
    work(at, rules.promotion_time, [this, which] {
        partners[which].recovering = false;
        look(which);
    });
}

// The mirror takes what its principal has.
void database_mirroring::follow(std::size_t which) {
    auto& at = nodes[which];
    const auto& from = nodes[1 - which];
    const auto& lead = partners[1 - which];
    auto& mine = partners[which];
    if (at.streaming || at.busy || mine.state == mirroring_state::pending_failover)
        return;
    mine.full = lead.full;
    at.timeline = from.timeline;
    if (lead.suspended) {
        mine.state = partners[1 - which].state = mirroring_state::suspended;
        return;
    }
    const auto have = at.log.size();
    const bool same = at.lineage == from.lineage && have <= from.log.size() &&
                      (have == 0 || at.log.back().id == from.log[have - 1].id);
    mine.state = partners[1 - which].state = mirroring_state::synchronizing;
    if (!same) {
        at.busy = true;
        work(at, rules.rewind_time, [this, which] {
            nodes[which].busy = false;
            undo(which);
        });
        return;
    }
    stream(which);
    check_synchronized(1 - which);
}

void database_mirroring::undo(std::size_t which) {
    auto& at = nodes[which];
    const auto& from = nodes[1 - which];
    if (!at.in_recovery || from.in_recovery || !connected(which, 1 - which))
        return;
    std::size_t same = 0;
    while (same < at.log.size() && same < from.log.size() && at.log[same].id == from.log[same].id)
        ++same;
    at.log.resize(same);
    at.lineage = from.lineage;
    follow(which);
}

// Replication.

void database_mirroring::stream(std::size_t which) {
    auto& at = nodes[which];
    auto& from = nodes[1 - which];
    at.streaming = true;
    ++at.stream;
    at.sent = from.replicated = at.log.size();
    pump(from);
}

void database_mirroring::end_streams() noexcept {
    for (auto& one : nodes)
        one.streaming = false;
}

void database_mirroring::pump(node& from) {
    auto& to = other(from);
    if (!to.streaming || from.in_recovery || to.sent >= from.log.size())
        return;
    to.sent = from.log.size();
    between(from.which, message::records, numbered(to.stream, to.sent));
}

void database_mirroring::take_records(node& at, std::uint32_t number) {
    if (!at.running || !at.streaming || !of_stream(number, at.stream))
        return;
    const auto& from = other(at);
    const auto upto = std::min<std::size_t>(number & count_mask, from.log.size());
    while (at.log.size() < upto)
        at.log.push_back(from.log[at.log.size()]);
    at.visible = at.log.size();
    between(at.which, message::confirmed, numbered(at.stream, at.log.size()));
}

void database_mirroring::take_confirmation(node& at, std::uint32_t number) {
    const auto& mirror = other(at);
    if (!at.running || at.in_recovery || !mirror.streaming || !of_stream(number, mirror.stream))
        return;
    at.replicated = std::max<std::size_t>(at.replicated, number & count_mask);
    release(at);
    check_synchronized(place(at));
}

// From now on the mirror has all that is acknowledged.
void database_mirroring::check_synchronized(std::size_t which) {
    auto& at = nodes[which];
    auto& mine = partners[which];
    if (mine.state == mirroring_state::pending_failover || !other(at).streaming ||
        other(at).log.size() != at.log.size())
        return;
    if (mine.full && !at.synchronous)
        set_synchronous(at, true);
    mine.state = partners[1 - which].state = mirroring_state::synchronized;
    if (has_witness && talk(which, witness))
        note_down(which);
}

// What happens to the processes.

void database_mirroring::started(node& at) {
    auto& mine = partners[place(at)];
    mine.started = world.now();
    mine.state = mirroring_state::disconnected;
    nudge(place(at));
}

void database_mirroring::stopped(node& at) {
    const auto which = place(at);
    auto& mine = partners[which];
    mine.serves = mine.recovering = mine.eligible = false;
    at.busy = false;
    end_streams();
    for (std::size_t to = 0; to < contacts.size(); ++to) {
        contacts[which][to].connected = false;
        nudge(to);
    }
    if (at.keeper)
        world.later(rules.start_time, [this, &at] {
            if (!over && at.keeper && !at.running && !at.starting) {
                ++count.restarts;
                start_server(at);
            }
        });
}

void database_mirroring::witness_stopped() {
    for (std::size_t to = 0; to < nodes.size(); ++to) {
        contacts[witness][to].connected = false;
        nudge(to);
    }
}

void database_mirroring::kill_sessions(node& at) {
    for (const auto id : std::vector<std::uint32_t>(at.served)) {
        auto& on = wires[id];
        if (on.in_master)
            continue;
        on.last_words = true;
        const bool gone = on.client_gone;
        if (!gone)
            send(on, message::closed, 0);
        end_backend(on);
    }
}

}

// SPDX-License-Identifier: Apache-2.0
// What an administrator does to a mirrored database, by statements and with what the server says.
#include "testing/database_mirroring.hpp"
#include "testing/sql_server_failures.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace hadr::inline v0::testing {

namespace {

constexpr int timeout_least = 5; // Seconds; less is taken as this.
constexpr int timeout_most = 32767;

failure refused(int native) {
    return sql_server_failure(native, "the server refused the operation");
}

std::string in_capitals(std::string_view text) {
    std::string made(text);
    std::transform(made.begin(), made.end(), made.begin(), [](unsigned char c) {
        return static_cast<char>(std::toupper(c));
    });
    return made;
}

}

// The words after the name of the database decide.
expected<void> database_mirroring::administer(node& at, std::string_view statement) {
    constexpr std::string_view begin = "ALTER DATABASE ";
    const auto words = in_capitals(statement);
    const auto set = words.find(" SET ");
    if (!words.starts_with(begin) || set == std::string::npos || set < begin.size())
        return refused(102);
    auto name = statement.substr(begin.size(), set - begin.size());
    if (name.size() > 2 && name.front() == '[' && name.back() == ']')
        name = name.substr(1, name.size() - 2);
    if (name != rules.database)
        return refused(5011);
    const std::string_view what =
        std::string_view(words).substr(set + std::string_view(" SET ").size());
    const auto which = place(at);
    if (what == "PARTNER FAILOVER")
        return fail_over(which);
    if (what == "PARTNER FORCE_SERVICE_ALLOW_DATA_LOSS")
        return force_service(which);
    if (what == "PARTNER SUSPEND")
        return suspend(which);
    if (what == "PARTNER RESUME")
        return resume(which);
    if (what == "PARTNER SAFETY FULL" || what == "PARTNER SAFETY OFF")
        return set_safety(which, what.ends_with("FULL"));
    constexpr std::string_view timeout = "PARTNER TIMEOUT ";
    if (what.starts_with(timeout))
        return set_timeout(what.substr(timeout.size()));
    if (what == "WITNESS OFF" || what.starts_with("WITNESS = "))
        return set_witness(what != "WITNESS OFF");
    if (what == "READ_ONLY" || what == "READ_WRITE") {
        for (auto& one : nodes)
            one.read_only = what == "READ_ONLY";
        return {};
    }
    return refused(1415);
}

// The mirror or the witness knows from now on that the mirror may lack what is acknowledged.
bool database_mirroring::unprotect(std::size_t which) {
    const auto mirror = 1 - which;
    const bool mirror_told = talk(which, mirror);
    if (mirror_told)
        partners[mirror].state = partners[which].state = mirroring_state::synchronizing;
    const bool witness_told = has_witness && talk(which, witness) && note_down(which);
    if (witness_told)
        noted.synchronized = false;
    return mirror_told || witness_told || !has_witness;
}

// C36: FULL, SYNCHRONIZED and connected.
expected<void> database_mirroring::fail_over(std::size_t which) {
    auto& mine = partners[which];
    const auto mirror = 1 - which;
    if (nodes[which].in_recovery)
        return refused(1470);
    if (!mine.full)
        return refused(1477);
    if (!talk(which, mirror))
        return refused(1447);
    if (!mine.serves || mine.state != mirroring_state::synchronized || !nodes[mirror].streaming)
        return refused(1422);
    mine.state = partners[mirror].state = mirroring_state::pending_failover;
    mine.serves = false;
    ++count.demotions;
    kill_sessions(nodes[which]);
    hand_over(which);
    return {};
}

// Once the mirror has the tail of the log.
void database_mirroring::hand_over(std::size_t which) {
    work(nodes[which], reaction, [this, which] {
        const auto mirror = 1 - which;
        if (partners[which].state != mirroring_state::pending_failover)
            return; // The partner was lost meanwhile.
        pump(nodes[which]);
        const bool all_there = nodes[mirror].log.size() == nodes[which].log.size();
        if (all_there && talk(which, mirror))
            swap_roles(which);
        else
            hand_over(which);
    });
}

void database_mirroring::swap_roles(std::size_t which) {
    const auto next = 1 - which;
    partners[next].state = mirroring_state::synchronized; // As it stays, for promote().
    promote(next);
    nodes[which].in_recovery = true;
    nodes[which].synchronous = false;
    nodes[next].synchronous = true;
    stream(which);
    nodes[which].timeline = nodes[next].timeline;
    partners[which].state = mirroring_state::synchronized;
    if (has_witness && talk(next, witness))
        note_down(next);
}

// C37: the principal is lost to this partner, and to the witness where there is one.
expected<void> database_mirroring::force_service(std::size_t which) {
    const auto principal = 1 - which;
    const bool principal_lost = !contacts[which][principal].connected;
    const bool witness_agrees =
        !has_witness || (talk(which, witness) && !contacts[witness][principal].connected &&
                         noted.sequence <= nodes[which].timeline);
    if (!nodes[which].in_recovery || !principal_lost || !witness_agrees)
        return refused(1455);
    if (has_witness)
        noted = {nodes[which].timeline + 1, false};
    promote(which);
    partners[which].suspended = true; // C38
    partners[which].state = mirroring_state::suspended;
    return {};
}

expected<void> database_mirroring::suspend(std::size_t which) {
    const auto lead = nodes[which].in_recovery ? 1 - which : which;
    if (lead != which && (!talk(which, lead) || nodes[lead].in_recovery))
        return refused(1447);
    if (!unprotect(lead))
        return refused(1421);
    partners[lead].suspended = true;
    end_streams();
    for (auto& one : partners)
        if (one.state == mirroring_state::synchronizing)
            one.state = mirroring_state::suspended;
    set_synchronous(nodes[lead], false);
    return {};
}

expected<void> database_mirroring::resume(std::size_t which) {
    const auto lead = nodes[which].in_recovery ? 1 - which : which;
    if (nodes[lead].in_recovery || !talk(which, 1 - which))
        return refused(1447);
    partners[lead].suspended = false;
    nudge(lead);
    return {};
}

expected<void> database_mirroring::set_safety(std::size_t which, bool full) {
    auto& mine = partners[which];
    if (nodes[which].in_recovery)
        return refused(1470);
    if (mine.full == full)
        return {};
    if (!full && !unprotect(which))
        return refused(1421);
    mine.full = full;
    if (connected(which, 1 - which))
        partners[1 - which].full = full;
    if (!full)
        set_synchronous(nodes[which], false);
    check_synchronized(which);
    return {};
}

expected<void> database_mirroring::set_witness(bool there) {
    if (there == has_witness)
        return {};
    if (!connected(0, 1) ||
        (there && !(awake(witness) && partners[0].state == mirroring_state::synchronized)))
        return refused(there ? 1426 : 1431);
    has_witness = there;
    if (!there)
        return {};
    const auto lead = nodes[0].in_recovery ? 1U : 0U;
    noted = {nodes[lead].timeline, nodes[lead].synchronous};
    return {};
}

expected<void> database_mirroring::set_timeout(std::string_view seconds) {
    int value = 0;
    const auto [end, error] =
        std::from_chars(seconds.data(), seconds.data() + seconds.size(), value);
    if (error != std::errc{} || end != seconds.data() + seconds.size() || value < 0)
        return refused(102);
    if (value > timeout_most)
        return refused(1476);
    partner_timeout = std::chrono::seconds(std::max(value, timeout_least));
    return {};
}

// What a test does.

bool database_mirroring::perform_failover() {
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (awake(i) && !nodes[i].in_recovery && fail_over(i))
            return true;
    return false;
}

void database_mirroring::promote_apart(node& at) {
    if (!force_service(place(at)))
        bug_in_test(std::string(to_string(at.which)) + " is in no state to be forced into service");
}

void database_mirroring::rebuilt(node& lead) {
    noted = {1, false};
    other(lead).in_recovery = true; // Mirroring is set up anew, from this server.
    for (auto& one : partners)
        one.suspended = one.eligible = false;
}

void database_mirroring::healed() {
    has_witness = rules.has_witness;
    partner_timeout = rules.partner_timeout;
    for (std::size_t i = 0; i < partners.size(); ++i) {
        partners[i].full = rules.safety_full;
        partners[i].suspended = nodes[i].read_only = false;
        nudge(i);
    }
    for (std::size_t i = 0; i < partners.size(); ++i)
        if (!nodes[i].in_recovery)
            check_synchronized(i); // Without a commit nothing else would come to confirm it.
}

}

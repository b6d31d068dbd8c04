// SPDX-License-Identifier: Apache-2.0
#include "testing/simulation.hpp"

#include <algorithm>

namespace hadr::inline v0::testing {

namespace {

// A message in 64 bits, so that a timer for it allocates nothing: number, kind, connection or site.
constexpr unsigned number_bits = 32;
constexpr unsigned kind_bits = 8;

constexpr std::uint64_t pack(message what, std::uint32_t whose, std::uint32_t number) noexcept {
    return (static_cast<std::uint64_t>(whose) << (number_bits + kind_bits)) |
           (static_cast<std::uint64_t>(what) << number_bits) | number;
}

constexpr message kind_of(std::uint64_t packed) noexcept {
    return static_cast<message>((packed >> number_bits) & 0xFFU);
}

constexpr std::uint32_t whose(std::uint64_t packed) noexcept {
    return static_cast<std::uint32_t>(packed >> (number_bits + kind_bits));
}

constexpr std::uint32_t number_of(std::uint64_t packed) noexcept {
    return static_cast<std::uint32_t>(packed);
}

constexpr bool between_servers(message what) noexcept {
    return what == message::records || what == message::confirmed || what == message::stream_ended;
}

constexpr bool to_client(message what) noexcept {
    return what == message::login_answer || what == message::answer || what == message::push ||
           what == message::closed;
}

constexpr bool local_step(message what) noexcept {
    return what == message::run || what == message::show || what == message::reply ||
           what == message::admit;
}

constexpr duration retransmission = std::chrono::milliseconds(20);
constexpr int retransmissions_max = 5;

}

bool simulated_store::impl::open_between(site a, site b) const noexcept {
    return !way(a, b).cut && !way(b, a).cut;
}

duration simulated_store::impl::transit(site from, site to) {
    const auto& over_link = way(from, to);
    auto takes = over_link.delay;
    auto again = retransmission;
    for (int i = 0; i < retransmissions_max && over_link.loss > 0 &&
                    static_cast<int>(chance.below(100)) < over_link.loss;
         ++i, again *= 2)
        takes += again;
    return takes;
}

void simulated_store::impl::schedule(std::uint64_t packed, duration after) {
    world.later(after, [this, packed] { arrive(packed); });
}

// In order on each connection, whatever the delay of the link became.
void simulated_store::impl::send(wire& on, message what, std::uint32_t number) {
    const bool home = to_client(what);
    const auto from = home ? on.with : site::client;
    const auto to = home ? site::client : on.with;
    auto& last = home ? on.to_client : on.to_server;
    last = std::max(last, world.now() + transit(from, to));
    ++on.held;
    schedule(pack(what, on.id, number), last - world.now());
}

void simulated_store::impl::soon(wire& on, message what, duration after) {
    ++on.held;
    schedule(pack(what, on.id, on.serving), after);
}

void simulated_store::impl::between(site from, message what, std::uint32_t number) {
    const auto to = from == site::one ? site::two : site::one;
    schedule(pack(what, static_cast<std::uint32_t>(from), number), transit(from, to));
}

void simulated_store::impl::arrive(std::uint64_t packed) {
    const auto what = kind_of(packed);
    if (local_step(what)) {
        handle(packed);
        return;
    }
    auto from = site::client;
    auto to = site::client;
    if (on_message && !between_servers(what))
        on_message();
    if (between_servers(what)) {
        from = static_cast<site>(whose(packed));
        to = from == site::one ? site::two : site::one;
    } else {
        (to_client(what) ? from : to) = wires[whose(packed)].with;
    }
    auto& over_link = way(from, to);
    if (over_link.cut)
        over_link.kept.push_back(packed);
    else
        handle(packed);
}

void simulated_store::impl::mend(site from, site to) {
    auto& over_link = way(from, to);
    over_link.cut = false;
    for (const auto packed : std::exchange(over_link.kept, {}))
        schedule(packed, transit(from, to));
}

void simulated_store::impl::handle(std::uint64_t packed) {
    const auto what = kind_of(packed);
    if (over)
        return;
    if (between_servers(what)) {
        const auto from = static_cast<site>(whose(packed));
        auto& at = of(from == site::one ? site::two : site::one);
        if (at.frozen)
            at.deferred.push_back(packed);
        else if (what == message::records)
            take_records(at, number_of(packed));
        else if (what == message::confirmed)
            take_confirmation(at, number_of(packed));
        else
            end_stream(at, number_of(packed));
        return;
    }
    auto& on = wires[whose(packed)];
    const bool witness = on.with == site::witness;
    const bool frozen = witness ? witness_frozen : served_by(on).frozen;
    if (frozen && !to_client(what)) {
        (witness ? witness_deferred : served_by(on).deferred).push_back(packed);
        return;
    }
    --on.held;
    switch (what) {
    case message::login: admit(on); break;
    case message::admit: decide_login(on); break;
    case message::statement: receive(on, number_of(packed)); break;
    case message::run: run(on, number_of(packed)); break;
    case message::show: show(on); break;
    case message::reply: answer_commit(on); break;
    case message::goodbye: hang_up(on); break;
    case message::login_answer:
        if (on.dialing != nullptr)
            world.unpark(on.dialing);
        else
            hang_up(on);
        break;
    case message::answer:
        if (on.client != nullptr && !on.severed && number_of(packed) == on.number) {
            on.answered = true;
            if (!on.token.empty() && on.how)
                step(commit_step::answer_received, site::client, on.token);
            if (on.client != nullptr)
                tell_client(*on.client, readiness::readable);
        }
        break;
    case message::push:
        if (on.client != nullptr)
            tell_client(*on.client, readiness::readable);
        break;
    case message::closed: lose(on); break;
    case message::records:
    case message::confirmed:
    case message::stream_ended: break;
    }
    recycle(on);
}

wire& simulated_store::impl::new_wire(site with, bool stranger, purpose why) {
    std::uint32_t id = 0;
    if (free_wires.empty()) {
        id = static_cast<std::uint32_t>(wires.size());
        wires.emplace_back();
    } else {
        id = free_wires.back();
        free_wires.pop_back();
        wires[id] = wire{};
    }
    auto& made = wires[id];
    made.id = id;
    made.with = with;
    made.stranger = stranger;
    made.why = why;
    if (why == purpose::lend || why == purpose::warm) {
        made.counted = true;
        ++client_sessions[static_cast<std::size_t>(with)];
        login_times[static_cast<std::size_t>(with)].push_back(world.now());
    }
    ++count.logins;
    return made;
}

void simulated_store::impl::drop_count(wire& of) noexcept {
    if (of.counted)
        --client_sessions[static_cast<std::size_t>(of.with)];
    of.counted = false;
}

void simulated_store::impl::recycle(wire& of) {
    if (of.free || of.client != nullptr || of.dialing != nullptr || of.served || of.held != 0)
        return;
    of.free = true;
    free_wires.push_back(of.id);
}

// The client hears that its session is gone.
void simulated_store::impl::lose(wire& on) {
    on.ended = true;
    if (on.dialing != nullptr) {
        if (!on.admitted)
            on.admitted = make_failure(
                errc::unreachable,
                advice::retry,
                to_string(simulated_store::at(on.with, rules.kind)) + " closed the connection"
            );
        world.unpark(on.dialing);
    } else if (on.client != nullptr) {
        tell_client(*on.client, readiness::readable | readiness::hangup);
    }
}

// The server hears that its client is gone; what it works on it ends first.
void simulated_store::impl::hang_up(wire& on) {
    on.client_gone = true;
    if (on.served && on.serving == 0)
        end_backend(on);
}

}

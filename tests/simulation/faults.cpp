// SPDX-License-Identifier: Apache-2.0
#include "simulation/faults.hpp"

#include "core/mark.hpp"

#include <stdexcept>

namespace hadr::test {

using testing::site;

namespace {

constexpr int looks_max = 60;
constexpr duration look = 4ms;
constexpr duration step_patience = 50ms;

site other_server(site one) {
    return one == site::one ? site::two : site::one;
}

}

chaos::chaos(
    testing::manual_world& in,
    testing::simulated_store& on,
    const std::vector<fault>& what,
    std::function<void(const fault&)> told
)
    : world_(in)
    , store_(on)
    , what_(what)
    , told_(std::move(told)) {}

void chaos::message_arrives() {
    if (!begun_)
        return;
    ++messages_;
    if (!over() && what_[next_].message == messages_)
        apply(next_);
}

void chaos::begin() {
    begun_ = true;
    if (!over() && what_[next_].message == 0)
        world_.later(what_[next_].after, [this] { wait_for(next_, looks_max); });
}

void chaos::wait_for(std::size_t which, int patience) {
    if (healed_ || next_ != which)
        return;
    if (what_[which].when_protected && !store_.protected_now() && patience > 0) {
        world_.later(look, [this, which, patience] { wait_for(which, patience - 1); });
        return;
    }
    arm(which);
}

void chaos::arm(std::size_t which) {
    if (!what_[which].step) {
        apply(which);
        return;
    }
    store_.when(*what_[which].step, [this, which] { apply(which); });
    world_.later(step_patience, [this, which] { apply(which); });
}

void chaos::apply(std::size_t which) {
    if (healed_ || next_ != which)
        return;
    const auto& one = what_[which];
    told_(one);
    if (const auto undo = carry_out(one, place(one.at)))
        world_.later(one.lasts, [this, undo] {
            if (healed_)
                return;
            try {
                undo();
            } catch (const std::logic_error&) {
                // Another fault's end has undone it already.
            }
        });
    ++next_;
    begin();
}

site chaos::place(aim which) const {
    if (which == aim::witness)
        return site::witness;
    const auto named = store_.named();
    const auto lead = named != site::client                 ? named
                      : store_.state(site::one).in_recovery ? site::two
                                                            : site::one;
    return which == aim::primary ? lead : other_server(lead);
}

std::function<void()> chaos::cut(site from, site to) {
    try {
        store_.cut(from, to);
    } catch (const std::logic_error&) {
        return nullptr; // It is cut already, by a fault before.
    }
    return [this, from, to] { store_.mend(from, to); };
}

std::function<void()> chaos::close_door(site at, testing::simulated_store::door how) {
    store_.set_door(at, how);
    return [this, at] { store_.set_door(at, testing::simulated_store::door::open); };
}

std::function<void()> chaos::carry_out(const fault& one, site at) {
    const auto far = one.to_client ? site::client : place(one.other);
    const auto from = one.outward ? at : far;
    const auto to = one.outward ? far : at;
    switch (one.what) {
    case fault_kind::cut: return cut(from, to);
    case fault_kind::split: {
        const auto first = cut(from, to);
        const auto second = cut(to, from);
        return [first, second] {
            if (first)
                first();
            if (second)
                second();
        };
    }
    case fault_kind::reset: store_.reset(site::client, at); return nullptr;
    case fault_kind::delay:
        store_.set_delay(from, to, one.amount * 1ms);
        return [this, from, to] { store_.set_delay(from, to, 500us); };
    case fault_kind::loss:
        store_.set_loss(from, to, one.amount);
        return [this, from, to] { store_.set_loss(from, to, 0); };
    case fault_kind::slow:
        store_.set_answer_time(at, one.amount * 1ms);
        return [this, at] { store_.set_answer_time(at, 200us); };
    case fault_kind::full: return close_door(at, testing::simulated_store::door::full);
    case fault_kind::starting: return close_door(at, testing::simulated_store::door::starting);
    case fault_kind::locked: return close_door(at, testing::simulated_store::door::locked);
    case fault_kind::kill:
    case fault_kind::kill_server:
    case fault_kind::kill_keeper:
    case fault_kind::freeze:
    case fault_kind::stale:
    case fault_kind::switch_over:
    case fault_kind::cancel_waiting:
    case fault_kind::names_lost:
    case fault_kind::names_dead:
    case fault_kind::pause:
    case fault_kind::rebuild:
    case fault_kind::promote_apart:
    case fault_kind::stranger: break;
    }
    return strike(one, at);
}

std::function<void()> chaos::strike(const fault& one, site at) {
    try {
        switch (one.what) {
        case fault_kind::kill: store_.kill(at); return [this, at] { store_.restart(at); };
        case fault_kind::kill_keeper:
            store_.kill_keeper(at);
            return [this, at] { store_.restart(at); };
        case fault_kind::kill_server: store_.kill_server(at); break;
        case fault_kind::freeze: store_.freeze(at); return [this, at] { store_.thaw(at); };
        case fault_kind::stale: store_.set_stale(true); return [this] { store_.set_stale(false); };
        case fault_kind::switch_over: store_.switch_over(); break;
        case fault_kind::cancel_waiting: store_.cancel_waiting(at); break;
        case fault_kind::names_lost: world_.set_name(std::string(to_string(at)), {}); break;
        case fault_kind::names_dead:
            world_.set_name(
                std::string(to_string(at)),
                {{"10.0.0.9", "10.0.0." + std::to_string(static_cast<int>(at))}, 1ms}
            );
            break;
        case fault_kind::pause:
            world_.pause(one.lasts);
            paused_until_ = world_.now() + one.lasts;
            break;
        case fault_kind::rebuild: store_.rebuild(std::to_string(8'000'000 + ++rebuilt_)); break;
        case fault_kind::promote_apart: return promote_apart(at);
        case fault_kind::stranger:
            store_.rebind(at, true);
            core::mark<"a name leads to another cluster">();
            return [this, at] { store_.rebind(at, false); };
        case fault_kind::cut:
        case fault_kind::split:
        case fault_kind::reset:
        case fault_kind::delay:
        case fault_kind::loss:
        case fault_kind::slow:
        case fault_kind::full:
        case fault_kind::starting:
        case fault_kind::locked: break;
        }
    } catch (const std::logic_error&) {
        // The store is in no state for it, from a fault before: nothing is done.
    }
    return nullptr;
}

std::function<void()> chaos::promote_apart(site at) {
    if (store_.state(at).running && !store_.state(at).in_recovery && store_.named() == at)
        return nullptr; // It need not be.
    store_.kill(at);
    store_.promote_apart(at);
    apart_ = true;
    if (store_.state(at).timeline == store_.state(other_server(at)).timeline)
        core::mark<"promoted apart to the label of another">();
    else
        core::mark<"promoted apart">();
    return [this, at] { store_.restart(at); };
}

void chaos::heal() {
    healed_ = true;
    store_.heal();
    for (const auto at : {site::one, site::two, site::witness})
        world_.set_name(
            std::string(to_string(at)), {{"10.0.0." + std::to_string(static_cast<int>(at))}, 100us}
        );
}

}

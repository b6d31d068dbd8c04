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
    const plan& of,
    std::function<void(const fault&, bool at_step)> told
)
    : world_(in)
    , store_(on)
    , what_(of.faults)
    , calm_(of.engine)
    , told_(std::move(told)) {}

void chaos::message_arrives() {
    if (!begun_)
        return;
    ++messages_;
    if (!over() && what_[next_].message == messages_)
        apply(next_, false);
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
        apply(which, false);
        return;
    }
    store_.when(*what_[which].step, [this, which] { apply(which, true); });
    world_.later(step_patience, [this, which] { apply(which, false); });
}

void chaos::apply(std::size_t which, bool at_step) {
    if (healed_ || next_ != which)
        return;
    const auto& one = what_[which];
    const auto how = carry_out(one, place(one.at));
    if (how.done)
        told_(one, at_step);
    if (how.undo)
        world_.later(one.lasts, [this, undo = how.undo] {
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

chaos::deed chaos::cut(site from, site to) {
    try {
        store_.cut(from, to);
    } catch (const std::logic_error&) {
        return {}; // It is cut already, by a fault before.
    }
    return {true, [this, from, to] { store_.mend(from, to); }};
}

chaos::deed chaos::close_door(site at, testing::simulated_store::door how) {
    store_.set_door(at, how);
    return {true, [this, at] { store_.set_door(at, testing::simulated_store::door::open); }};
}

chaos::deed chaos::carry_out(const fault& one, site at) {
    const auto far = one.to_client ? site::client : place(one.other);
    const auto from = one.outward ? at : far;
    const auto to = one.outward ? far : at;
    switch (one.what) {
    case fault_kind::cut: return cut(from, to);
    case fault_kind::split: {
        const auto first = cut(from, to);
        const auto second = cut(to, from);
        return {first.done || second.done, [first, second] {
                    if (first.undo)
                        first.undo();
                    if (second.undo)
                        second.undo();
                }};
    }
    case fault_kind::reset: return {store_.reset(site::client, at) > 0};
    case fault_kind::delay:
    case fault_kind::loss:
    case fault_kind::slow: return slow_down(one, from, to);
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
    case fault_kind::stranger:
    case fault_kind::suspend:
    case fault_kind::safety_off:
    case fault_kind::witness_off: break;
    }
    try {
        return strike(one, at);
    } catch (const std::logic_error&) {
        return {}; // The store is in no state for it, from a fault before: nothing is done.
    }
}

chaos::deed chaos::slow_down(const fault& one, site from, site to) {
    if (one.what == fault_kind::delay) {
        store_.set_delay(from, to, one.amount * 1ms);
        return {one.amount * 1ms > calm_.link_delay, [this, from, to] {
                    store_.set_delay(from, to, calm_.link_delay);
                }};
    }
    if (one.what == fault_kind::loss) {
        store_.set_loss(from, to, one.amount);
        return {one.amount > 0, [this, from, to] { store_.set_loss(from, to, 0); }};
    }
    const auto at = place(one.at);
    store_.set_answer_time(at, one.amount * 1ms);
    return {true, [this, at] { store_.set_answer_time(at, calm_.answer_time); }};
}

chaos::deed chaos::strike(const fault& one, site at) {
    switch (one.what) {
    case fault_kind::kill: store_.kill(at); return {true, [this, at] { store_.restart(at); }};
    case fault_kind::kill_keeper:
        store_.kill_keeper(at);
        return {true, [this, at] { store_.restart(at); }};
    case fault_kind::kill_server: store_.kill_server(at); return {true};
    case fault_kind::freeze: store_.freeze(at); return {true, [this, at] { store_.thaw(at); }};
    case fault_kind::cancel_waiting: return {store_.cancel_waiting(at) > 0};
    case fault_kind::names_lost: world_.set_name(std::string(to_string(at)), {}); return {true};
    case fault_kind::names_dead:
        world_.set_name(
            std::string(to_string(at)),
            {{"10.0.0.9", "10.0.0." + std::to_string(static_cast<int>(at))}, 1ms}
        );
        return {true};
    case fault_kind::promote_apart: return promote_apart(at);
    case fault_kind::stranger:
        store_.rebind(at, true);
        core::mark<"a name leads to another cluster">();
        return {true, [this, at] { store_.rebind(at, false); }};
    case fault_kind::suspend:
    case fault_kind::safety_off:
    case fault_kind::witness_off: return administer(one.what, at);
    case fault_kind::stale:
    case fault_kind::switch_over:
    case fault_kind::pause:
    case fault_kind::rebuild: return strike_whole(one);
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
    return {};
}

chaos::deed chaos::strike_whole(const fault& one) {
    if (one.what == fault_kind::stale) {
        store_.set_stale(true);
        return {true, [this] { store_.set_stale(false); }};
    }
    if (one.what == fault_kind::switch_over)
        return {store_.switch_over()};
    if (one.what == fault_kind::pause) {
        world_.pause(one.lasts);
        paused_until_ = world_.now() + one.lasts;
        return {true};
    }
    const auto number = std::to_string(8'000'000 + rebuilt_ + 1);
    store_.rebuild(
        calm_.kind == engine::sql_server ? "00000000-0000-0000-0000-00000" + number : number
    );
    ++rebuilt_;
    return {true};
}

// By statements of SQL Server's.
chaos::deed chaos::administer(fault_kind what, site at) {
    const auto say = [this](site where, std::string_view words) {
        return store_.administer(where, "ALTER DATABASE [d] SET " + std::string(words)).has_value();
    };
    const auto undone = [this, say](std::string_view words) {
        return [this, say, words] {
            for (const auto where : {site::one, site::two})
                if (store_.state(where).running && !store_.state(where).frozen)
                    say(where, words);
        };
    };
    if (what == fault_kind::suspend && say(at, "PARTNER SUSPEND")) {
        core::mark<"mirroring suspended">();
        return {true, undone("PARTNER RESUME")};
    }
    if (what == fault_kind::safety_off && say(at, "PARTNER SAFETY OFF")) {
        core::mark<"safety off">();
        return {true, undone("PARTNER SAFETY FULL")};
    }
    if (what == fault_kind::witness_off && say(at, "WITNESS OFF"))
        return {true, undone("WITNESS = 'TCP://witness:5022'")};
    return {};
}

// Nothing takes over from a principal that is lost while it is suspended: an administrator does.
chaos::deed chaos::force_service(site at) {
    const auto lead = store_.state(at).in_recovery ? other_server(at) : at;
    const auto mirror = other_server(lead);
    if (!administer(fault_kind::suspend, lead).done)
        return {};
    store_.kill(lead);
    world_.later(calm_.partner_timeout + calm_.ping_period, [this, mirror] {
        if (healed_)
            return;
        try {
            before_force_(mirror);
            store_.promote_apart(mirror);
            apart_ = true;
            core::mark<"service forced">();
        } catch (const std::logic_error&) {
            // The principal is back, or nobody agrees.
        }
    });
    return {true, [this, lead] { store_.restart(lead); }};
}

chaos::deed chaos::promote_apart(site at) {
    if (calm_.kind == engine::sql_server)
        return force_service(at);
    if (store_.state(at).running && !store_.state(at).in_recovery && store_.named() == at)
        return {}; // It need not be.
    store_.kill(at);
    store_.promote_apart(at);
    apart_ = true;
    if (store_.state(at).timeline == store_.state(other_server(at)).timeline)
        core::mark<"promoted apart to the label of another">();
    else
        core::mark<"promoted apart">();
    return {true, [this, at] { store_.restart(at); }};
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

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/schedule_point.hpp"
#include "core/statement_class.hpp"
#include "core/storm.hpp"
#include "runtime/reactor.hpp"
#include "runtime/watcher.hpp"

#include <hadr/driver.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hadr::inline v0::runtime {

class store;
class server_pool;

enum class slot_state : std::uint32_t {
    empty,
    opening, ///< A login is under way.
    busy,    ///< The reactor's agent works on it: proves, resets or closes it.
    idle,
    lent,
};

/// What a session waits for.
enum class session_use {
    write,
    read,
    warm, ///< On a standby, for its promotion; has no epoch (rulings 6).
};

/// A number that gives the right to a session, and what it was before anything was taken.
struct stamp {
    const std::atomic<std::uint64_t>& number;
    std::uint64_t needed;
};

enum class attempt {
    taken,
    unfit,  ///< As seen from outside; left as it was.
    spoilt, ///< As seen once it was taken: now lent, and to be set aside.
};

/// One place for a session. The state says who owns the rest: the lease while lent, else the
/// reactor's agent. The stamps change only while busy; a mismatch with the store's numbers makes a
/// session unlendable. What a hand-out touches comes first, in one line of the cache.
struct alignas(64) slot final : descriptor_handler {
    std::atomic<slot_state> state{slot_state::empty};
    bool dirty = false; ///< To be reset before it is idle again (rulings 7).
    bool in_transaction = false;
    bool broken = false; ///< Not to be lent again.
    std::atomic<bool> hung_up{false};
    std::atomic<std::uint64_t> acceptance{0}; ///< Of the epoch it may write in, or 0.
    std::atomic<std::uint64_t> reading{0};    ///< Of the role it may read from, or 0.
    std::atomic<std::uint64_t> kept{0};       ///< Its acceptance while only readers have it, or 0.
    std::atomic<std::uint64_t> ticket{0};     ///< How often it was lent.
    server_pool* home = nullptr;

    std::shared_ptr<session> wire; ///< Shared with a cancel request under way only.
    std::uint64_t generation = 0;
    std::shared_ptr<dial> dialing;   ///< While opening.
    std::shared_ptr<driver> through; ///< What opened the session.
    /// The ticket of the lending in which transact() began one; likewise, in which that has ended
    /// before its COMMIT; and in which something may have been committed since a transaction began
    /// last.
    std::uint64_t began_in = 0;
    std::uint64_t over_in = 0;
    std::uint64_t committed_in = 0;
    std::uint64_t native_in = 0;    ///< Of the lending in which the native handle was taken.
    advice after = advice::give_up; ///< Of what ended it.
    std::string classified; ///< The last text of moderate length, and what it was found to be.
    core::statement_class found{};

    session_use use = session_use::write;
    time_point born;
    time_point retires;
    time_point idle_since;
    time_point lent_since; ///< When the sweep first saw seen_ticket lent.
    std::uint64_t seen_ticket = 0;
    bool leak_told = false;
    bool cut = false; ///< In a replaced pool, and its server lost the reign since.
    int watched = -1;
    reactor::timer hold{}; ///< Cuts the lease that is held for too long (rulings 8).
    slot* aside = nullptr; ///< The next one in the store's list of those set aside.

    void ready(readiness what) override;

    /// The number of this lending, which no other has.
    std::uint64_t lending() const noexcept { return ticket.load(std::memory_order_relaxed); }

    /// Makes an idle one lent whose stamp is the number. Any agent.
    template <std::atomic<std::uint64_t> slot::*Stamp>
    [[gnu::always_inline]] attempt take(const stamp& by) noexcept {
        if (state.load(std::memory_order_relaxed) != slot_state::idle ||
            (this->*Stamp).load(std::memory_order_relaxed) != by.needed)
            return attempt::unfit;
        core::schedule_point();
        auto expected_state = slot_state::idle;
        if (!state.compare_exchange_strong(expected_state, slot_state::lent))
            return attempt::unfit;
        core::schedule_point();
        if ((this->*Stamp).load() != by.needed || hung_up.load(std::memory_order_relaxed))
            return attempt::spoilt;
        core::schedule_point();
        // E1: judged last; the publisher raised the number before it revoked.
        if (by.number.load() != by.needed)
            return attempt::spoilt;
        const auto lent = ticket.load(std::memory_order_relaxed);
        ticket.store(lent + 1, std::memory_order_relaxed); // Ours alone to write now.
        return attempt::taken;
    }

    /// The acceptance number of the session, whoever may have it now; 0 if it has none.
    std::uint64_t reign() const noexcept {
        const auto writes = acceptance.load();
        return writes != 0 ? writes : kept.load();
    }
};

/// The sessions of one store with one server; never more than its slots (P2).
class server_pool {
public:
    server_pool(store& of, std::size_t member, endpoint at, std::size_t sessions_max);

    /// An idle session whose stamp is the store's number, now lent; null if there is none. Any
    /// agent; allocates nothing and reads no clock. The search begins at the agent's own place.
    slot* take_for_write(const std::atomic<std::uint64_t>& number, std::size_t place) noexcept {
        const auto needed = number.load();
        return needed == 0 ? nullptr : take<&slot::acceptance>({number, needed}, place);
    }
    /// One of the writer's that was made read-only for a reader (E7).
    slot* take_restrained(const std::atomic<std::uint64_t>& number) noexcept {
        const auto needed = number.load();
        return needed == 0 ? nullptr : take<&slot::kept>({number, needed}, 0);
    }
    slot* take_for_read(std::size_t place) noexcept {
        const auto needed = reading.load();
        return needed % 2 == 0 ? nullptr : take<&slot::reading>({reading, needed}, place);
    }

    /// Where an agent begins its search, so that agents do not meet.
    [[gnu::always_inline]] slot& near(std::size_t place) noexcept {
        // A division would cost as much as the exchange.
        return slots_[place < size_ ? place : place % size_];
    }

    std::size_t place_of(const slot& one) const noexcept {
        return static_cast<std::size_t>(&one - slots_.get());
    }

    /// Slots in the given state; with a use, those alone. A snapshot.
    int count(slot_state in) const noexcept;
    int count(slot_state in, session_use for_use) const noexcept;
    int count_not(slot_state in) const noexcept;
    /// Idle ones that may write under that number, some after they were made to again.
    int lendable(std::uint64_t acceptance) const noexcept;
    slot* empty_slot() noexcept;
    /// Whether any session is open, whoever has it now.
    bool any_open() const noexcept;

    /// Why nobody should log in here for a while: its own refusal, or its watcher's.
    const std::optional<failure>& blocked() const noexcept {
        return refused_login ? refused_login : watched_by->blocked();
    }
    /// No session can be opened, and none would be found dead if asked for. Any agent.
    bool full() const noexcept;

    std::span<slot> slots() noexcept { return {slots_.get(), size_}; }

    store& of;
    const endpoint at;
    std::size_t member;
    std::shared_ptr<const profile> with;

    std::atomic<std::uint64_t> reading{
        0}; ///< Even: no reads here now. Grows with every change of role.
    std::uint64_t generation = 1;
    bool retired = false;
    bool ruled_for = false;     ///< An operator accepted what it shows: its name is resolved anew.
    std::optional<epoch> reign; ///< Retired: the one its lent sessions may write in.
    core::bucket connects{};
    int failures = 0;
    std::optional<failure> refused_login; ///< Not repeated for watcher::block_time (F26).
    std::optional<failure> login_failed;  ///< The last one, if it did.
    reactor::timer unblock{};
    bool took_a_login = false;
    std::optional<time_point> doubted; ///< Of late, and its watcher has had no answer since.
    time_point not_before = time_point::min();
    std::shared_ptr<watcher> watched_by;
    watcher::subscriber subscription;

private:
    // From the first on after that, since few sessions are in the first slots.
    template <std::atomic<std::uint64_t> slot::*Stamp>
    slot* take(const stamp& by, std::size_t place) noexcept {
        if (take_one<Stamp>(near(place), by))
            return &near(place);
        for (auto& one : slots())
            if (take_one<Stamp>(one, by))
                return &one;
        return nullptr;
    }

    template <std::atomic<std::uint64_t> slot::*Stamp>
    static bool take_one(slot& one, const stamp& by) noexcept {
        const auto how = one.take<Stamp>(by);
        if (how == attempt::spoilt)
            refuse(one);
        return how == attempt::taken;
    }

    static void refuse(slot& spoilt) noexcept;

    std::unique_ptr<slot[]> slots_;
    std::size_t size_;
};

}

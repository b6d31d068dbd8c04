// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/answer.hpp>
#include <hadr/expected.hpp>
#include <hadr/operation.hpp>
#include <hadr/topology.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hadr::inline v0 {

/// Whom a question is for, or whom news is of: a member by its index in the topology, or the
/// witness.
struct subject {
    enum class kind : unsigned char {
        member,
        witness,
    };
    kind what = kind::member;
    std::size_t index = 0;

    friend bool operator==(const subject&, const subject&) = default;
};

/// A statement to be put to a server, over the library's own session with it.
struct inquiry {
    subject to;
    std::string text; ///< One statement; read-only, cheap enough for every few milliseconds.
    std::string
        listens; ///< Statement run once after each login, before text; e.g. LISTEN. May be empty.
    time_point due;   ///< Now or past: ask. One inquiry of a subject is under way at a time.
    duration limit{}; ///< How long to wait, login included.
    /// Due keeps logins that fail apart: no backoff on top. Refused credentials wait all the same.
    bool paced = false;
};

/// What to do until the next event.
struct plan {
    std::vector<inquiry> ask; ///< At most one for each subject; others are asked nothing.
    time_point wake;          ///< When next() must be called again if nothing happens.
};

/// The answer to an inquiry, or why there was none.
struct answered {
    subject of;
    time_point asked;           ///< When the question left: orders evidence (rulings 3).
    std::uint64_t sequence = 0; ///< Grows with asked, over all subjects of a store.
    time_point seen;            ///< When the answer came: for round trips only.
    std::variant<answer, failure> what;
};

/// A message the server sent unasked. A hint to ask, never a proof.
struct pushed {
    subject of;
    time_point seen;
    std::string channel;
    std::string payload;
};

/// What a session for applications met: the answer to proof() after its login, or its failure.
struct reported {
    std::size_t member = 0;
    time_point asked;
    std::uint64_t sequence = 0;
    std::variant<answer, failure> what;
};

/// A statement is older than 10 ms, or a session of the member's broke (rulings 14).
struct suspected {
    enum class cause {
        broken,
        slow, ///< A slow query alone is no fault: nothing hurries while the member answers.
    };
    std::size_t member = 0;
    time_point seen;
    cause why = cause::broken;
};

/// What a former process of this store left in State_File.
struct remembered {
    epoch highest; ///< No lineage if the file is there and cannot be read: something is forgotten.
    std::vector<endpoint> members;
};

/// An operator's word.
struct ruled {
    enum class verdict {
        offline,        ///< Give no sessions on the member (B11).
        online,         ///< Undo offline.
        accept_lineage, ///< Take the member's epoch although it is lower or foreign (E2, F17).
    };
    verdict what = verdict::offline;
    std::size_t member = 0;
};

using event_seen = std::variant<answered, pushed, reported, suspected, remembered, ruled>;

/// What an adapter knows of a store: the published part, and a private memory of the mode's own.
/// Immutable, cheap to copy.
struct belief {
    struct memory {
        virtual ~memory() = default;
    };
    topology is;
    std::shared_ptr<const memory> mode;
};

/// A statement that marks a reign as this one, run by its first write session.
struct reign_mark {
    std::string text;
    std::string if_refused; ///< For an operator: what is weaker without it, and what would help.
};

/// What a session may be used for, by its own answer to proof().
struct session_standing {
    bool may_write = false;
    bool may_read = false;
    bool may_wait = false; ///< It proved itself in the waiting room, for a promotion.
    std::optional<epoch> reign;
    std::optional<failure> refused; ///< Set if it may do neither.
};

/// Where a standby refuses its database: what the library's own sessions log in to, and those that
/// wait for a promotion. Empty: the store's own database, and proof().
struct waiting_room {
    std::string_view database;
    std::string_view proof; ///< Of a session that waits; proof() then moves it into the database.
};

/// Statements that make a session refuse to write, and let it write again; empty: nothing does.
struct restraint {
    std::string_view on;
    std::string_view off;
};

/// One way to make a database highly available, reduced to what a client must know of it: what to
/// ask, and what the answers mean. Pure and total: neither connects nor waits nor reads a clock,
/// and an answer that makes no sense is trouble of that member, never an exception. Immutable,
/// thread-safe.
class HADR_EXPORT ha_adapter {
public:
    virtual ~ha_adapter() = default;

    /// As in Mode=.
    virtual std::string_view name() const noexcept = 0;

    /// Before anything is known.
    virtual belief begin() const = 0;

    virtual plan next(const belief& known, time_point now) const = 0;

    /// Belief after one more event. Evidence asked earlier than what is known is dropped.
    virtual belief apply(const belief& known, const event_seen& event, time_point now) const = 0;

    /// The statement run on every session for applications before it is first lent (E4).
    virtual std::string_view proof() const noexcept = 0;

    virtual waiting_room waits_in() const noexcept { return {}; }

    /// What keeps a session that was asked for to read from writing (E7). A reset undoes it too.
    virtual restraint read_only() const noexcept { return {}; }

    /// What a session with that member may be used for, given its answer to proof().
    virtual session_standing
    judge(const belief& known, std::size_t member, const answer& proof) const = 0;

    /// What the first write session of the accepted epoch runs before it is lent, once; chance is a
    /// random number. Its failure keeps nobody from writing (rulings 11).
    virtual std::optional<reign_mark>
    mark(const belief& /*known*/, std::uint64_t /*chance*/) const {
        return std::nullopt;
    }

    /// How a stands to b (rulings 4). A missing part never makes newer.
    virtual epoch_order compare(const epoch& a, const epoch& b) const noexcept = 0;

    /// Whether the engine would carry the operation out now, and how; never acts.
    virtual expected<operation_plan>
    consider(const belief& known, const operation& wanted, time_point now) const = 0;
};

}

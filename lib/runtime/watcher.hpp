// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/dial.hpp"
#include "runtime/reactor.hpp"

#include <hadr/ha_adapter.hpp>

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::inline v0::runtime {

/// The library's one session with one server, asking what adapters want to know (P2). Shared by all
/// stores of the same server and credentials. Lives on the reactor's agent.
class watcher final : public descriptor_handler, public std::enable_shared_from_this<watcher> {
public:
    /// How soon a lost watch session is opened again; refused credentials wait block_time (F26).
    static constexpr duration reconnect_first = std::chrono::milliseconds(10);
    static constexpr duration reconnect_most = std::chrono::milliseconds(500);
    static constexpr duration block_time = std::chrono::minutes(1);
    /// How often a name is tried again that led to another cluster's server (F10).
    static constexpr duration redial_time = std::chrono::seconds(1);

    using news = std::function<void(const event_seen&)>;

    struct subscription {
        subject of;
        std::shared_ptr<const profile> with;
        news tell;
        std::optional<inquiry> wanted = {};
        std::string database = {}; ///< Instead of the profile's, unless empty.
    };
    using subscriber = std::list<subscription>::iterator;

    watcher(const dial::place& at, endpoint where, purpose why);
    ~watcher();

    subscriber subscribe(subscription what);
    void unsubscribe(subscriber which);
    bool unused() const noexcept { return subscribers_.empty(); }

    /// Replaces what the subscriber asks next. Never tells anything before it returns.
    void want(subscriber which, inquiry what);
    /// The subscriber asks nothing next; what is under way is told all the same.
    void rest(subscriber which);

    /// Why nobody should log in to this server with these credentials for a while.
    const std::optional<failure>& blocked() const noexcept { return blocked_; }
    /// These credentials were accepted since.
    void unblock();

    /// Whoever answers is not the server that is meant: the session is given up, and the next
    /// question resolves the name anew. False if that cannot be done now, or was just done.
    bool redial();

    const endpoint& where() const noexcept { return where_; }
    const profile& with() const noexcept { return *with_; }
    purpose why() const noexcept { return why_; }

    void ready(readiness what) override;
    /// Ends the session; nothing is told any more.
    void close();

private:
    /// One question under way; its sequence is taken when it leaves (rulings 3).
    struct question {
        std::string text; // Empty: a login that failed for all who ask.
        std::string listens;
        duration limit{};
        time_point asked;
        std::uint64_t sequence = 0;
    };

    question form();
    void schedule();
    void move();
    void connect();
    void connected(expected<std::unique_ptr<session>> how, const question& first);
    void ask();
    void listen(question what);
    void put(const question& what);
    void ended(const question& what, const expected<void>& how, answer& brought);
    void answered_with(const question& what, std::variant<answer, failure> brought);
    void lost(const question& what, failure why);
    void attend();
    std::vector<std::string_view> databases() const;
    bool ends_logins(const failure& why);
    void block(const failure& why);
    void drop();
    void take_pushes();
    time_point due(const inquiry& of) const noexcept;
    const subscription* most_urgent() const;

    const dial::place at_;
    const endpoint where_;
    const purpose why_;
    std::shared_ptr<const profile> with_;
    std::list<subscription> subscribers_;
    std::unique_ptr<session> wire_;
    std::shared_ptr<dial> dialing_;
    std::string listening_;
    bool asking_ = false;
    bool polled_ = false;
    int descriptor_ = -1;
    int failures_ = 0;
    std::size_t refusals_ = 0; // Since the last login; those that speak of one database.
    std::size_t database_ = 0; // Which of the subscribers' databases is used.
    time_point not_before_ = time_point::min();
    time_point redial_after_ = time_point::min();
    std::optional<failure> blocked_;
    reactor::timer wake_{};
    reactor::timer unblock_{};
    bool closed_ = false;
};

/// All watchers of a runtime, one for each server and set of credentials.
class watchers {
public:
    std::shared_ptr<watcher>
    of(const dial::place& at,
       const endpoint& where,
       const std::shared_ptr<const profile>& with,
       purpose why);
    /// Forgets and closes it if nobody subscribes any more.
    void released(const std::shared_ptr<watcher>& which);

private:
    std::list<std::shared_ptr<watcher>> all_;
};

/// True if both log in as the same user in the same way; the database does not matter.
bool same_credentials(const profile& a, const profile& b) noexcept;

}

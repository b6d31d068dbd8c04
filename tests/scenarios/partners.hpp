// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "scenarios/scene.hpp"

#include <hadr/operation.hpp>

#include <mutex>
#include <string>
#include <vector>

namespace hadr::test {

using testing::simulated_store;
using testing::site;

/// A pair that fails over in a third of a second.
simulated_store::settings quick_store();

/// A principal, its mirror synchronized, the witness with both; without SAFETY FULL, a mirror that
/// has all.
bool is_whole(const simulated_store& of, bool synchronous);

/// Two partners of SQL Server mirroring, their witness, and an application that has a store open on
/// them. Site one is Server=, the initial partner; site two is Failover_Partner=.
class partners {
public:
    explicit partners(
        std::string_view more = {}, const simulated_store::settings& how = quick_store()
    );
    partners(const partners&) = delete;
    ~partners();

    connection_manager& store() { return *store_; }
    void close() { store_.reset(); }

    // The servers.

    void kill(site which);
    void restart(site which);
    void freeze(site which);
    void thaw(site which);
    /// Both ways.
    void cut(site one, site two);
    void mend(site one, site two);
    /// Ends what is open between the client and that server.
    void reset_sessions(site which);
    void set_door(site which, simulated_store::door how);
    /// As an administrator there, in master.
    expected<void> administer(site which, std::string_view statement);
    void when(testing::commit_step step, std::function<void()> then);
    std::size_t hooks_left();

    /// Whom the engine names.
    site named();
    simulated_store::server_state state(site which);
    std::vector<std::string> ledger(site which);
    simulated_store::counters counted();
    endpoint place(site which) const { return scene_->place(which); }
    std::size_t logins(site which) { return scene_->logins(which); }
    std::size_t contacts_of_the_witness() { return scene_->contacts_of_the_witness(); }

    // The application.

    expected<lease> acquire(duration within = std::chrono::seconds(5));
    static expected<void> append(lease& by, std::string_view token);
    /// One new row, by acquire and execute; where it is.
    expected<site> write(duration within = std::chrono::seconds(10));
    /// True once a row of ours is written there.
    bool writes_at(site which, duration within = std::chrono::seconds(10));
    /// Sooner or later a session is lent that answers, and is there. One that was idle may be lent
    /// once more where its driver shows no socket.
    bool follows(site which);
    /// Tried once.
    commit_result commit(std::string_view token, duration within = std::chrono::seconds(10));
    bool committed(std::string_view token) { return commit(token).ended == outcome::committed; }

    // Time.

    time_point now() const { return scene_->now(); }
    void pass(duration time) { scene_->pass(time); }
    duration lateness() const { return scene_->lateness(); }
    bool eventually(const std::function<bool()>& is);
    /// The engine names that place, and its database takes logins.
    bool serves(site which);
    /// A principal, its mirror synchronized, the witness with both.
    bool whole();
    bool shows(availability wanted);
    bool shows(const std::function<bool(const topology&)>& is);
    /// An event of that kind comes with that in its text.
    bool tells(event_kind kind, std::string_view part = {});

    struct heard {
        event_kind what;
        std::string text;
    };
    std::vector<heard> told() const;
    std::size_t count(event_kind kind) const;
    void forget_what_was_told();

    // An operator.

    /// Planned and carried out, once that is allowed.
    bool does(const operation& what);
    /// What the library says against it; empty if nothing.
    std::string why_not(const operation& what);
    bool refuses(const operation& what) { return !why_not(what).empty(); }
    /// Whether he is warned of that before he acts.
    bool warns(const operation& what, std::string_view part);

private:
    struct book {
        mutable std::mutex mutex; // Guards lines.
        std::vector<heard> lines;
    };

    template <class Function>
    auto with(Function what);

    const bool synchronous_;
    const std::unique_ptr<scene> scene_;
    const std::shared_ptr<book> book_ = std::make_shared<book>();
    std::unique_ptr<connection_manager> store_;
    int last_ = 0; ///< Row of ours.
};

}

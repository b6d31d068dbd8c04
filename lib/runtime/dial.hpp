// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/reactor.hpp"
#include "runtime/workers.hpp"

#include <hadr/driver.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace hadr::inline v0::runtime {

/// One login to one server: resolves its name anew, tries its addresses one after another without
/// letting a dead one use up the time (F9), each on a worker, first success wins. Lives on the
/// reactor's agent.
class dial : public std::enable_shared_from_this<dial> {
public:
    /// How long an address may stay silent before the next one is tried beside it.
    static constexpr duration stagger = std::chrono::milliseconds(200);
    static constexpr std::size_t addresses_max = 64; // D22.

    struct place {
        reactor& on;
        workers& by;
        std::shared_ptr<driver> through;
        std::shared_ptr<executor> calls; ///< For what blocks in a session's client library.
    };

    using ended = std::function<void(expected<std::unique_ptr<session>>)>;

    /// Calls then once, later than it returns and at the latest at the deadline, on the reactor's
    /// agent. A session to lend or
    /// to keep warm has no caller whose time runs while all workers are busy: its own runs from
    /// when one takes it, or else a crowd of logins ends in time-outs that say nothing of a server.
    static std::shared_ptr<dial> begin(const place& at, target to, time_point until, ended then);

    /// Then will not be called any more; what is under way is given up.
    void abandon();

    /// Logins given up while a driver was still busy with them.
    int given_up() const noexcept { return given_up_; }

private:
    struct attempt {
        std::string address;
        workers::ticket job;
        bool over = false;
    };

    dial(const place& at, target to, time_point until, ended then);

    bool may_queue() const noexcept;
    bool queued() const noexcept;
    void late();
    void taken();
    void stagger_next();
    void resolve();
    void resolved(world::addresses found);
    void try_next();
    void tried(std::size_t which, expected<std::unique_ptr<session>> how);
    void fail_all();
    void finish(expected<std::unique_ptr<session>> how);
    void release_jobs();

    const place at_;
    const target to_;
    const duration limit_;
    time_point until_;
    bool taken_ = false; ///< By a worker.
    ended then_;
    std::vector<attempt> attempts_;
    std::size_t begun_ = 0;
    std::vector<failure> failures_;
    reactor::timer deadline_{};
    reactor::timer next_{};
    int given_up_ = 0;
};

/// Destroys a session where it may: on this agent, or on a worker if it closes slowly.
void dispose(workers& by, std::shared_ptr<session> old);

}

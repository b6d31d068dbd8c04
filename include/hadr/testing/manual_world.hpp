// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/world.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::inline v0::testing {

/// A world in one thread on virtual time, for tests without a server and without a sleep. The
/// library's agents run as fibers, switched only where they wait, in an order drawn from the seed:
/// the same seed gives the same run. Nobody is woken who was not notified, and time passes only
/// when everybody waits; if then nobody waits for a time either, the process ends with a message,
/// since a notification is missing. Not thread-safe: for the thread that made it. Its stores must
/// be closed before it ends.
class HADR_EXPORT manual_world final : public world {
public:
    explicit manual_world(std::uint64_t seed = 1);
    manual_world(const manual_world&) = delete;
    ~manual_world() override;

    /// Who runs next among those who can: drawn each time, whoever has the highest priority (which
    /// is drawn, and lowered now and then), or in turn.
    enum class order {
        random,
        priority_change,
        round_robin,
    };
    void set_order(order how) noexcept;

    /// What happened so far. An event is one agent that ran until it waited, or one timer that
    /// fired.
    struct tally {
        std::uint64_t events = 0;
        std::uint64_t busiest_second = 0; ///< Most events within a second.
        std::uint64_t trace = 0;          ///< Of who ran when: the same seed gives the same.
    };
    tally counted() const noexcept;
    /// Adds to the trace.
    void note(std::uint64_t what) noexcept;

    /// Starts an application's own agent beside the test's body, which is an agent itself.
    void start(std::string name, std::function<void()> body);
    /// The current agent does nothing for so long, whoever unparks it: as a thread that is
    /// preempted. The test's body is not.
    void preempt(duration length) noexcept;
    /// Lets the others run for so long; time stands still while any of them can go on.
    void advance(duration by);
    /// When something happens next: now if anybody can go on, time_point::max() if nothing would.
    /// For a world that a test keeps in step with real time.
    time_point due() const noexcept;
    /// Runs what at that distance, outside of any agent; it must not wait.
    void later(duration after, std::function<void()> what);
    /// Keeps something alive as long as this world, so that what later() runs may use it.
    void keep(std::shared_ptr<void> what);
    /// Waits until true, as long as anything can still happen within the limit.
    bool eventually(const std::function<bool()>& what, duration within = std::chrono::minutes(1));

    /// All agents stop for so long, as in a suspended process; timers of later() go on (F12).
    void pause(duration length);

    /// Descriptors of this world, for the drivers of simulated servers. They stay as ready as they
    /// were last set.
    int open_descriptor();
    void close_descriptor(int which) noexcept;
    void set_ready(int which, readiness what) noexcept;

    /// Names for resolve(); others do not resolve. Numeric hosts are their own answer.
    struct name_script {
        std::vector<std::string> addresses;
        duration after{};
    };
    void set_name(const std::string& host, name_script how);
    void set_file(const std::string& path, std::string bytes);
    std::string file(const std::string& path) const;
    /// How the disk behaves from now on.
    struct disk_script {
        bool broken = false; ///< Nothing can be read or written.
        duration save_time{};
    };
    void set_disk(disk_script how) noexcept;
    void set_environment(const std::string& name, std::string value);
    /// Whether agents can be started (F48).
    void allow_agents(bool allowed) noexcept;
    /// As in the child of a fork (F43).
    void fork_child() noexcept;
    /// True if the agent waits in park() and nothing has woken it.
    bool parked(agent* one) const noexcept;
    /// Agents that have not ended, the test's body apart.
    std::size_t agents() const noexcept;

    time_point now() const noexcept override;
    time_point coarse_now() const noexcept override { return now(); }
    agent* self() noexcept override;
    glance look() noexcept override;
    void park(agent* self, time_point until) noexcept override;
    void unpark(agent* other) noexcept override;
    readiness wait(int descriptor, readiness wanted, time_point until) noexcept override;
    std::unique_ptr<descriptor_set> descriptors() override;
    expected<std::unique_ptr<started>>
    spawn(std::string_view name, std::function<void()> body) override;
    void
    resolve(std::string host, time_point until, std::function<void(addresses)> completion) override;
    std::uint64_t random() noexcept override;
    expected<std::string> load(const std::string& path) override;
    expected<void> save(const std::string& path, std::string_view bytes) override;
    expected<std::string> environment(const std::string& name) override;
    std::string process_name() const override { return "test:1"; }
    const std::atomic<std::uint32_t>& alive() const noexcept override;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/ha_adapter.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace hadr::inline v0::testing {

/// A mode whose view is what a test says it is, for open_options::adapter: what does an application
/// do when the primary is gone, the store exposed, a member refused? It asks every member for its
/// role all the time, and believes the test instead of the answers. Records what the library wanted
/// of it. Not thread-safe: for a manual_world.
class HADR_EXPORT scripted_adapter final : public ha_adapter {
public:
    /// Precondition: the members, in the order of the connection string.
    explicit scripted_adapter(topology view);
    ~scripted_adapter() override;

    /// The view from now on; the store has it within ask_every and an answer's time. Version, level
    /// and when a member was seen stay the library's own.
    void set_view(topology view);
    const topology& view() const noexcept;

    /// What a session with a member may do; without it the writer writes, and the writer and every
    /// standby that is neither refused nor offline reads.
    std::function<session_standing(std::size_t member, const answer& proof)> judges;

    duration ask_every = std::chrono::milliseconds(10);

    struct record {
        std::uint64_t plans = 0;                ///< Calls of next().
        std::vector<event_seen> events;         ///< Given to apply(), in order.
        std::vector<std::size_t> judged;        ///< Members whose sessions were judged.
        std::vector<operation_kind> considered; ///< Operations that the library asked about.
    };
    const record& recorded() const noexcept;

    std::string_view name() const noexcept override { return "scripted"; }
    belief begin() const override;
    plan next(const belief& known, time_point now) const override;
    belief apply(const belief& known, const event_seen& event, time_point now) const override;
    std::string_view proof() const noexcept override;
    session_standing
    judge(const belief& known, std::size_t member, const answer& proof) const override;
    epoch_order compare(const epoch& a, const epoch& b) const noexcept override;
    expected<operation_plan>
    consider(const belief& known, const operation& wanted, time_point now) const override;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}

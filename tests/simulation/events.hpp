// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/hadr.hpp>

#include <string>

namespace hadr::test {

/// What a listener knows that hears events alone (S2). Events may come as one with their count
/// (rulings 16).
class told_state {
public:
    void hear(const event& what);

    /// What it knows otherwise than the view; empty if nothing.
    std::string differs_from(const topology& view) const;
    /// What was wrong with the events themselves; empty if nothing.
    const std::string& disorder() const noexcept { return disorder_; }

private:
    std::uint64_t sequence_ = 0;
    std::uint64_t version_ = 0;
    std::optional<std::size_t> writer_;
    std::optional<epoch> reign_;
    availability state_ = availability::unknown;
    bool witness_lost_ = false;
    std::string disorder_;
};

}

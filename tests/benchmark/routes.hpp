// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "benchmark/figures.hpp"

#include <hadr/connection_manager.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::benchmark {

/// What became of one attempt to commit a row.
struct attempt {
    enum class end {
        committed,
        cut,         ///< A statement under way: of unknown outcome, or marked as not executed.
        refused,     ///< No session could be had.
        unexplained, ///< Anything else.
    };
    end how = end::unexplained;
    int port = 0; ///< Of the server that committed.
    std::string why = {};
};

/// How writers reach the store. Each writer is a thread that calls append() with its own number.
class route {
public:
    virtual ~route() = default;
    virtual std::string_view name() const noexcept = 0;
    virtual attempt append(int writer) = 0;
    /// Ready to be failed over.
    virtual bool ready() = 0;
    /// Attempts to open a session for a writer that failed so far.
    virtual std::uint64_t connects_failed() const = 0;
};

/// The library, with shipped defaults.
class hadr_route final : public route {
public:
    explicit hadr_route(const std::string& connection_string);
    ~hadr_route() override;

    std::string_view name() const noexcept override { return "hadr"; }
    attempt append(int writer) override;
    bool ready() override;
    std::uint64_t connects_failed() const override;
    std::uint64_t probes() const;

private:
    std::unique_ptr<connection_manager> store_;
};

/// What an application does without it: libpq's own list of hosts with
/// target_session_attrs=read-write, one session for each writer, opened again after any error.
class loop_route final : public route {
public:
    loop_route(std::string conninfo, int writers, duration pause);
    ~loop_route() override;

    std::string_view name() const noexcept override {
        return pause_ == duration::zero() ? "loop" : "loop_1s";
    }
    attempt append(int writer) override;
    bool ready() override { return true; }
    std::uint64_t connects_failed() const override { return failed_.load(); }

private:
    struct session;

    const std::string conninfo_;
    const duration pause_;
    std::vector<std::unique_ptr<session>> sessions_;
    std::atomic<std::uint64_t> failed_{0};
};

}

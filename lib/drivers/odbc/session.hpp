// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/odbc/call.hpp"

#include <hadr/driver.hpp>

#include <atomic>
#include <memory>

namespace hadr::inline v0::odbc {

class odbc_session final : public session {
public:
    /// What a session needs besides its handles.
    struct surroundings {
        world& through;
        std::shared_ptr<executor> by; ///< Null: calls are made where they are asked for.
        const driver_profile& profile;
        bool cancel_in_clear =
            false; ///< A cancel request would not be encrypted as the session is.
    };

    odbc_session(std::shared_ptr<call> of, surroundings in);
    ~odbc_session() override;

    void start(const statement& what, answer& into, completion& done) override;
    waiting waits_for() const noexcept override { return {}; }
    void advance() override;
    expected<void> run(const statement& what, answer& into, patience& with) override;
    void sever() noexcept override;
    expected<void> request_cancel(time_point until) override;
    bool usable() const noexcept override;
    transaction_status transaction() const noexcept override;
    std::string_view reported(std::string_view /*name*/) const noexcept override { return {}; }
    std::optional<push> take_push() override { return std::nullopt; }
    void* native() noexcept override;
    bool closes_slowly() const noexcept override { return true; }
    void abandon() noexcept override;

private:
    /// Whether a cancel request may be sent, and whether a COMMIT (C6).
    enum class ending {
        open,
        cancelling,
        commit_left, ///< Or is about to.
    };

    bool take_on(const statement& what, answer& into);
    bool fit(const statement& what);
    bool commit_leaves();
    bool refuse(std::string_view message);
    bool refuse_lost();
    void copy(const statement& what);
    void run_here();
    void start_here();
    bool hand_over();
    bool over();
    void end();
    void end_at_once();
    void take_answer();
    void take_notices();
    void take_failure();
    void give_up();
    expected<void> failed();
    expected<void> outcome();

    std::shared_ptr<call> of_;
    const surroundings in_;
    const bool on_own_agent_; ///< Calls are made where they are asked for.
    std::atomic<bool> severed_{false};
    std::atomic<ending> ending_{ending::open};
    std::atomic<agent*> asker_{nullptr}; ///< Who waits for the end of the statement under way.
    answer* into_ = nullptr;
    completion* done_ = nullptr;
    bool under_way_ = false;
    bool sent_ = false; ///< The call has it.
    bool lost_ = false;
    transaction_status transaction_ = transaction_status::idle;
    std::optional<failure> failed_;
};

}

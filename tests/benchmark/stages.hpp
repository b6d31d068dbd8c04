// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/auto_failover.hpp"
#include "support/certificates.hpp"
#include "support/postgres.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace hadr::benchmark {

/// Two servers of which one fails and the other takes over, again and again.
class stage {
public:
    virtual ~stage() = default;

    virtual int primary() const = 0;
    virtual int standby() const = 0;

    /// SIGKILL to every process of the primary.
    virtual void crash() = 0;
    /// SIGSTOP to every process of the primary.
    virtual void silence() = 0;
    /// Promotes the standby, or leaves it to the engine.
    virtual void promote() = 0;
    /// Kills what is left of the old primary.
    virtual void bury() = 0;
    /// The old primary is the standby from now on, and commits wait for it.
    virtual void restore() = 0;

    virtual std::string hadr_string() const = 0;
    virtual std::string loop_string() const = 0;
};

/// Streaming replication, promoted by hand at once.
class pair_stage final : public stage {
public:
    enum class login {
        trusted,
        tls_and_scram,
    };

    explicit pair_stage(login how);

    int primary() const override { return pair_->primary().port(); }
    int standby() const override { return pair_->mirror().port(); }
    void crash() override { pair_->primary().kill_all(); }
    void silence() override { pair_->primary().freeze(); }
    void promote() override;
    void bury() override { pair_->mirror().kill_all(); }
    void restore() override { pair_->rejoin(); }
    std::string hadr_string() const override;
    std::string loop_string() const override;

private:
    void demand_passwords();

    const login how_;
    test::temporary_folder folder_{"hadr-benchmark"};
    std::optional<test::certificates> signed_by_;
    std::unique_ptr<test::postgres_pair> pair_;
};

/// pg_auto_failover, which decides by itself.
class engine_stage final : public stage {
public:
    engine_stage();

    int primary() const override { return engine_.port(primary_); }
    int standby() const override { return engine_.port(1 - primary_); }
    void crash() override { engine_.kill_node(primary_); }
    void silence() override { engine_.freeze_node(primary_); }
    void promote() override { primary_ = 1 - primary_; }
    void bury() override { engine_.kill_node(1 - primary_); }
    void restore() override;
    std::string hadr_string() const override;
    std::string loop_string() const override;

private:
    test::auto_failover_cluster engine_;
    std::size_t primary_ = 0;
};

}

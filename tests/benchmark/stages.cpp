// SPDX-License-Identifier: Apache-2.0
#include "benchmark/stages.hpp"

#include "support/clients.hpp"
#include "support/ledger.hpp"

#include <fmt/format.h>

namespace hadr::benchmark {

namespace {

constexpr std::string_view password = "right-horse";

std::string loop_conninfo(int one, int other, std::string_view more) {
    return fmt::format(
        "host=127.0.0.1,127.0.0.1 port={},{} dbname=postgres connect_timeout=10 "
        "target_session_attrs=read-write gssencmode=disable {}",
        one,
        other,
        more
    );
}

}

pair_stage::pair_stage(login how) : how_(how) {
    // 200 sessions of the plain loop, and those of the harness.
    std::vector<std::string> settings{"max_connections = 260"};
    if (how_ == login::tls_and_scram) {
        signed_by_.emplace(folder_);
        settings.emplace_back("ssl = on");
        settings.push_back(fmt::format("ssl_cert_file = '{}'", signed_by_->certificate("good")));
        settings.push_back(fmt::format("ssl_key_file = '{}'", signed_by_->key()));
    }
    pair_ = std::make_unique<test::postgres_pair>(
        test::postgres_pair::replication::synchronous, std::move(settings)
    );
    test::create_ledger(primary());
    if (how_ == login::tls_and_scram)
        demand_passwords();
}

void pair_stage::demand_passwords() {
    test::must(primary(), fmt::format("create role app login password '{}'", password));
    test::must(primary(), "grant insert, select on ledger to app");
    test::must(primary(), "grant usage on sequence ledger_id_seq to app");
    for (auto* one : {&pair_->first(), &pair_->second()}) {
        one->prepend_access(
            "hostssl all app 127.0.0.0/8 scram-sha-256\nhost all app 127.0.0.0/8 reject"
        );
        one->reload();
    }
}

// Over a session at hand, so that its login is no part of the outage.
void pair_stage::promote() {
    test::asker on(standby(), "postgres");
    on.ask("select pg_promote(false)", std::chrono::seconds(30));
    pair_->mirror_was_promoted();
}

std::string pair_stage::hadr_string() const {
    const auto secure =
        how_ == login::trusted
            ? std::string()
            : fmt::format(
                  "UID=app;PWD={};Encrypt=verify_full;HostNameInCertificate=db.test;"
                  "Root_Certificate={}",
                  password,
                  signed_by_->authority()
              );
    return test::mirroring_string(primary(), standby(), secure);
}

std::string pair_stage::loop_string() const {
    return loop_conninfo(
        primary(),
        standby(),
        how_ == login::trusted ? std::string("user=postgres sslmode=disable")
                               : fmt::format(
                                     "user=app password={} sslmode=verify-ca sslrootcert={}",
                                     password,
                                     signed_by_->authority()
                                 )
    );
}

engine_stage::engine_stage() : primary_(engine_.primary()) {
    test::create_ledger(primary());
}

void engine_stage::restore() {
    engine_.revive();
    engine_.wait_settled();
    primary_ = engine_.primary();
}

std::string engine_stage::hadr_string() const {
    return test::mirroring_string(
        primary(),
        standby(),
        fmt::format("Witness=pg_auto_failover:127.0.0.1:{}", engine_.monitor_port())
    );
}

std::string engine_stage::loop_string() const {
    return loop_conninfo(primary(), standby(), "user=postgres sslmode=disable");
}

}

// SPDX-License-Identifier: Apache-2.0
#include "core/connection_string.hpp"

#include <fmt/format.h>

#include <tuple>

namespace hadr::inline v0::core {

namespace {

bool same_profile(
    const std::shared_ptr<const profile>& a, const std::shared_ptr<const profile>& b
) {
    if (!a || !b)
        return a == b;
    const auto tie = [](const profile& p) {
        return std::tie(
            p.user,
            p.password,
            p.password_file,
            p.password_environment,
            p.database,
            p.encrypt,
            p.root_certificate,
            p.certificate,
            p.certificate_key,
            p.certificate_host,
            p.binding,
            p.kerberos,
            p.application_name,
            p.odbc_driver,
            p.odbc_source,
            p.passed_through
        );
    };
    return tie(*a) == tie(*b);
}

bool same_witness(const std::optional<witness_server>& a, const std::optional<witness_server>& b) {
    if (!a || !b)
        return a.has_value() == b.has_value();
    return a->at == b->at && a->product == b->product && a->formation == b->formation &&
           a->group == b->group && same_profile(a->with, b->with);
}

}

std::optional<failure> unusable_secret(const store_specification& store, bool asked) {
    const secret shown(redaction);
    const auto is = [&](const std::shared_ptr<const profile>& with) {
        return with && with->password == shown;
    };
    const bool own = is(store.with) && !asked;
    if (!own && !(store.witness && is(store.witness->with)))
        return std::nullopt;
    return malformed(fmt::format(
        "{} is {}, which stands for a password where a connection string is printed; give the "
        "password itself",
        own ? "PWD" : "Witness_PWD",
        redaction
    ));
}

bool same(const store_specification& a, const store_specification& b) {
    const auto places = [](const store_specification& s) {
        return std::tie(
            s.how,
            s.driver,
            s.kind,
            s.name,
            s.servers,
            s.failover_partner,
            s.listener,
            s.read_intent,
            s.multi_subnet_failover,
            s.start,
            s.state_file,
            s.fork_table,
            s.partners_allowed,
            s.proxy
        );
    };
    const auto numbers = [](const store_specification& s) {
        return std::tie(
            s.connect_timeout,
            s.acquire_timeout,
            s.statement_timeout,
            s.close_timeout,
            s.pool_min,
            s.pool_max,
            s.warm,
            s.idle_limit,
            s.lifetime,
            s.lease_limit,
            s.connects_per_second,
            s.waiters_max,
            s.watch_interval,
            s.watch_timeout,
            s.ride_out,
            s.recovery_hold,
            s.witness_lost_advice,
            s.lag_limit_bytes
        );
    };
    const auto policy = [](const store_specification& s) {
        return std::tie(
            s.generation,
            s.database_version,
            s.partner_version,
            s.witness_version,
            s.partner_edition,
            s.edition,
            s.role,
            s.synchronous,
            s.policy_overrides,
            s.wanted
        );
    };
    return places(a) == places(b) && numbers(a) == numbers(b) && policy(a) == policy(b) &&
           same_profile(a.with, b.with) && same_witness(a.witness, b.witness);
}

}

// SPDX-License-Identifier: Apache-2.0
#include "core/postgresql_member.hpp"

#include <hadr/adapters.hpp>

namespace hadr::inline v0 {

std::string fork_table_definition(const store_specification& store) {
    return store.fork_table.empty() ? std::string() : core::fork_table_text(store.fork_table);
}

expected<std::shared_ptr<const ha_adapter>> make_adapter(const store_specification& store) {
    switch (store.how) {
    case mode::standalone: return adapters::standalone(store);
    case mode::mirroring: return adapters::mirroring(store);
    case mode::availability_group:
    case mode::failover_cluster_instance:
    case mode::failover_cluster: break;
    }
    return make_failure(
        errc::configuration_invalid,
        advice::give_up,
        "Mode=" + std::string(to_string(store.how)) +
            " has no adapter in this release; standalone and mirroring have"
    );
}

}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/ha_adapter.hpp>
#include <hadr/store.hpp>

#include <memory>
#include <string>

namespace hadr::inline v0 {

/// The adapter for the store's mode and engine. Errors: configuration_invalid (mode not in this
/// release).
HADR_EXPORT expected<std::shared_ptr<const ha_adapter>>
make_adapter(const store_specification& store);

/// The statement that creates the table Fork_Table names, for an operator to run on the primary;
/// the store's user needs SELECT and INSERT on it. Empty without Fork_Table.
HADR_EXPORT std::string fork_table_definition(const store_specification& store);

namespace adapters {

HADR_EXPORT std::shared_ptr<const ha_adapter> standalone(const store_specification& store);
HADR_EXPORT std::shared_ptr<const ha_adapter> mirroring(const store_specification& store);

}

}

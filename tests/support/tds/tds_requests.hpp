// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/tds/tds_packets.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hadr::test::tds {

/// A parameter as text; empty for NULL.
struct rpc_parameter {
    std::string name;
    std::optional<std::string> value;
    bool output = false;
    bool numeric = false; ///< So that it needs no quotes in a statement.

    friend bool operator==(const rpc_parameter&, const rpc_parameter&) = default;
};

/// A call of a procedure, known by name where it was called by number.
struct rpc {
    static constexpr std::size_t parameters_max = 2100;

    std::string procedure;
    std::vector<rpc_parameter> parameters;

    friend bool operator==(const rpc&, const rpc&) = default;
};

struct transaction_request {
    enum class verb : std::uint8_t {
        begin = 5,
        commit = 7,
        rollback = 8,
    };

    verb what = verb::begin;
    bool begins_another = false;

    friend bool operator==(const transaction_request&, const transaction_request&) = default;
};

/// The text of a batch, in UTF-8.
std::optional<std::string> read_batch(std::string_view body);
std::optional<rpc> read_rpc(std::string_view body);
std::optional<transaction_request> read_transaction(std::string_view body);

}

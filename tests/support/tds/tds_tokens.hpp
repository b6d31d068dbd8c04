// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/tds/tds_bytes.hpp"

#include <hadr/answer.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hadr::test::tds {

enum class environment : std::uint8_t {
    database = 1,
    language = 2,
    packet_size = 4,
    collation = 7,
    begun = 8,
    committed = 9,
    rolled_back = 10,
    partner = 13,
    routing = 20,
};

enum class done_token : std::uint8_t {
    batch = 0xFD,
    procedure = 0xFE,
    in_procedure = 0xFF,
};

struct done {
    done_token token = done_token::batch;
    bool more = false;
    bool failed = false;
    bool attention = false;
    std::optional<std::uint64_t> rows = {};
};

/// What a server says of an error or a warning.
struct server_message {
    int number = 0;
    unsigned severity = 16; ///< Up to 10 it is information.
    std::string text;
};

/// As a SQL Server has it in sys.messages; 16 for what is not known here.
unsigned severity_of(int number) noexcept;

/// The tokens of one reply.
class reply {
public:
    reply& change(environment what, std::string_view now, std::string_view before);
    reply& change_collation();
    /// Descriptors; 0 for no transaction.
    reply& change_transaction(environment what, std::uint64_t now, std::uint64_t before);
    reply& route(std::string_view host, std::uint16_t port);
    reply& say(const server_message& what, std::string_view server);
    reply& acknowledge_login();
    /// Whole numbers as integers, identifiers as uniqueidentifier, all else as text.
    reply& rows(const answer& of);
    reply& status(std::int32_t value);
    reply& handle(std::int32_t value);
    reply& end(const done& how);

    reply& add(const reply& other) {
        sink_.bytes(other.made());
        return *this;
    }

    const std::string& made() const noexcept { return sink_.made(); }
    std::string take() noexcept { return sink_.take(); }

private:
    void token(std::uint8_t which, std::string_view body);

    byte_sink sink_;
};

}

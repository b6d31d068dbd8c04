// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hadr::test::tds {

struct prelogin {
    std::uint8_t encryption = 0; ///< 0 off, 1 on, 2 not supported, 3 required.

    friend bool operator==(const prelogin&, const prelogin&) = default;
};

struct login {
    std::uint32_t version = 0; ///< 0x74000004: TDS 7.4.
    std::size_t packet_size = 0;
    std::string host;
    std::string user;
    std::string password;
    std::string application;
    std::string server; ///< As the client knows it.
    std::string library;
    std::string database;
    bool read_only = false; ///< ApplicationIntent=ReadOnly.

    friend bool operator==(const login&, const login&) = default;
};

std::optional<prelogin> read_prelogin(std::string_view body);
std::optional<login> read_login(std::string_view body);

/// Encryption is not supported here, so that the whole session is in clear.
std::string prelogin_answer();

}

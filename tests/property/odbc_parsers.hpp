// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace hadr::test {

/// Without regard to case.
struct key_less {
    bool operator()(std::string_view a, std::string_view b) const noexcept;
};

using read_pairs = std::map<std::string, std::string, key_less>;

/// How each program of this kind reads a connection string, written from its source or its
/// behaviour, and proved against the program itself by odbc_hostile.cpp.
using connection_parser = std::function<read_pairs(const std::string&)>;

read_pairs as_unixodbc(const std::string& text);
read_pairs as_freetds(const std::string& text);
read_pairs as_psqlodbc(const std::string& text);
read_pairs as_mariadb(const std::string& text);
read_pairs as_sqlite(const std::string& text);

/// The options in psqlODBC's pqopt, as libpq reads them; "malformed" if it would not.
read_pairs as_libpq(const std::string& text);

}

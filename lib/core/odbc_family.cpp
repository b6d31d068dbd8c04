// SPDX-License-Identifier: Apache-2.0
#include "core/values.hpp"

#include <hadr/engine.hpp>

#include <algorithm>
#include <array>

namespace hadr::inline v0 {

namespace {

struct mark {
    std::string_view part; ///< Of the name of a driver or its library, lower case.
    odbc_family of;
};

// The only place that tells drivers by their names. The first that fits wins.
constexpr std::array<mark, 10> marks = {
    {{"tds", odbc_family::freetds},
     {"odbc driver 18", odbc_family::microsoft_18},
     {"msodbcsql-18", odbc_family::microsoft_18},
     {"msodbcsql18", odbc_family::microsoft_18},
     {"sql server", odbc_family::microsoft_17},
     {"msodbcsql", odbc_family::microsoft_17},
     {"postgres", odbc_family::psqlodbc},
     {"psqlodbc", odbc_family::psqlodbc},
     {"maria", odbc_family::mariadb},
     {"sqlite", odbc_family::sqlite}}};

constexpr std::string_view library_of_mariadb = "libmaodbc";

struct passing_key {
    odbc_family of;
    std::string_view key;
};

constexpr std::array<passing_key, 13> passing = {
    {{odbc_family::freetds, "TDS_Version"},
     {odbc_family::freetds, "ClientCharset"},
     {odbc_family::freetds, "Language"},
     {odbc_family::freetds, "PacketSize"},
     {odbc_family::freetds, "TextSize"},
     {odbc_family::microsoft_17, "Language"},
     {odbc_family::microsoft_18, "Language"},
     {odbc_family::psqlodbc, "BoolsAsChar"},
     {odbc_family::psqlodbc, "ByteaAsLongVarBinary"},
     {odbc_family::psqlodbc, "MaxLongVarcharSize"},
     {odbc_family::psqlodbc, "MaxVarcharSize"},
     {odbc_family::mariadb, "Charset"},
     {odbc_family::sqlite, "Timeout"}}};

}

odbc_family family_of(std::string_view driver) {
    const auto name = core::lower_case(driver);
    if (name.find(library_of_mariadb) != std::string::npos)
        return odbc_family::mariadb;
    for (const auto& one : marks)
        if (name.find(one.part) != std::string::npos)
            return one.of;
    return odbc_family::other;
}

bool passes(odbc_family which, std::string_view key) {
    const auto wanted = core::lower_case(key);
    return std::any_of(passing.begin(), passing.end(), [&](const passing_key& one) {
        return one.of == which && core::lower_case(one.key) == wanted;
    });
}

}

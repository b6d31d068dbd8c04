// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/odbc/diagnostics.hpp"

#include <hadr/error.hpp>

#include <cstddef>
#include <span>

namespace hadr::inline v0::odbc {

enum class phase {
    login,
    statement,
    commit,     ///< Or what may hold one, or be more than one statement that commits itself.
    lone_write, ///< One statement outside of a transaction, which commits itself (C8).
};

constexpr bool commits(phase during) noexcept {
    return during == phase::commit || during == phase::lone_write;
}

struct verdict {
    errc code = errc::outcome_unknown;
    advice next = advice::verify;
    std::size_t record = 0; ///< The one that decided, or their number.

    friend bool operator==(const verdict&, const verdict&) = default;
};

/// By SQL Server's own numbers over all records: drivers sort them, and give most of them one
/// SQLSTATE. A definite failure is on a written list or an error that the server raised itself;
/// whatever else came after sending is of unknown outcome (C7). A record of the driver's alone
/// decides nothing about a server: record is then their number, but for a time-out.
verdict classify_sql_server(std::span<const diagnostic> all, phase during, bool dead) noexcept;

}

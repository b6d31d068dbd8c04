// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/tds/tds_requests.hpp"

#include <hadr/answer.hpp>
#include <hadr/expected.hpp>
#include <hadr/time.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hadr::test::tds {

/// A statement with its parameters in the places of their names: as literals, or, in the words of
/// the test kit ("append @P1"), as they are. Names inside of literals stay. At most text_max bytes.
inline constexpr std::size_t text_max = 4U << 20U;
std::string with_parameters(std::string_view text, std::span<const rpc_parameter> parameters);

/// A statement as the simulated store knows it: BEGIN TRANSACTION, COMMIT and ROLLBACK in one form
/// each, no blanks and no semicolon around it.
std::string model_text(std::string_view text);

/// The database of "USE [db]", which may go on behind a semicolon.
std::optional<std::string> used_database(std::string_view text);

/// Of "WAITFOR DELAY 'hh:mm:ss.fff'".
std::optional<duration> delay_of(std::string_view text);

/// What a server answers without any table. SELECT of literals, NULL, CAST(literal AS type) and
/// REPLICATE(literal, count), rows of them with UNION ALL between; "SELECT value FROM
/// GENERATE_SERIES(1, n)"; "SELECT @@SPID"; "THROW number, 'text', state" fails with that number.
/// Empty for all else.
std::optional<expected<void>> answer_of(std::string_view text, answer& into);

}

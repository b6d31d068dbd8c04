// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace hadr::inline v0::drivers {

/// Five digits and capitals.
bool sqlstate_like(std::string_view five) noexcept;

/// The written list of C7, of PostgreSQL's own states: errors that end a statement, and its
/// transaction, before anything of it can be committed.
bool definite(std::string_view sqlstate) noexcept;

/// Of those: repeating is safe and may help, since nothing of the statement remains.
bool worth_repeating(std::string_view sqlstate) noexcept;

}

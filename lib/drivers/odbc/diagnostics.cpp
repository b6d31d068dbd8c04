// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/diagnostics.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <sqlext.h>

namespace hadr::inline v0::odbc {

namespace {

constexpr SQLSMALLINT records_max = 1000; ///< That are looked at.
constexpr std::size_t told_max = 16;
constexpr std::size_t kept_max = 64;
constexpr std::size_t text_max = 1000;

// What a procedure prints may stand before the error that ended it.
bool worth_keeping(std::string_view sqlstate, std::size_t kept) noexcept {
    const bool error = !sqlstate.starts_with("00") && !sqlstate.starts_with("01");
    return kept < told_max || (error && kept < kept_max);
}

}

std::vector<diagnostic> diagnostics_of(SQLSMALLINT type, SQLHANDLE handle) {
    std::vector<diagnostic> all;
    std::array<SQLCHAR, text_max + 1> text{};
    for (SQLSMALLINT i = 1; i <= records_max; ++i) {
        std::array<SQLCHAR, 6> state{};
        SQLINTEGER native = 0;
        SQLSMALLINT length = 0;
        const auto how = SQLGetDiagRec(
            type,
            handle,
            i,
            state.data(),
            &native,
            text.data(),
            static_cast<SQLSMALLINT>(text.size()),
            &length
        );
        if (!SQL_SUCCEEDED(how))
            break;
        const std::string_view sqlstate(
            reinterpret_cast<const char*>(state.data()),
            static_cast<std::size_t>(
                std::find(state.begin(), state.begin() + 5, SQLCHAR{}) - state.begin()
            )
        );
        if (!worth_keeping(sqlstate, all.size()))
            continue;
        const auto known = static_cast<std::size_t>(std::max<SQLSMALLINT>(length, 0));
        all.push_back(
            {std::string(sqlstate),
             native,
             std::string(text.data(), text.data() + std::min(known, text_max))}
        );
    }
    return all;
}

}

// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/statements.hpp"

#include <algorithm>
#include <cstring>

namespace hadr::inline v0::odbc {

namespace {

constexpr std::size_t least_room = 64;
constexpr std::size_t wide_max = 4000; ///< Characters of a national text that is not a long one.
constexpr std::size_t narrow_max = 8000;

SQLSMALLINT type_of(std::size_t bytes, bool wide) noexcept {
    if (wide)
        return bytes <= wide_max ? SQL_WVARCHAR : SQL_WLONGVARCHAR;
    return bytes <= narrow_max ? SQL_VARCHAR : SQL_LONGVARCHAR;
}

}

// Room grows in steps, since a driver prepares anew for another size.
bool bound_parameters::bind_one(SQLHSTMT to, std::size_t which, const parameter& value, bool wide) {
    auto& here = all_[which];
    const auto size = value ? value->size() : 0;
    if (!here.bound || size > here.bytes.size()) {
        auto room = std::max(least_room, here.bytes.size());
        while (room < size)
            room *= 4;
        const auto type = type_of(room, wide);
        here.bytes.resize(room);
        const auto how = SQLBindParameter(
            to,
            static_cast<SQLUSMALLINT>(which + 1),
            SQL_PARAM_INPUT,
            SQL_C_CHAR,
            type,
            room,
            0,
            here.bytes.data(),
            static_cast<SQLLEN>(room),
            &here.length
        );
        here.bound = SQL_SUCCEEDED(how);
        if (!here.bound)
            return false;
    }
    here.length = value ? static_cast<SQLLEN>(size) : SQL_NULL_DATA;
    if (size != 0)
        std::memcpy(here.bytes.data(), value->data(), size);
    return true;
}

bool bound_parameters::put_all(
    std::span<const parameter> values, std::span<const std::uint16_t> order
) noexcept {
    if (values.size() != all_.size())
        return false;
    for (std::size_t i = 0; i < order.size(); ++i)
        if (order[i] != i)
            return false;
    for (std::size_t i = 0; i < values.size(); ++i) {
        auto& here = all_[i];
        const auto& value = values[i];
        if (!here.bound || (value && value->size() > here.bytes.size()))
            return false;
        here.length = value ? static_cast<SQLLEN>(value->size()) : SQL_NULL_DATA;
        if (value)
            std::memcpy(here.bytes.data(), value->data(), value->size());
    }
    return true;
}

bool bound_parameters::bind(
    SQLHSTMT to, std::span<const parameter> values, std::span<const std::uint16_t> order, bool wide
) {
    const auto count = order.empty() ? values.size() : order.size();
    if (all_.size() != count) {
        // The driver must not know an address that is no more.
        SQLFreeStmt(to, SQL_RESET_PARAMS);
        all_.clear();
        all_.resize(count);
    }
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t from = order.empty() ? i : order[i];
        if (from >= values.size() || !bind_one(to, i, values[from], wide))
            return false;
    }
    return true;
}

void bound_columns::bind(SQLHSTMT to, std::size_t columns) {
    if (columns > columns_max)
        return;
    bytes_.resize(columns * room);
    lengths_.assign(columns, SQL_NO_TOTAL);
    for (std::size_t i = 0; i < columns; ++i) {
        const auto how = SQLBindCol(
            to,
            static_cast<SQLUSMALLINT>(i + 1),
            SQL_C_CHAR,
            bytes_.data() + i * room,
            static_cast<SQLLEN>(room),
            &lengths_[i]
        );
        if (!SQL_SUCCEEDED(how)) {
            unbind(to);
            return;
        }
    }
    bound_ = true;
}

void bound_columns::unbind(SQLHSTMT of) noexcept {
    SQLFreeStmt(of, SQL_UNBIND);
    bound_ = false;
}

}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/odbc/handles.hpp"
#include "drivers/odbc/result.hpp"
#include "drivers/odbc/tracking.hpp"

#include <hadr/driver.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sqlext.h>

namespace hadr::inline v0::odbc {

/// Parameters of one statement handle, at addresses that the driver knows: the next values go to
/// the same place as long as they fit. Not thread-safe.
class bound_parameters {
public:
    /// Values of which some are asked for several times. False if the driver refuses one.
    bool bind(
        SQLHSTMT to,
        std::span<const parameter> values,
        std::span<const std::uint16_t> order,
        bool wide
    );

    /// Puts values where those of the run before were. False, and nothing is said of what is there
    /// now, if one of them does not fit or is asked for elsewhere.
    bool put(std::span<const parameter> values, std::span<const std::uint16_t> order) noexcept {
        return (values.empty() && all_.empty()) || put_all(values, order);
    }

private:
    struct one {
        std::vector<char> bytes;
        SQLLEN length = 0;
        bool bound = false;
    };

    bool put_all(std::span<const parameter> values, std::span<const std::uint16_t> order) noexcept;
    bool bind_one(SQLHSTMT to, std::size_t which, const parameter& value, bool wide);

    std::vector<one> all_;
};

/// Where a driver puts the short values of a row while it fetches it. Not thread-safe.
class bound_columns {
public:
    static constexpr std::size_t room = 128; ///< Of a value and its end mark.
    static constexpr std::size_t columns_max = 64;

    /// All of them, or none.
    void bind(SQLHSTMT to, std::size_t columns);
    /// What there is stays readable.
    void unbind(SQLHSTMT of) noexcept;

    bool bound() const noexcept { return bound_; }
    const char* value(std::size_t column) const noexcept { return bytes_.data() + column * room; }
    /// As SQLFetch says it.
    SQLLEN length(std::size_t column) const noexcept { return lengths_[column]; }

private:
    std::vector<char> bytes_;
    std::vector<SQLLEN> lengths_;
    bool bound_ = false;
};

/// One statement handle, and what is known of the text that it has run or has prepared.
struct known_statement {
    std::string text; ///< As the application wrote it.
    std::string sent; ///< As the driver gets it.
    statement_handle by;
    statement_sort sort;
    std::vector<std::uint16_t> order;
    std::size_t marks_max = 0; ///< It cannot ask for more parameters than these.
    bool prepared = false;
    bool shape_known = false;     ///< The text names the columns that it brings.
    bool plain = false;           ///< Likewise, and it does nothing but bring rows.
    bool stays = false;           ///< The handle never gets another text.
    std::optional<SQLULEN> limit; ///< Seconds, as it was last set; else the driver's own.
    std::shared_ptr<const column_names> names;
    bound_parameters parameters;
    bound_columns columns;
};

}

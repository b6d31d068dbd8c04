// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/export.hpp>

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hadr::inline v0 {

enum class transaction_status {
    idle,    ///< No transaction is open.
    open,    ///< Inside one.
    failed,  ///< Inside one that only a rollback can end.
    unknown, ///< A statement is under way, or the session is lost.
};

HADR_EXPORT std::string_view to_string(transaction_status state) noexcept;

struct notice {
    std::string sqlstate;
    std::string text; ///< The server's, escaped and bounded.

    friend bool operator==(const notice&, const notice&) = default;
};

/// How an answer reads a result that stays in its driver's memory: one constant for each driver.
/// Row and column are inside the result.
struct result_reader {
    std::optional<std::string_view> (*value
    )(const void* of, std::size_t row, std::size_t column) noexcept;
    std::string_view (*column_name)(const void* of, std::size_t column) noexcept;
    std::string_view (*tag)(const void* of) noexcept;
    std::uint64_t (*affected)(const void* of) noexcept;
    void (*release)(void* of) noexcept;
};

/// What a statement brought: rows as text, in one flat buffer that is reused by the next statement
/// or in the driver's own result, which a copy of the answer does not share (nor can it be of 2
/// GiB). Not thread-safe: distinct objects may be used at once.
class HADR_EXPORT answer {
public:
    answer() = default;
    answer(const answer& other);
    answer(answer&& other) noexcept;
    answer& operator=(const answer& other);
    answer& operator=(answer&& other) noexcept;
    ~answer() { release(); }

    std::size_t rows() const noexcept {
        if (kept_ != nullptr)
            return kept_rows_;
        return columns_ == 0 ? 0 : ends_.size() / columns_;
    }
    std::size_t columns() const noexcept { return columns_; }
    /// Of names and values together.
    std::size_t bytes() const noexcept;

    /// Empty for NULL. Valid until the answer is used again. Precondition: inside the answer.
    std::optional<std::string_view> at(std::size_t row, std::size_t column) const noexcept {
        assert(row < rows() && column < columns_);
        return kept_ != nullptr ? by_->value(kept_, row, column) : copied(row, column);
    }
    std::string_view column_name(std::size_t column) const noexcept;

    /// The command tag, e.g. "INSERT 0 1"; a COMMIT may be answered "ROLLBACK" (C1).
    std::string_view tag() const noexcept;
    /// Rows a data-changing statement touched, or 0.
    std::uint64_t affected() const noexcept;
    const std::vector<notice>& notices() const noexcept { return notices_; }
    transaction_status transaction() const noexcept { return transaction_; }

    /// For drivers: fill an answer in this order; capacity is kept.
    void clear() noexcept {
        release();
        columns_ = 0;
        transaction_ = transaction_status::unknown;
        if (filled_)
            empty();
    }
    void add_column(std::string_view name);
    /// Row by row, a value for each column.
    void add_value(std::optional<std::string_view> text);
    /// Instead of columns and values: takes over a result that by reads and releases.
    void keep(void* of, const result_reader& by, std::size_t rows, std::size_t columns) noexcept {
        release();
        kept_ = of;
        by_ = &by;
        kept_rows_ = rows;
        columns_ = columns;
    }
    void add_notice(notice what) {
        filled_ = true;
        notices_.push_back(std::move(what));
    }
    void finish(std::string_view tag, std::uint64_t affected, transaction_status state);
    /// With tag and count of the result that is kept.
    void finish(transaction_status state) noexcept { transaction_ = state; }

private:
    static constexpr std::uint32_t null_bit = 0x8000'0000U;

    std::optional<std::string_view> copied(std::size_t row, std::size_t column) const noexcept;
    void swap(answer& other) noexcept;
    void empty() noexcept;
    void release() noexcept {
        if (kept_ != nullptr)
            by_->release(std::exchange(kept_, nullptr));
    }

    void* kept_ = nullptr; // The driver's, if any.
    const result_reader* by_ = nullptr;
    std::size_t kept_rows_ = 0;
    std::size_t columns_ = 0;
    bool filled_ = false; // Some of the following has been used since the last clear().
    std::string bytes_;   // Column names, then values.
    std::vector<std::uint32_t> name_ends_;
    std::vector<std::uint32_t> ends_; // One per value; null_bit marks NULL.
    std::optional<std::string> tag_;  // Else the kept result's.
    std::uint64_t affected_ = 0;
    std::vector<notice> notices_;
    transaction_status transaction_ = transaction_status::unknown;
};

}

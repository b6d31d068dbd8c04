// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/answer.hpp>

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::inline v0::odbc {

using column_names = std::vector<std::string>;

/// What a statement brought, filled by the agent that calls the driver and read by an answer. Held
/// by the session that fills it again and by the answer that keeps it, whichever lives longer.
/// Not thread-safe but for hold() and release().
class flat_result {
public:
    struct place {
        std::size_t begin = 0;
        std::size_t length = 0;
        bool null = true;
    };

    /// But for the names, which nearly always stay the same.
    void clear() noexcept {
        used_ = 0;
        placed_ = 0;
        tag = {};
        affected = 0;
    }

    void set_names(const std::shared_ptr<const column_names>& names) noexcept {
        used_ = 0;
        placed_ = 0;
        if (names_ != names)
            names_ = names;
        affected = 0;
    }

    /// Room for at least so many bytes behind what is there.
    char* room(std::size_t least) {
        if (bytes_.size() - used_ < least)
            grow(least);
        return bytes_.data() + used_;
    }
    std::size_t room_left() const noexcept { return bytes_.size() - used_; }
    std::size_t used() const noexcept { return used_; }
    void use(std::size_t more) noexcept { used_ += more; }
    void add_place(const place& one) {
        if (placed_ == places_.size())
            grow_places();
        places_[placed_++] = one;
    }

    /// So many bytes, which are in the room already.
    void add_short(std::size_t length) {
        if (placed_ == places_.size()) [[unlikely]]
            grow_places();
        auto& next = places_[placed_++];
        next = {used_, length, false};
        used_ += length;
    }

    /// A short value from elsewhere, where `copied_at_once` bytes may be read.
    void add_copy(const char* from, std::size_t length) {
        char* const to = room(length + copied_at_once);
        std::memcpy(to, from, copied_at_once);
        if (length > copied_at_once)
            std::memcpy(to + copied_at_once, from + copied_at_once, length - copied_at_once);
        add_short(length);
    }

    std::size_t columns() const noexcept { return names_ ? names_->size() : 0; }
    std::size_t rows() const noexcept { return names_ ? placed_ / names_->size() : 0; }

    std::optional<std::string_view> value(std::size_t row, std::size_t column) const noexcept {
        const auto& one = places_[row * names_->size() + column];
        if (one.null)
            return std::nullopt;
        return std::string_view(bytes_.data() + one.begin, one.length);
    }
    std::string_view name(std::size_t column) const noexcept { return (*names_)[column]; }

    void hold() noexcept { holders_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }
    /// True if nobody else holds it, so that it may be filled again.
    bool only_ours() const noexcept { return holders_.load(std::memory_order_acquire) == 1; }

    std::string_view tag; ///< Of static duration.
    std::uint64_t affected = 0;

private:
    static constexpr std::size_t copied_at_once = 16;

    ~flat_result() = default;

    void grow(std::size_t least);
    void grow_places();

    std::string bytes_;
    std::size_t used_ = 0;
    std::vector<place> places_; ///< Only ever grows.
    std::size_t placed_ = 0;    ///< So many of them are used.
    std::shared_ptr<const column_names> names_;
    std::atomic<int> holders_{1};
};

struct release_result {
    void operator()(flat_result* one) const noexcept { one->release(); }
};

using held_result = std::unique_ptr<flat_result, release_result>;

/// Reads a flat_result that an answer keeps.
extern const result_reader reader;

}

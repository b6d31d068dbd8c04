// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/result.hpp"

namespace hadr::inline v0::odbc {

namespace {

const flat_result& result_of(const void* kept) noexcept {
    return *static_cast<const flat_result*>(kept);
}

}

void flat_result::grow(std::size_t least) {
    bytes_.resize(used_ + least + bytes_.size() / 2);
}

void flat_result::grow_places() {
    places_.resize(2 * placed_ + 8);
}

const result_reader reader{
    [](const void* kept, std::size_t row, std::size_t column) noexcept {
        return result_of(kept).value(row, column);
    },
    [](const void* kept, std::size_t column) noexcept { return result_of(kept).name(column); },
    [](const void* kept) noexcept { return result_of(kept).tag; },
    [](const void* kept) noexcept { return result_of(kept).affected; },
    [](void* kept) noexcept { static_cast<flat_result*>(kept)->release(); }};

}

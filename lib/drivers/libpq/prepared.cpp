// SPDX-License-Identifier: Apache-2.0
#include "drivers/libpq/prepared.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace hadr::inline v0::libpq {

const std::string* prepared_texts::name_of(std::string_view text) noexcept {
    if (last_is(text))
        return &all_.back().name;
    const auto found = std::find_if(all_.begin(), all_.end(), [text](const entry& one) {
        return one.text == text;
    });
    if (found == all_.end())
        return nullptr;
    std::swap(*found, all_.back());
    return &all_.back().name;
}

std::string prepared_texts::new_name() {
    return fmt::format("hadr_{}", ++named_);
}

void prepared_texts::add(std::string_view text, std::string name) {
    all_.push_back({std::string(text), std::move(name)});
}

}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::inline v0::libpq {

/// Texts that a session has prepared, and by what names. Not thread-safe.
class prepared_texts {
public:
    static constexpr std::size_t most = 256;

    /// Null if the text has none.
    const std::string* name_of(std::string_view text) noexcept;
    /// Whether it is the text whose name was asked for last.
    bool last_is(std::string_view text) const noexcept {
        return !all_.empty() && all_.back().text == text;
    }
    /// Precondition: there is one.
    const char* last_name() const noexcept { return all_.back().name.c_str(); }
    /// A name that no text of this session has had.
    std::string new_name();
    bool full() const noexcept { return all_.size() >= most; }
    void add(std::string_view text, std::string name);
    /// The one whose name was asked for last, or which was added since.
    void forget_last() noexcept { all_.pop_back(); }
    void forget_all() noexcept { all_.clear(); }

private:
    struct entry {
        std::string text;
        std::string name;
    };

    std::vector<entry> all_; // The one used last is the last.
    std::size_t named_ = 0;
};

}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/export.hpp>

#include <iosfwd>
#include <string>
#include <string_view>

namespace hadr::inline v0 {

/// Text that is never printed (X4) and is overwritten when released.
/// Not thread-safe: distinct objects may be used at once.
class HADR_EXPORT secret {
public:
    secret() = default;
    explicit secret(std::string_view text);
    secret(const secret& from);
    secret(secret&& from) noexcept;
    secret& operator=(const secret& from);
    secret& operator=(secret&& from) noexcept;
    ~secret();

    bool empty() const noexcept { return text_.empty(); }

    /// The text itself, valid while this object lives. For drivers only.
    std::string_view reveal() const noexcept { return text_; }

    friend HADR_EXPORT bool operator==(const secret& a, const secret& b) noexcept;

private:
    void wipe() noexcept;

    std::string text_;
};

/// Always "[redacted]", also when empty.
HADR_EXPORT std::ostream& operator<<(std::ostream& out, const secret& hidden);

}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hadr::test::tds {

/// UTF-16 little endian, as the protocol writes all text; what is no UTF-8 becomes U+FFFD.
std::string to_wide(std::string_view utf8);
/// UTF-8 of UTF-16 little endian: lone surrogates become U+FFFD, an odd last byte is left out.
std::string from_wide(std::string_view wide);

/// Reads little-endian fields. Beyond the end all is zero or empty, and ok() is false from then on.
class byte_source {
public:
    explicit byte_source(std::string_view of) noexcept : rest_(of) {}

    bool ok() const noexcept { return ok_; }
    std::size_t left() const noexcept { return rest_.size(); }
    void fail() noexcept {
        ok_ = false;
        rest_ = {};
    }

    std::uint64_t number(std::size_t bytes) noexcept;
    std::uint8_t byte() noexcept { return static_cast<std::uint8_t>(number(1)); }
    std::uint16_t two() noexcept { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t four() noexcept { return static_cast<std::uint32_t>(number(4)); }
    std::string_view bytes(std::size_t count) noexcept;
    /// So many UTF-16 units, as UTF-8.
    std::string text(std::size_t units) { return from_wide(bytes(units * 2)); }

private:
    std::string_view rest_;
    bool ok_ = true;
};

/// Writes little-endian fields.
class byte_sink {
public:
    byte_sink& number(std::uint64_t value, std::size_t bytes);
    byte_sink& byte(std::size_t value) { return number(value, 1); }
    byte_sink& two(std::size_t value) { return number(value, 2); }
    byte_sink& four(std::uint64_t value) { return number(value, 4); }
    byte_sink& bytes(std::string_view what);
    /// Text with its length in UTF-16 units before it, which takes so many bytes; cut to what fits.
    byte_sink& text(std::string_view utf8, std::size_t length_bytes);

    const std::string& made() const noexcept { return made_; }
    std::string take() noexcept { return std::move(made_); }

private:
    std::string made_;
};

}

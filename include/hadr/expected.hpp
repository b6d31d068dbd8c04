// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/error.hpp>

#include <cassert>
#include <optional>
#include <system_error>
#include <utility>
#include <variant>

namespace hadr::inline v0 {

/// Thrown by expected::value(), for callers who prefer exceptions. Nothing else throws it.
class HADR_EXPORT bad_expected_access : public std::system_error {
public:
    explicit bad_expected_access(failure cause);

    const failure& cause() const noexcept { return cause_; }

private:
    failure cause_;
};

/// A T or the failure that prevented it: the part of std::expected<T, failure> this library uses.
/// Always this type, also under C++23, so that the ABI does not depend on the caller's flags.
template <class T>
class [[nodiscard]] expected {
public:
    expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    expected(failure cause) : state_(std::in_place_index<1>, std::move(cause)) {}

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    /// Precondition: has_value().
    T& operator*() & noexcept { return assert_value(), *std::get_if<0>(&state_); }
    const T& operator*() const& noexcept { return assert_value(), *std::get_if<0>(&state_); }
    T&& operator*() && noexcept { return assert_value(), std::move(*std::get_if<0>(&state_)); }
    T* operator->() noexcept { return &**this; }
    const T* operator->() const noexcept { return &**this; }

    /// Throws bad_expected_access if there is no value.
    T& value() & { return has_value() ? **this : throw bad_expected_access(error()); }
    const T& value() const& { return has_value() ? **this : throw bad_expected_access(error()); }
    T&& value() && { return has_value() ? *std::move(*this) : throw bad_expected_access(error()); }

    /// Precondition: !has_value().
    const failure& error() const noexcept {
        assert(!has_value());
        return *std::get_if<1>(&state_);
    }

private:
    void assert_value() const noexcept { assert(has_value()); }

    std::variant<T, failure> state_;
};

/// Nothing, or the failure that prevented it.
template <>
class [[nodiscard]] expected<void> {
public:
    // Not defaulted: an expected<void>{} would be wiped as a whole first.
    expected() noexcept {}
    expected(failure cause) : cause_(std::move(cause)) {}

    bool has_value() const noexcept { return !cause_; }
    explicit operator bool() const noexcept { return has_value(); }

    /// Throws bad_expected_access if there is a failure.
    void value() const {
        if (cause_)
            throw bad_expected_access(*cause_);
    }

    /// Precondition: !has_value().
    const failure& error() const noexcept {
        assert(cause_);
        return *cause_;
    }

private:
    std::optional<failure> cause_;
};

}

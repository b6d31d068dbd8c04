// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/time.hpp>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace hadr::test {

/// What is wrong in a file of vectors, and where.
class bad_vector : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// One value of a file, with the way to it. Every question about it is answered, or throws
/// bad_vector.
class entry {
public:
    entry(const nlohmann::ordered_json& is, std::string place);

    bool null() const;
    bool list() const;
    bool object() const;

    std::string text() const; ///< Not empty.
    std::string word(std::initializer_list<std::string_view> known) const;
    std::uint64_t number(std::uint64_t most) const;
    bool flag() const;
    duration time() const; ///< "1200ms", "29min 59s"; to 10,000 hours.
    std::vector<entry> items() const;
    std::vector<std::string> texts() const;
    std::vector<std::pair<std::string, entry>> named() const; ///< In the order of the file.

    /// The same value, called otherwise in what is said of it.
    entry at(std::string place) const { return {*is_, std::move(place)}; }

    [[noreturn]] void wrong(const std::string& why) const;

private:
    const nlohmann::ordered_json* is_;
    std::string place_;
};

/// The fields of an object, taken by name; what nobody takes is an error.
class fields {
public:
    explicit fields(const entry& of);

    std::optional<entry> take(std::string_view name);
    entry need(std::string_view name);
    void finish() const;

    const entry& all() const noexcept { return of_; }

private:
    entry of_;
    std::vector<std::pair<std::string, entry>> left_;
};

/// A text as JSON, without names that occur twice. Throws bad_vector.
class document {
public:
    document(std::string file, std::string_view text);
    ~document();

    entry root() const { return {*is_, file_}; }

private:
    std::string file_;
    std::unique_ptr<nlohmann::ordered_json> is_;
};

}

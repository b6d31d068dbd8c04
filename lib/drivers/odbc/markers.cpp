// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/markers.hpp"

#include <algorithm>

namespace hadr::inline v0::odbc {

namespace {

constexpr unsigned most = 65535;

bool digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// A letter of a name, or any byte of one that is not ASCII.
bool of_a_name(char c) noexcept {
    return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

/// Reads a text from its front to its end.
class reading {
public:
    explicit reading(std::string_view text) : rest_(text) {}

    bool over() const noexcept { return rest_.empty(); }

    /// The length of what begins here and is passed on as it is, or 0.
    std::size_t literal() const noexcept {
        switch (rest_.front()) {
        case '\'': return quoted(1, '\'', escapes_);
        case '"': return quoted(1, '"', false);
        case '-': return rest_.starts_with("--") ? up_to("\n") : 0;
        case '/': return rest_.starts_with("/*") ? comment() : 0;
        case '$': return dollar_quoted();
        default: return 0;
        }
    }

    /// The number of a marker that begins here, or 0, and its length.
    unsigned marker(std::size_t& length) const noexcept {
        if (rest_.front() != '$' || in_name_)
            return 0;
        unsigned number = 0;
        length = 1;
        while (length < rest_.size() && digit(rest_[length]) && number <= most)
            number = number * 10 + static_cast<unsigned>(rest_[length++] - '0');
        return number;
    }

    std::string_view take(std::size_t length) noexcept {
        const auto taken = rest_.substr(0, length);
        rest_.remove_prefix(length);
        const char last = taken.back();
        // E'...' has escapes, but nothing else that ends with this letter.
        escapes_ = length == 1 && !in_name_ && (last == 'E' || last == 'e');
        in_name_ = length == 1 && (of_a_name(last) || (in_name_ && last == '$'));
        return taken;
    }

private:
    std::size_t up_to(std::string_view end) const noexcept {
        const auto found = rest_.find(end);
        return found == std::string_view::npos ? rest_.size() : found + end.size();
    }

    std::size_t quoted(std::size_t from, char quote, bool escapes) const noexcept {
        for (auto i = from; i < rest_.size(); ++i) {
            if (escapes && rest_[i] == '\\')
                ++i;
            else if (rest_[i] == quote) {
                if (i + 1 == rest_.size() || rest_[i + 1] != quote)
                    return i + 1;
                ++i;
            }
        }
        return rest_.size();
    }

    // They nest.
    std::size_t comment() const noexcept {
        int depth = 0;
        for (std::size_t i = 0; i + 1 < rest_.size(); ++i) {
            const auto two = rest_.substr(i, 2);
            if (two == "/*")
                ++depth, ++i;
            else if (two == "*/" && (++i, --depth == 0))
                return i + 1;
        }
        return rest_.size();
    }

    std::size_t dollar_quoted() const noexcept {
        if (in_name_ || rest_.size() < 2 || digit(rest_[1]))
            return 0;
        const auto end = std::find_if_not(rest_.begin() + 1, rest_.end(), of_a_name);
        if (end == rest_.end() || *end != '$')
            return 0;
        const auto tag = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()) + 1);
        const auto found = rest_.find(tag, tag.size());
        return found == std::string_view::npos ? rest_.size() : found + tag.size();
    }

    std::string_view rest_;
    bool in_name_ = false;
    bool escapes_ = false;
};

failure refused(std::string message) {
    return make_failure(errc::rejected_by_server, advice::give_up, std::move(message));
}

}

expected<marked_text> with_question_marks(std::string_view text) {
    marked_text made;
    made.text.reserve(text.size());
    for (reading from(text); !from.over();) {
        if (const auto length = from.literal()) {
            made.text += from.take(length);
            continue;
        }
        std::size_t length = 0;
        if (const auto number = from.marker(length)) {
            if (number > most)
                return refused("PostgreSQL takes 65,535 parameters at most");
            made.order.push_back(static_cast<std::uint16_t>(number - 1));
            from.take(length);
            made.text += '?';
            continue;
        }
        const auto one = from.take(1);
        if (one == "?")
            return refused(
                "an ODBC driver takes every '?' outside of quotes for a parameter; write the "
                "function instead of that operator (jsonb_exists for '?'), and $1 for parameters"
            );
        made.text += one;
    }
    return made;
}

}

// SPDX-License-Identifier: Apache-2.0
#include "support/tds/tds_text.hpp"

#include "support/tds/tds_bytes.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace hadr::test::tds {

namespace {

constexpr std::size_t replicated_max = 1U << 20U;
constexpr std::size_t series_max = 100'000;
constexpr std::size_t columns_max = 1000;

constexpr char lower(char one) noexcept {
    return one >= 'A' && one <= 'Z' ? static_cast<char>(one - 'A' + 'a') : one;
}

constexpr bool word_part(char one) noexcept {
    const char small = lower(one);
    return (small >= 'a' && small <= 'z') || (one >= '0' && one <= '9') || one == '_';
}

using value = std::optional<std::string>;

/// Takes the parts of a statement off its front; what is not there leaves it as it was.
class scanner {
public:
    explicit scanner(std::string_view text) noexcept : rest_(text) {}

    void skip_blanks() noexcept {
        while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n' ||
                                  rest_.front() == '\t' || rest_.front() == '\r'))
            rest_.remove_prefix(1);
    }

    bool at_end() noexcept {
        skip_blanks();
        if (!rest_.empty() && rest_.front() == ';')
            rest_.remove_prefix(1);
        skip_blanks();
        return rest_.empty();
    }

    bool mark(char wanted) noexcept {
        skip_blanks();
        if (rest_.empty() || rest_.front() != wanted)
            return false;
        rest_.remove_prefix(1);
        return true;
    }

    bool word(std::string_view lower_case) noexcept {
        skip_blanks();
        if (rest_.size() < lower_case.size() ||
            !std::equal(lower_case.begin(), lower_case.end(), rest_.begin(), [](char a, char b) {
                return a == lower(b);
            }))
            return false;
        if (rest_.size() > lower_case.size() && word_part(lower_case.back()) &&
            word_part(rest_[lower_case.size()]))
            return false;
        rest_.remove_prefix(lower_case.size());
        return true;
    }

    std::optional<std::int64_t> number() noexcept {
        skip_blanks();
        std::int64_t made = 0;
        const auto [end, wrong] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), made);
        if (wrong != std::errc())
            return std::nullopt;
        rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
        return made;
    }

    /// Between marks, where the closing one is doubled inside.
    std::optional<std::string> enclosed(char open, char close) {
        skip_blanks();
        if (rest_.empty() || rest_.front() != open)
            return std::nullopt;
        std::string made;
        for (std::size_t at = 1; at < rest_.size(); ++at) {
            if (rest_[at] != close) {
                made += rest_[at];
            } else if (at + 1 < rest_.size() && rest_[at + 1] == close) {
                made += close;
                ++at;
            } else {
                rest_.remove_prefix(at + 1);
                return made;
            }
        }
        return std::nullopt;
    }

    std::optional<std::string> literal() {
        skip_blanks();
        if (!rest_.empty() && lower(rest_.front()) == 'n' && rest_.size() > 1 && rest_[1] == '\'')
            rest_.remove_prefix(1);
        return enclosed('\'', '\'');
    }

    std::string_view rest() const noexcept { return rest_; }

private:
    std::string_view rest_;
};

std::optional<value> read_term(scanner& from, int depth);

// CAST(term AS type) leaves the text as it is.
std::optional<value> read_cast(scanner& from, int depth) {
    auto made = from.mark('(') ? read_term(from, depth + 1) : std::nullopt;
    if (!made || !from.word("as"))
        return std::nullopt;
    for (std::size_t words = 0; words < 8 && !from.mark(')'); ++words) {
        from.skip_blanks();
        const auto type = from.rest().substr(0, from.rest().find_first_of(" ()"));
        if (from.mark('(')) {
            if (!from.number() && !from.word("max"))
                return std::nullopt;
            if (!from.mark(')'))
                return std::nullopt;
        } else if (type.empty() || !from.word(std::string(type))) {
            return std::nullopt;
        }
    }
    return made;
}

std::optional<value> read_replicate(scanner& from, int depth) {
    const auto what = from.mark('(') ? read_term(from, depth + 1) : std::nullopt;
    const auto count = what && from.mark(',') ? from.number() : std::nullopt;
    if (!count || !from.mark(')') || *count < 0)
        return std::nullopt;
    if (!*what)
        return value();
    if ((*what)->size() * static_cast<std::uint64_t>(*count) > replicated_max)
        return std::nullopt;
    std::string made;
    for (std::int64_t i = 0; i < *count; ++i)
        made += **what;
    return value(std::move(made));
}

std::optional<value> read_term(scanner& from, int depth) {
    constexpr int depth_max = 8;
    if (depth > depth_max)
        return std::nullopt;
    if (auto text = from.literal())
        return value(std::move(*text));
    if (const auto number = from.number())
        return value(std::to_string(*number));
    if (from.word("null"))
        return value();
    if (from.word("cast"))
        return read_cast(from, depth);
    if (from.word("replicate"))
        return read_replicate(from, depth);
    if (from.word("@@spid"))
        return value("51");
    return std::nullopt;
}

// Values, and the names that go with them.
struct row_of_terms {
    std::vector<value> values;
    std::vector<std::string> names;
};

bool read_terms(scanner& from, row_of_terms& into) {
    do {
        auto one = read_term(from, 0);
        if (!one || into.values.size() == columns_max)
            return false;
        into.values.push_back(std::move(*one));
        into.names.push_back(
            from.word("as") ? from.enclosed('[', ']').value_or(std::string()) : ""
        );
    } while (from.mark(','));
    return true;
}

bool select_terms(scanner from, answer& into) {
    row_of_terms all;
    if (!read_terms(from, all))
        return false;
    auto& values = all.values;
    while (from.word("union")) {
        row_of_terms next;
        if (!from.word("all") || !from.word("select") || !read_terms(from, next) ||
            next.values.size() != all.names.size())
            return false;
        std::move(next.values.begin(), next.values.end(), std::back_inserter(values));
    }
    if (!from.at_end())
        return false;
    for (const auto& name : all.names)
        into.add_column(name);
    for (const auto& one : values)
        into.add_value(one ? std::optional<std::string_view>(*one) : std::nullopt);
    return true;
}

bool select_series(scanner from, answer& into) {
    if (!from.word("value") || !from.word("from") || !from.word("generate_series") ||
        !from.mark('('))
        return false;
    const auto first = from.number();
    const auto last = first && from.mark(',') ? from.number() : std::nullopt;
    if (!last || !from.mark(')') || !from.at_end() || *first < 0 || *last < *first ||
        *last - *first >= static_cast<std::int64_t>(series_max))
        return false;
    into.add_column("value");
    for (auto i = *first; i <= *last; ++i)
        into.add_value(std::to_string(i));
    return true;
}

std::optional<expected<void>> thrown(scanner from) {
    const auto number = from.number();
    const auto text = number && from.mark(',') ? from.literal() : std::nullopt;
    if (!text || !from.mark(',') || !from.number() || !from.at_end() || *number < 1 ||
        *number > 0x7FFF'FFFF)
        return std::nullopt;
    auto why = make_failure(errc::rejected_by_server, advice::give_up, "thrown");
    why.native = static_cast<int>(*number);
    why.server_text = *text;
    return why;
}

bool kits_own(std::string_view text) noexcept {
    return text.starts_with("append ") || text.starts_with("contains ");
}

std::string literal_of(const rpc_parameter& one) {
    if (!one.value)
        return "NULL";
    if (one.numeric)
        return *one.value;
    std::string made = "'";
    for (const char letter : *one.value) {
        made += letter;
        if (letter == '\'')
            made += letter;
    }
    return made + "'";
}

// The parameter whose name stands at the front, and the name's length.
const rpc_parameter* named_at(
    std::string_view rest, std::span<const rpc_parameter> among, std::size_t& length
) noexcept {
    length = 1;
    while (length < rest.size() && word_part(rest[length]))
        ++length;
    const auto name = rest.substr(0, length);
    for (std::size_t i = 0; i < among.size(); ++i)
        if (among[i].name == name ||
            (among[i].name.empty() && name == "@P" + std::to_string(i + 1)))
            return &among[i];
    return nullptr;
}

}

std::string with_parameters(std::string_view text, std::span<const rpc_parameter> parameters) {
    const bool plain = kits_own(text);
    std::string made;
    bool quoted = false;
    while (!text.empty() && made.size() < text_max) {
        quoted = quoted != (text.front() == '\'');
        std::size_t length = 1;
        const auto* const one =
            text.front() == '@' && !quoted ? named_at(text, parameters, length) : nullptr;
        if (one != nullptr)
            made += plain ? one->value.value_or("NULL") : literal_of(*one);
        else
            made += text.substr(0, length);
        text.remove_prefix(length);
    }
    return made;
}

std::string model_text(std::string_view text) {
    constexpr std::string_view around = " \t\r\n;";
    const auto begin = std::min(text.find_first_not_of(around), text.size());
    text = text.substr(begin, text.find_last_not_of(around) + 1 - begin);
    constexpr std::string_view verbs[] = {"begin", "commit", "rollback"};
    constexpr std::string_view forms[] = {"BEGIN TRANSACTION", "COMMIT", "ROLLBACK"};
    for (std::size_t i = 0; i < std::size(verbs); ++i) {
        scanner from(text);
        const bool if_open = i == 2 && from.word("if") && from.word("@@trancount") &&
                             from.mark('>') && from.number() == 0;
        if (!if_open)
            from = scanner(text);
        if (!from.word(verbs[i]))
            continue;
        const bool named = from.word("transaction") || from.word("tran") || from.word("work");
        if (from.at_end() && (named || i > 0))
            return std::string(forms[i]);
    }
    return std::string(text);
}

std::optional<std::string> used_database(std::string_view text) {
    scanner from(text);
    if (!from.word("use"))
        return std::nullopt;
    auto name = from.enclosed('[', ']');
    const bool ends = from.mark(';') || from.at_end();
    return ends ? name : std::nullopt;
}

std::optional<duration> delay_of(std::string_view text) {
    scanner from(text);
    if (!from.word("waitfor") || !from.word("delay"))
        return std::nullopt;
    const auto length = from.literal();
    if (!length)
        return std::nullopt;
    scanner of(*length);
    std::int64_t seconds = 0;
    for (int i = 0; i < 3; ++i) {
        const auto part = i == 0 || of.mark(':') ? of.number() : std::nullopt;
        if (!part || *part < 0 || *part > 59)
            return std::nullopt;
        seconds = seconds * 60 + *part;
    }
    std::int64_t thousandths = 0;
    if (of.mark('.')) {
        const auto digits = of.rest().size();
        const auto part = of.number();
        if (!part || *part < 0 || digits > 3)
            return std::nullopt;
        thousandths = *part * (digits == 1 ? 100 : digits == 2 ? 10 : 1);
    }
    if (!of.at_end())
        return std::nullopt;
    return std::chrono::seconds(seconds) + std::chrono::milliseconds(thousandths);
}

std::optional<expected<void>> answer_of(std::string_view text, answer& into) {
    scanner from(text);
    // What comes behind a change of the database is answered there.
    if (scanner used(text); used.word("use") && used.enclosed('[', ']') && used.mark(';'))
        from = used;
    if (from.word("throw"))
        return thrown(from);
    if (!from.word("select"))
        return std::nullopt;
    if (select_series(from, into) || select_terms(from, into))
        return expected<void>();
    return std::nullopt;
}

}

// SPDX-License-Identifier: Apache-2.0
#include <hadr/error.hpp>
#include <hadr/expected.hpp>

#include <fmt/format.h>

#include <ostream>

namespace hadr::inline v0 {

namespace {

std::string_view describe(errc code) noexcept {
    switch (code) {
    case errc::unreachable: return "no server answered";
    case errc::deadline_exceeded: return "deadline exceeded";
    case errc::wrong_role: return "server does not hold the required role";
    case errc::no_quorum: return "server has no quorum";
    case errc::read_only_degraded: return "read-only while degraded";
    case errc::outcome_unknown: return "outcome unknown";
    case errc::standby_not_provisioned: return "login refused by the new primary";
    case errc::configuration_invalid: return "invalid configuration";
    case errc::rejected_by_server: return "rejected by the server";
    case errc::closed: return "closed";
    case errc::stopped: return "stopped by the caller";
    }
    return {};
}

class category final : public std::error_category {
public:
    const char* name() const noexcept override { return "hadr"; }

    std::string message(int code) const override {
        const auto text = describe(static_cast<errc>(code));
        return text.empty() ? fmt::format("unknown error {}", code) : std::string(text);
    }
};

// The length of the valid UTF-8 sequence at the front, or 0.
std::size_t sequence_length(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                                             : 4;
    if (length == 0 || lead > 0xF4 || text.size() < length)
        return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0U) != 0x80)
            return 0;
    const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
    const bool surrogate = lead == 0xED && byte(1) >= 0xA0;
    const bool beyond = lead == 0xF4 && byte(1) >= 0x90;
    return overlong || surrogate || beyond ? 0 : length;
}

}

const std::error_category& error_category() noexcept {
    static const category instance;
    return instance;
}

std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), error_category()};
}

bad_expected_access::bad_expected_access(failure cause)
    : std::system_error(cause.code, cause.message)
    , cause_(std::move(cause)) {}

std::string_view to_string(errc code) noexcept {
    switch (code) {
    case errc::unreachable: return "unreachable";
    case errc::deadline_exceeded: return "deadline_exceeded";
    case errc::wrong_role: return "wrong_role";
    case errc::no_quorum: return "no_quorum";
    case errc::read_only_degraded: return "read_only_degraded";
    case errc::outcome_unknown: return "outcome_unknown";
    case errc::standby_not_provisioned: return "standby_not_provisioned";
    case errc::configuration_invalid: return "configuration_invalid";
    case errc::rejected_by_server: return "rejected_by_server";
    case errc::closed: return "closed";
    case errc::stopped: return "stopped";
    }
    return "unknown";
}

std::string_view to_string(advice next) noexcept {
    switch (next) {
    case advice::give_up: return "give_up";
    case advice::retry: return "retry";
    case advice::verify: return "verify";
    }
    return "unknown";
}

failure make_failure(errc code, advice next, std::string message) {
    return {make_error_code(code), next, {}, 0, std::move(message), {}};
}

std::string to_string(const failure& what) {
    std::string line = what.code.category() == error_category()
                           ? std::string(to_string(static_cast<errc>(what.code.value())))
                           : what.code.message();
    if (!what.message.empty())
        line += ": " + what.message;
    if (!what.sqlstate.empty())
        line += fmt::format(" [{}]", what.sqlstate);
    if (what.native != 0)
        line += fmt::format(" (error {})", what.native);
    if (!what.server_text.empty())
        line += fmt::format(" (server: {})", what.server_text);
    return line;
}

std::ostream& operator<<(std::ostream& out, const failure& what) {
    return out << to_string(what);
}

std::string escaped(std::string_view server_text, std::size_t bytes_max) {
    std::string text;
    while (!server_text.empty()) {
        const auto length = sequence_length(server_text);
        const auto byte = static_cast<unsigned char>(server_text.front());
        // U+0080 to U+009F are control characters as well: U+0085 ends a line, U+009B begins a
        // terminal's commands.
        const bool control =
            byte < 0x20 || byte == 0x7F ||
            (byte == 0xC2 && length == 2 && static_cast<unsigned char>(server_text[1]) < 0xA0);
        const bool plain = length > 0 && !control && byte != '\\';
        const auto piece = plain          ? std::string(server_text.substr(0, length))
                           : byte == '\\' ? std::string("\\\\")
                                          : fmt::format("\\x{:02X}", byte);
        if (text.size() + piece.size() > bytes_max)
            break;
        text += piece;
        server_text.remove_prefix(plain ? length : 1);
    }
    return text;
}

}

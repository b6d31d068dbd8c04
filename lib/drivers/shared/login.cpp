// SPDX-License-Identifier: Apache-2.0
#include "drivers/shared/login.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace hadr::inline v0::drivers {

namespace {

// It may be there again at the next login, and says nothing of the server (F48).
failure no_password_now(std::string message) {
    auto why = make_failure(errc::unreachable, advice::retry, std::move(message));
    why.native = local_cause;
    return why;
}

expected<secret> asked(const profile& with) {
    try {
        return with.password_asked(with.user);
    } catch (...) { // F44. What it says may hold the secret (X4).
        return no_password_now("the callback that is asked for the password threw an exception");
    }
}

secret taken_from(std::string& text) {
    secret found(text);
    std::fill(text.begin(), text.end(), '\0');
    return found;
}

}

expected<secret> password_for(const profile& with, world& through) {
    if (with.password_asked)
        return asked(with);
    if (!with.password_file.empty()) {
        auto text = through.load(with.password_file);
        if (!text)
            return no_password_now(text.error().message);
        while (!text->empty() && (text->back() == '\n' || text->back() == '\r'))
            text->pop_back();
        return taken_from(*text);
    }
    if (!with.password_environment.empty()) {
        auto text = through.environment(with.password_environment);
        if (!text)
            return no_password_now(text.error().message);
        return taken_from(*text);
    }
    return with.password;
}

std::string place_of(const target& to) {
    if (to.at.host.empty())
        return to.with->odbc_source.empty() ? "the database" : to.with->odbc_source;
    const auto name = to_string(to.at);
    return to.address.empty() || to.address == to.at.host
               ? name
               : fmt::format("{} ({})", name, to.address);
}

}

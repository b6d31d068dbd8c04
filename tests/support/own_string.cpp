// SPDX-License-Identifier: Apache-2.0
#include "support/own_string.hpp"

#include <stdexcept>

namespace hadr::test {

void spoil_password(profile& of) {
    of.password = secret("this is not the password");
    of.password_environment.clear();
    of.password_file.clear();
}

own_string::own_string(std::string_view text) {
    auto parsed = parse(text);
    if (!parsed)
        throw std::runtime_error(to_string(parsed.error()));
    says_ = *std::move(parsed);
}

std::string own_string::but(const change& other) const {
    auto changed = says_;
    auto with = *says_.with;
    other(changed, with);
    std::string password = "{";
    for (const char c : with.password.reveal())
        password.append(c == '}' ? 2 : 1, c);
    const bool said = !with.password.empty();
    with.password = secret(); // It would print as redacted.
    changed.with = std::make_shared<profile>(std::move(with));
    return print(changed) + (said ? ";PWD=" + password + "}" : std::string());
}

std::string own_string::standalone(const endpoint& at, const change& other) const {
    return but([&](store_specification& store, profile& with) {
        store_specification bare;
        bare.driver = store.driver;
        bare.kind = store.kind;
        bare.name = store.name;
        bare.servers = {at};
        store = std::move(bare);
        if (other)
            other(store, with);
    });
}

}

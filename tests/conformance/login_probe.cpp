// SPDX-License-Identifier: Apache-2.0
// usage: login_probe HOST ADDRESS PORT USER PASSWORD ENCRYPT [AUTHORITY]
// Logs in once and prints where it came out and how it was secured, or the failure.
#include <hadr/libpq.hpp>
#include <hadr/world.hpp>

#include <cstdlib>
#include <iostream>
#include <optional>

namespace {

using namespace hadr;

constexpr const char* question =
    "select format('server=%s database=%s user=%s tls=%s application=%s read_only=%s path=%s "
    "encoding=%s walsender=%s', current_setting('port'), current_database(), session_user, "
    "(select ssl from pg_stat_ssl where pid = pg_backend_pid()), "
    "current_setting('application_name'), current_setting('default_transaction_read_only'), "
    "current_setting('search_path'), current_setting('client_encoding'), "
    "(select count(*) from pg_stat_get_wal_senders() w(pid) where w.pid = pg_backend_pid()))";

struct ending final : completion {
    std::optional<expected<void>> how;
    void completed(expected<void> told) noexcept override { how = std::move(told); }
};

int fail(const failure& why) {
    std::cout << to_string(why) << '\n';
    return 1;
}

}

int main(int count, char** words) {
    if (count < 7)
        return 2;
    auto with = std::make_shared<profile>();
    with->user = words[4];
    with->password = secret(std::string(words[5]));
    with->database = "postgres";
    with->application_name = "probe";
    const bool secured = std::string_view(words[6]) == "verify_full";
    with->encrypt = secured ? encryption::verify_full : encryption::disable;
    if (count > 7)
        with->root_certificate = words[7];
    target to;
    to.at = {words[1], static_cast<std::uint16_t>(std::atoi(words[3])), {}};
    to.address = words[2];
    to.with = with;
    const auto through = real_world();
    const auto until = through->now() + std::chrono::seconds(20);
    auto made = libpq::make_driver()->connect(to, until, *through, nullptr);
    if (!made)
        return fail(made.error());
    ending end;
    answer brought;
    (*made)->start({question}, brought, end);
    for ((*made)->advance(); !end.how && through->now() < until; (*made)->advance())
        through->wait((*made)->waits_for().descriptor, (*made)->waits_for().wanted, until);
    if (!end.how)
        return 3;
    if (!*end.how)
        return fail(end.how->error());
    std::cout << brought.at(0, 0).value_or("") << '\n';
    return 0;
}

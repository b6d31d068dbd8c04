// SPDX-License-Identifier: Apache-2.0
// Passwords of stores behind ODBC, searched for in everything that the library says of them (X4).
#include "property/strings.hpp"
#include "sql_server/pair.hpp"
#include "support/listener.hpp"
#include "support/odbc_logins.hpp"
#include "support/process.hpp"

#include <hadr/odbc.hpp>

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <sstream>

namespace hadr::test {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

namespace {

/// Letters that occur in no text of the library, with a serial for each password.
constexpr std::string_view letters = "qZ7jXv9WkQ3pYm";
constexpr std::size_t canaries = 24;

std::string hexadecimal(std::string_view value) {
    std::string made;
    for (const char c : value)
        made += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return made;
}

/// As LOGIN7 has it: two bytes a letter, nibbles swapped, all but hidden.
std::string obfuscated(std::string_view value) {
    std::string made;
    for (const char c : value)
        for (const unsigned byte : {static_cast<unsigned>(static_cast<unsigned char>(c)), 0U})
            made += static_cast<char>(((byte << 4U | byte >> 4U) & 0xFFU) ^ 0xA5U);
    return made;
}

/// All the forms in which it could be found: as it is, in percent signs, in base64 wherever it
/// begins, in hexadecimal, and as a driver sends it.
std::vector<std::string> forms_of(std::string_view canary) {
    std::vector<std::string> all = {
        std::string(canary), percent_encoded(canary), hexadecimal(canary), obfuscated(canary)};
    for (std::size_t shift = 0; shift < 3; ++shift)
        all.push_back(base64(canary.substr(shift, 12)));
    return all;
}

std::size_t found_in(std::string_view output, std::string_view canary) {
    std::size_t made = 0;
    for (const auto& form : forms_of(canary))
        made += output.find(form) != std::string::npos ? 1U : 0U;
    return made;
}

/// Everything that is said, by anybody.
class ear {
public:
    void hear(std::string_view text) {
        const std::lock_guard guard(mutex_);
        all_ += text;
        all_ += '\n';
    }

    std::string all() const {
        const std::lock_guard guard(mutex_);
        return all_;
    }

private:
    mutable std::mutex mutex_; // Guards all_.
    std::string all_;
};

/// Opens a store, uses it, breaks it, and listens.
void listen_to(const std::string& text, const std::shared_ptr<ear>& to) {
    open_options options{.drivers = {odbc::make_driver()}};
    options.on_event = [to](const event& what) { to->hear(to_string(what)); };
    options.log = [to](log_level, std::string_view line) { to->hear(line); };
    const auto store = open(text, std::move(options));
    if (!store) {
        to->hear(to_string(store.error()));
        return;
    }
    auto held = (*store)->acquire({.intent = intent::write, .until = deadline::in(150ms)});
    if (!held) {
        to->hear(to_string(held.error()));
    } else if (const auto how = held->execute("THROW 50000, 'no', 1"); !how) {
        to->hear(to_string(how.error()));
        to->hear(how.error().server_text);
    }
    for (const auto wanted : {intent::write, intent::read}) {
        const auto why = (*store)->explain(wanted);
        to->hear(why.summary);
        for (const auto& one : why.candidates)
            to->hear(one.why);
    }
    to->hear(to_string(*(*store)->view()));
    to->hear(print((*store)->specification()));
    if (const auto how = (*store)->reconfigure(text + ";Colour=red"); !how)
        to->hear(to_string(how.error()));
    if (const auto how = (*store)->reconfigure(text + ";PWD=" + text); !how)
        to->hear(to_string(how.error()));
    if (const auto plan = (*store)->plan({}); !plan)
        to->hear(to_string(plan.error()));
}

struct secretive {
    tds_double::settings all_welcome = [] {
        auto how = quick();
        how.any_credentials = true;
        return how;
    }();
    tds_double welcoming{all_welcome};
    tds_double refusing{quick()};
    scripted_listener wants_it_in_clear{asks_for_the_password()};
    scripted_listener refuses{refuses_the_login("28P01")};
    int nobody = free_port();
    std::shared_ptr<ear> said = std::make_shared<ear>();

    std::string pair(std::string_view driver, const tds_double& of, std::string_view password) {
        return fmt::format(
            "Driver={{{}}};Mode=mirroring;Server={},{};Failover_Partner={},{};Database=d;UID=u;"
            "Encrypt=disable;PWD={}",
            driver,
            tds_double::address(site::one),
            of.port(site::one),
            tds_double::address(site::two),
            of.port(site::two),
            in_braces(password)
        );
    }

    static std::string single(std::string_view driver, int port, std::string_view password) {
        return fmt::format(
            "Driver={{{}}};Server=127.0.0.1,{};Database=d;UID=u;Encrypt=disable;PWD={}",
            driver,
            port,
            in_braces(password)
        );
    }

    /// Takes its turn by the serial, so that all ways come with all kinds of letters around.
    std::string store_of(std::size_t serial, std::string_view password) {
        switch (serial % 6) {
        case 0: return pair("FreeTDS", welcoming, password);
        case 1: return pair("FreeTDS", refusing, password);
        case 2: return single("PostgreSQL Unicode", wants_it_in_clear.port(), password);
        case 3: return single("PostgreSQL Unicode", refuses.port(), password);
        case 4: return single("MariaDB", nobody, password);
        default: return single("FreeTDS", nobody, password);
        }
    }
};

}

BOOST_FIXTURE_TEST_SUITE(secrets_of_odbc_stores, secretive, *utf::label("X4"))

BOOST_AUTO_TEST_CASE(are_found_by_this_test_where_somebody_leaks_them) {
    const auto canary = std::string(letters) + "00";
    const std::string leaks[] = {
        "login with PWD=" + canary,
        "url " + percent_encoded("a" + canary),
        "header " + base64(canary + "tail"),
        "header " + base64("a" + canary),
        "header " + base64("ab" + canary),
        "dump " + hexadecimal("x" + canary),
        "packet " + obfuscated(canary)};
    for (const auto& line : leaks) {
        said->hear(line);
        BOOST_TEST(found_in(line, canary) > 0U, line);
    }
    BOOST_TEST(found_in(said->all(), canary) >= 4U);
    BOOST_TEST(found_in("nothing of the kind", canary) == 0U);
}

BOOST_AUTO_TEST_CASE(are_in_nothing_that_is_said, *utf::label("X5")) {
    constexpr std::string_view around[] = {"", "a b", ";", "=", "%41", "'\"", "@:/?&", "#\\,"};
    std::vector<std::string> passwords;
    for (std::size_t i = 0; i < canaries; ++i) {
        const auto before = around[i % std::size(around)];
        const auto behind = around[(i / 3) % std::size(around)];
        passwords.push_back(fmt::format("{}{}{:02}{}", before, letters, i, behind));
        listen_to(store_of(i, passwords.back()), said);
    }
    const auto all = said->all();
    std::size_t found = 0;
    for (std::size_t i = 0; i < canaries; ++i)
        found += found_in(all, fmt::format("{}{:02}", letters, i));
    fmt::print("figure secret_canaries {}\n", canaries);
    fmt::print("figure secrets_in_output {}\n", found);
    BOOST_TEST(all.size() > 10'000U, "something was said");
    BOOST_TEST(all.find("[redacted]") != std::string::npos);
    BOOST_TEST(all.find("18456") != std::string::npos);
    BOOST_TEST(found == 0U, all);
    const auto logins = welcoming.logins();
    BOOST_TEST(!logins.empty());
    for (const auto& one : logins) // And yet they were used.
        BOOST_TEST(one.password.find(letters) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(are_in_no_connection_string_that_is_kept, *utf::label("X5")) {
    const auto before = odbc_logins().size();
    const auto kept = fmt::format("kept {}78", letters);
    BOOST_TEST(hidden_text(kept).copies_in_memory() >= 1U, "what is kept is found");
    const auto store = open(
        pair("FreeTDS", welcoming, fmt::format("{}77", letters)), {.drivers = {odbc::make_driver()}}
    );
    BOOST_TEST_REQUIRE(store.has_value());
    BOOST_TEST((*store)->acquire({.intent = intent::write, .until = deadline::in(10s)}).has_value()
    );
    const auto all = odbc_logins();
    BOOST_TEST_REQUIRE(all.size() > before);
    for (auto one = before; one < all.size(); ++one) {
        BOOST_TEST(all[one].connected);
        BOOST_TEST(!all[one].asks_for_another);
        BOOST_TEST(!all[one].may_prompt);
        // On the stack of the thread that logged in the driver manager leaves one behind.
        wait_until("that thread to end", 20s, [&] {
            return all[one].connection_string.copies_in_memory() == 0U;
        });
    }
    BOOST_TEST((*store)->acquire({.intent = intent::write, .until = deadline::in(10s)}).has_value()
    );
}

BOOST_AUTO_TEST_SUITE_END()

}

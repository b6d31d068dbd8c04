// SPDX-License-Identifier: Apache-2.0
#include "property/odbc_parsers.hpp"
#include "property/odbc_strings.hpp"

#include <boost/test/unit_test.hpp>

#include <rapidcheck.h>

namespace utf = boost::unit_test;

namespace hadr::test {

namespace {

/// What one of the drivers is called, and how it reads.
struct known_driver {
    std::string name;
    connection_parser reads;
    std::string passed_through;
    bool latin1 = false;
    std::string_view application_key;
};

const std::vector<known_driver>& known_drivers() {
    static const std::vector<known_driver> all = {
        {"FreeTDS", as_freetds, "Language", true, "APP"},
        {"PostgreSQL Unicode", as_psqlodbc, "MaxVarcharSize", false, ""},
        {"MariaDB Unicode", as_mariadb, "Charset", false, ""},
        {"SQLite3", as_sqlite, "Timeout", false, ""},
        {"ODBC Driver 17 for SQL Server", as_unixodbc, "Language", false, "APP"},
        {"ODBC Driver 18 for SQL Server", as_unixodbc, "Language", false, "APP"}};
    return all;
}

/// Of any bytes, with the signs that matter.
rc::Gen<std::string> any_value() {
    const auto pieces = pieces_of({});
    auto joined = rc::gen::map(
        rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(pieces)),
        [](const auto& parts) {
            std::string made;
            for (const auto& one : parts)
                made += one;
            return made;
        }
    );
    auto signs = rc::gen::container<std::string>(rc::gen::element(
        ';', '=', '{', '}', ' ', '\'', '\\', '%', '+', 'a', '\xc3', '\xa9', '\n', '\0'
    ));
    return rc::gen::oneOf(std::move(joined), std::move(signs), rc::gen::arbitrary<std::string>());
}

std::string from_latin1(const std::string& text) {
    std::string made;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            made += c;
        } else {
            made += static_cast<char>(0xC0U | byte >> 6U);
            made += static_cast<char>(0x80U | (byte & 0x3FU));
        }
    }
    return made;
}

std::string_view place_of(victim which, const known_driver& driver) {
    switch (which) {
    case victim::user: return "UID";
    case victim::password: return "PWD";
    case victim::database: return "Database";
    case victim::application_name: return driver.application_key;
    case victim::passed_through: return driver.passed_through;
    }
    return {};
}

/// The same login with a value that no grammar minds.
read_pairs with_harmless(hostile_login login, const connection_parser& reads, std::string value) {
    login.value = std::move(value);
    return reads(std::string(login.text().value().reveal()));
}

void check_pairs(const known_driver& driver, const hostile_login& login, const std::string& text) {
    const auto own = place_of(login.which, driver);
    const std::string harmless = login.which == victim::passed_through ? "7" : "harmless";
    for (const auto& reads : {driver.reads, connection_parser(as_unixodbc)}) {
        const auto read = reads(text);
        auto meant = with_harmless(login, reads, harmless);
        RC_ASSERT(read.size() == meant.size());
        for (const auto& [key, value] : meant) {
            RC_ASSERT(read.contains(key));
            const bool hostile = !key_less()(key, own) && !key_less()(own, key);
            const bool inside = login.which == victim::application_name && key == "pqopt";
            if (!hostile && !inside)
                RC_ASSERT(read.at(key) == value);
        }
    }
    if (own.empty() || login.which == victim::application_name)
        return;
    const auto value = driver.reads(text).at(std::string(own));
    RC_ASSERT((driver.latin1 ? from_latin1(value) : value) == login.value);
}

bool names_its_key_only(const failure& why, const hostile_login& login) {
    const auto key = key_of(login.which, login.passed_through);
    const bool named = why.message.starts_with(key) || why.message.find(key) != std::string::npos;
    const bool told = login.value.size() > 20 && why.message.find(login.value) != std::string::npos;
    return named && !told && why.code == errc::configuration_invalid && why.next == advice::give_up;
}

}

BOOST_AUTO_TEST_SUITE(odbc_connection_strings)

BOOST_AUTO_TEST_CASE(keep_a_value_one_value_for_driver_and_driver_manager, *utf::label("X5")) {
    std::size_t written = 0;
    std::size_t refused = 0;
    BOOST_TEST(rc::check("read == meant", [&] {
        const auto& driver = *rc::gen::elementOf(known_drivers());
        hostile_login login;
        login.driver = driver.name;
        login.passed_through = driver.passed_through;
        login.which =
            *rc::gen::elementOf(std::vector<victim>(std::begin(victims), std::end(victims)));
        login.value = *any_value();
        const auto text = login.text();
        RC_LOG() << login.driver << ", " << key_of(login.which, login.passed_through) << '\n';
        if (!text) {
            ++refused;
            RC_ASSERT(names_its_key_only(text.error(), login));
            return;
        }
        ++written;
        if (login.value.empty())
            return;
        check_pairs(driver, login, std::string(text->reveal()));
    }));
    BOOST_TEST(written > 10U); // Both, of a hundred at least.
    BOOST_TEST(refused > 10U);
}

BOOST_AUTO_TEST_CASE(hold_libpqs_options_as_they_are_meant, *utf::label("X2")) {
    BOOST_TEST(rc::check("options == meant", [] {
        hostile_login login;
        login.driver = "PostgreSQL Unicode";
        login.which = victim::application_name;
        login.value = *rc::gen::suchThat(any_value(), [](const std::string& value) {
            return value.find('\0') == std::string::npos && value.size() < 400;
        });
        const auto text = login.text();
        RC_ASSERT(text.has_value());
        const auto options = as_libpq(as_psqlodbc(std::string(text->reveal())).at("pqopt"));
        RC_ASSERT(options.size() == 22U);
        RC_ASSERT(options.at("hostaddr") == "127.0.0.1");
        RC_ASSERT(options.at("application_name") == (login.value.empty() ? "hadr" : login.value));
    }));
}

BOOST_AUTO_TEST_SUITE_END()

}

// SPDX-License-Identifier: Apache-2.0
// usage: odbc_hostile COUNT: so many hostile values through the real drivers, each with two
// servers: ours, which must hear the value byte for byte, and an attacker's, which must hear
// nothing. No file may be made by a value.
#include "property/odbc_listeners.hpp"
#include "property/odbc_strings.hpp"
#include "property/scratch_folder.hpp"

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>

#include <sql.h>
#include <sqlext.h>

namespace hadr::test {

namespace {

namespace fs = std::filesystem;

/// An ODBC handle, freed.
class handle {
public:
    handle(SQLSMALLINT kind, SQLHANDLE of) : kind_(kind) {
        if (!SQL_SUCCEEDED(SQLAllocHandle(kind, of, &made_)))
            throw std::runtime_error("no ODBC handle");
        if (kind == SQL_HANDLE_ENV)
            SQLSetEnvAttr(
                made_, SQL_ATTR_ODBC_VERSION, reinterpret_cast<SQLPOINTER>(SQL_OV_ODBC3), 0
            );
    }
    handle(const handle&) = delete;
    handle& operator=(const handle&) = delete;
    ~handle() { SQLFreeHandle(kind_, made_); }

    SQLHANDLE get() const noexcept { return made_; }

private:
    const SQLSMALLINT kind_;
    SQLHANDLE made_ = SQL_NULL_HANDLE;
};

/// A folder that the process stands in, so that a file named without one would be seen.
class scratch {
public:
    scratch() { fs::current_path(here_.path()); }
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;
    ~scratch() {
        std::error_code ignored;
        fs::current_path(before_, ignored);
    }

    /// What lies there, which is then removed.
    std::set<std::string> clear() const {
        std::set<std::string> names;
        for (const auto& one : fs::directory_iterator(folder()))
            names.insert(one.path().filename().string());
        for (const auto& one : names)
            fs::remove_all(folder() / one);
        return names;
    }
    const fs::path& folder() const noexcept { return here_.path(); }

private:
    const fs::path before_ = fs::current_path();
    const scratch_folder here_{"hadr-odbc"};
};

struct subject {
    std::string name; ///< As in Driver=.
    std::string passed_through;
    login_script script; ///< None: a file is opened.
    bool application_name = false;
    bool checks_passed_through = false; ///< Before it connects.
};

struct counts {
    std::size_t values = 0;
    std::size_t refused = 0;
    std::size_t escapes = 0;
};

class trial {
public:
    trial(const subject& of, std::uint64_t seed)
        : of_(of)
        , random_(seed)
        , pieces_(pieces_of({"127.0.0.1", theirs_.port(), "stolen"})) {
        if (of.script)
            ours_ = std::make_unique<login_listener>(of.script);
        // The driver stays loaded as long as one handle uses it.
        connect(keeper_, "Driver=" + of.name + ";Database=:memory:;");
    }

    counts run(std::size_t values) {
        while (done_.values < values) {
            const auto login = next();
            const auto text = login.text();
            if (!text) {
                ++done_.refused;
                continue;
            }
            ++done_.values;
            try_one(login, std::string(text->reveal()));
        }
        return done_;
    }

    /// What a string made without care would do: proves that an escape would be seen.
    bool naive_string_escapes() {
        const auto before = theirs_.connections();
        for (int i = 0; i < 2'000 && theirs_.connections() == before && fs::is_empty("."); ++i) {
            const handle connection(SQL_HANDLE_DBC, environment_.get());
            const auto value = hostile_value(random_, pieces_);
            const auto place =
                ours_ ? "Server=127.0.0.1;Port=" + std::to_string(ours_->port()) : "";
            connect(
                connection,
                "Driver=" + of_.name + ";Database=:memory:;UID=app;PWD=" + value +
                    ";TDS_Version=7.4;" + place + ";" + value
            );
            SQLDisconnect(connection.get());
        }
        if (ours_)
            ours_->take();
        const bool escaped = theirs_.connections() != before || !folder_.clear().empty();
        before_ = theirs_.connections();
        return escaped;
    }

private:
    hostile_login next() {
        hostile_login made;
        made.driver = of_.name;
        made.passed_through = of_.passed_through;
        made.port = ours_ ? ours_->port() : 0;
        made.which = ours_                ? victims[random_() % std::size(victims)]
                     : random_() % 8 != 0 ? victim::database
                                          : victim::passed_through;
        made.value = hostile_value(random_, pieces_);
        if (!ours_) // Of the scratch folder: a file elsewhere would be somebody's.
            made.value.erase(0, made.value.find_first_not_of('/'));
        return made;
    }

    SQLRETURN connect(const handle& by, std::string text) const {
        SQLSetConnectAttr(
            by.get(), SQL_ATTR_LOGIN_TIMEOUT, reinterpret_cast<SQLPOINTER>(SQLULEN{5}), 0
        );
        return SQLDriverConnect(
            by.get(),
            nullptr,
            reinterpret_cast<SQLCHAR*>(text.data()),
            static_cast<SQLSMALLINT>(text.size()),
            nullptr,
            0,
            nullptr,
            SQL_DRIVER_NOPROMPT
        );
    }

    void try_one(const hostile_login& login, std::string text) {
        const handle connection(SQL_HANDLE_DBC, environment_.get());
        const auto how = connect(connection, std::move(text));
        if (!SQL_SUCCEEDED(how) && of_the_manager(connection))
            escaped(login, "made the driver manager look for another driver");
        if (ours_)
            judge_login(login, ours_->take());
        else
            judge_file(login, SQL_SUCCEEDED(how) ? file_of(connection) : std::nullopt);
        if (SQL_SUCCEEDED(how))
            SQLDisconnect(connection.get());
        auto files = folder_.clear();
        if (!ours_)
            files.erase(*normal(login.to().with->database).begin());
        if (!files.empty())
            escaped(login, "made a file: " + *files.begin());
        if (theirs_.connections() != before_)
            escaped(login, "reached the attacker's server");
        before_ = theirs_.connections();
    }

    static bool of_the_manager(const handle& connection) {
        std::array<SQLCHAR, 6> state{};
        SQLINTEGER native = 0;
        const auto how = SQLGetDiagRec(
            SQL_HANDLE_DBC, connection.get(), 1, state.data(), &native, nullptr, 0, nullptr
        );
        return SQL_SUCCEEDED(how) && state[0] == 'I' && state[1] == 'M';
    }

    void judge_login(const hostile_login& login, const std::vector<spoken_login>& heard) {
        if (heard.empty() && login.which == victim::passed_through && of_.checks_passed_through)
            return;
        if (heard.size() != 1)
            return escaped(login, "made " + std::to_string(heard.size()) + " logins");
        auto said = heard.front();
        const auto to = login.to();
        const auto same = [&](const char* name, const std::string& meant) {
            if (std::exchange(said[name], "") != meant)
                escaped(login, std::string("changed ") + name);
        };
        same("user", to.with->user);
        same("password", std::string(login.password().reveal()));
        same("database", to.with->database);
        if (of_.application_name)
            same("application_name", application_name(login));
        for (const auto& [name, value] : said)
            if (!value.empty() && !usual(name, value, login))
                escaped(login, "said " + name + ": " + value);
    }

    std::string application_name(const hostile_login& login) const {
        const bool whole = family_of(of_.name) == odbc_family::psqlodbc;
        auto name = login.to().with->application_name;
        if (!whole)
            name.resize(std::min<std::size_t>(name.size(), 128));
        for (char& c : name)
            if (!whole && (c < ' ' || c > '~' || c == ';' || c == '{' || c == '}'))
                c = '?';
        return name;
    }

    bool
    usual(const std::string& name, const std::string& value, const hostile_login& login) const {
        if (name == "language" && login.which == victim::passed_through)
            return value == login.value || value == "us_english";
        return (name == "language" && value == "us_english") ||
               (name == "server" && value == "127.0.0.1") ||
               (name == "client_encoding" && value == "UTF8") ||
               (name == "options" && value == " ");
    }

    std::optional<std::string> file_of(const handle& connection) const {
        const handle statement(SQL_HANDLE_STMT, connection.get());
        std::string text = "PRAGMA database_list";
        auto* const words = reinterpret_cast<SQLCHAR*>(text.data());
        if (!SQL_SUCCEEDED(SQLExecDirect(statement.get(), words, SQL_NTS)) ||
            !SQL_SUCCEEDED(SQLFetch(statement.get())))
            return std::nullopt;
        std::string name(4096, '\0');
        SQLLEN length = 0;
        SQLGetData(
            statement.get(), 3, SQL_C_CHAR, name.data(), static_cast<SQLLEN>(name.size()), &length
        );
        name.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
        return name;
    }

    void judge_file(const hostile_login& login, const std::optional<std::string>& file) {
        if (!file)
            return; // No file of that name can be: a folder in it is not there.
        if (*file != folder_.folder() / normal(login.to().with->database))
            escaped(login, "opened " + *file);
    }

    /// As the file's name is read: "a//b" and "a/./b/" are a/b.
    static fs::path normal(const std::string& name) {
        auto path = fs::path(name).lexically_normal();
        return path.has_filename() ? path : path.parent_path();
    }

    void escaped(const hostile_login& login, const std::string& how) {
        if (++done_.escapes > 20)
            return;
        std::printf(
            "%s, %d: %s; the value in hexadecimal:",
            of_.name.c_str(),
            static_cast<int>(login.which),
            how.c_str()
        );
        for (const char c : login.value)
            std::printf(" %02x", static_cast<unsigned char>(c));
        std::printf("\n");
    }

    const subject& of_;
    const scratch folder_;
    login_listener theirs_;
    std::unique_ptr<login_listener> ours_;
    std::mt19937_64 random_;
    const std::vector<std::string> pieces_;
    const handle environment_{SQL_HANDLE_ENV, SQL_NULL_HANDLE};
    const handle keeper_{SQL_HANDLE_DBC, environment_.get()};
    std::size_t before_ = 0;
    counts done_;
};

int run(std::size_t values) {
    const std::vector<subject> subjects = {
        {"FreeTDS", "Language", speaks_tds(), true},
        {"PostgreSQL Unicode", "MaxVarcharSize", speaks_postgresql(), true},
        {"MariaDB Unicode", "Charset", speaks_mariadb(), false, true},
        {"SQLite3", "Timeout", nullptr, false}};
    counts all;
    bool proved = true;
    for (const auto& one : subjects) {
        trial tried(one, 5);
        if (!tried.naive_string_escapes()) {
            std::printf(
                "%s: no careless string escapes, so that nothing is proved\n", one.name.c_str()
            );
            proved = false;
        }
        const auto done = tried.run(values / subjects.size());
        std::printf(
            "%s: %zu values, %zu more refused, %zu escapes\n",
            one.name.c_str(),
            done.values,
            done.refused,
            done.escapes
        );
        all.values += done.values;
        all.escapes += done.escapes;
    }
    std::printf(
        "figure odbc_hostile_values %zu\nfigure odbc_hostile_escapes %zu\n", all.values, all.escapes
    );
    return proved && all.escapes == 0 && all.values >= values ? EXIT_SUCCESS : EXIT_FAILURE;
}

}

}

int main(int count, char** words) {
    try {
        return hadr::test::run(count > 1 ? std::stoul(words[1]) : 5'000);
    } catch (const std::exception& why) {
        std::fprintf(stderr, "odbc_hostile: %s\n", why.what());
        return EXIT_FAILURE;
    }
}

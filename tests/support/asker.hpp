// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/time.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct pg_conn;

namespace hadr::test {

/// One connection of the harness to one server as its superuser, over libpq and with deadlines of
/// its own. It is made at the first question and kept: what polls with it costs no backend each
/// time. Not thread-safe.
class asker {
public:
    asker(int port, std::string_view database);
    ~asker();

    /// The first column of the first row; none if the server does not answer or refuses. Where the
    /// kept connection turns out to be broken, it asks once more on a new one.
    std::optional<std::string> ask(std::string_view text, duration within);

private:
    struct finish {
        void operator()(pg_conn* on) const;
    };

    bool connect(std::chrono::steady_clock::time_point until);
    std::optional<std::string>
    ask_here(const std::string& text, std::chrono::steady_clock::time_point until);

    std::string port_;
    std::string database_;
    std::unique_ptr<pg_conn, finish> on_;
};

/// One question on a connection of its own.
std::optional<std::string>
ask(int port,
    std::string_view text,
    std::string_view database = "postgres",
    duration within = std::chrono::seconds(5));

/// As ask, but throws with the statement where ask gives none.
std::string must(int port, std::string_view text, std::string_view database = "postgres");

}

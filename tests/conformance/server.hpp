// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/certificates.hpp"
#include "support/ledger.hpp"
#include "support/postgres.hpp"

#include <hadr/hadr.hpp>
#include <hadr/libpq.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace hadr::test {

using namespace std::chrono_literals;

/// What no call of a test needs on any machine.
inline constexpr auto patience = std::chrono::seconds(20);

inline constexpr std::string_view password = "right-horse";

/// One PostgreSQL server for the process, on loopback and on a socket in a folder of its own. The
/// superuser logs in by trust and without TLS, `app` by SCRAM with or without TLS, `reader` by
/// trust to sessions that only read.
struct test_server {
    test_server();

    /// Shows another of the certificates from now on.
    void show(std::string_view certificate);

    temporary_folder folder{"hadr-conformance"};
    temporary_folder sockets{"hadr-socket"};
    certificates signed_by{folder};
    postgres_server at;
};

test_server& the_server();

profile superuser();
profile app();
target target_of(int port, const profile& with, purpose why = purpose::lend);

/// Logs in over the real libpq driver.
expected<std::unique_ptr<session>> connect(const target& to, duration within);

/// "Server=...;" of the superuser at a port; more keys may follow.
std::string store_string(int port, std::string_view more = {});
std::unique_ptr<connection_manager> open_store(int port, std::string_view more = {});

/// Fails the case with the failure's text unless there is a value.
template <class T>
T&& need(expected<T>&& what) {
    if (!what)
        BOOST_FAIL(to_string(what.error()));
    return *std::move(what);
}

/// The time a call took beyond its deadline, and the most that it may be on this machine.
class punctuality {
public:
    explicit punctuality(duration within) : until_(std::chrono::steady_clock::now() + within) {}

    time_point until() const noexcept { return until_; }

    /// Late by no more than 50 ms beyond what a thread that does nothing was late meanwhile.
    bool kept() const noexcept { return late() <= std::chrono::milliseconds(50); }

    /// Negative: it was early.
    duration late() const noexcept {
        return std::chrono::steady_clock::now() - until_ - control_.worst();
    }

private:
    time_point until_;
    control_thread control_;
};

}

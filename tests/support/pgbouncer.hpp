// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/process.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace hadr::test {

/// PgBouncer on a loopback port before one server, letting everybody in as the superuser.
class pgbouncer {
public:
    /// Mode as PgBouncer calls it: session, transaction or statement.
    pgbouncer(const temporary_folder& in, int server_port, std::string_view mode);

    int port() const noexcept { return port_; }

private:
    int port_;
    std::unique_ptr<child> process_;
};

}

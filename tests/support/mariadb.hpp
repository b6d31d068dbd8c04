// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/process.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::test {

/// One MariaDB server on 127.0.0.1 in a folder of its own, small and without fsync, with a database
/// `hadr`. `root` has no password and every right, `app` has the password "right-horse", `reader`
/// logs in to sessions that only read.
class mariadb_server {
public:
    /// Sessions of users other than root that it takes at once.
    static constexpr int sessions_max = 24;

    explicit mariadb_server(const temporary_folder& in);

    int port() const noexcept { return port_; }
    /// What an ODBC driver manager is given to log in as root.
    std::string odbc_text() const;

    /// SIGSTOP and SIGCONT.
    void freeze();
    void thaw();

private:
    void make(const std::string& folder);
    void start(const std::string& folder);

    int port_;
    std::string settings_; ///< The file of its settings.
    std::unique_ptr<child> process_;
    std::vector<pid_t> frozen_;
};

}

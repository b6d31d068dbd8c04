// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/process.hpp"

#include <string>
#include <string_view>

namespace hadr::test {

/// Two authorities and certificates of servers, made with openssl; readable by the servers.
class certificates {
public:
    explicit certificates(const temporary_folder& in);

    /// Files of the authority that signed the servers' certificates, and of one that signed none.
    std::string authority() const { return path_ + "/authority.crt"; }
    std::string stranger() const { return path_ + "/stranger.crt"; }

    /// Settings of a server that shows a certificate: "good" or "expired" for db.test, "other" for
    /// another name.
    std::string certificate(std::string_view which) const;
    std::string key() const { return path_ + "/server.key"; }

private:
    void sign(std::string_view name, std::string_view host, int days) const;

    std::string path_;
};

}

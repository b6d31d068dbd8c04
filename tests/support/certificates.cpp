// SPDX-License-Identifier: Apache-2.0
#include "support/certificates.hpp"

#include <fmt/format.h>

#include <fstream>

namespace hadr::test {

using namespace std::chrono_literals;

namespace {

void openssl(std::string_view arguments) {
    run({"sh", "-c", fmt::format("umask 077; openssl {}", arguments)}, 30s);
}

}

certificates::certificates(const temporary_folder& in) : path_(in.path()) {
    for (const auto* name : {"authority", "stranger"})
        openssl(fmt::format(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 "
            "-subj /CN={1} -keyout {0}/{1}.key -out {0}/{1}.crt",
            path_,
            name
        ));
    openssl(fmt::format(
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=server "
        "-keyout {0}/server.key -out {0}/server.csr",
        path_
    ));
    sign("good", "db.test", 30);
    sign("expired", "db.test", -1);
    sign("other", "elsewhere.test", 30);
    run({"sh", "-c", fmt::format("chmod 644 {}/*.crt", path_)}, 10s);
}

void certificates::sign(std::string_view name, std::string_view host, int days) const {
    const auto extension = fmt::format("{}/{}.ext", path_, name);
    std::ofstream(extension) << fmt::format("subjectAltName=DNS:{}\n", host);
    openssl(fmt::format(
        "x509 -req -in {0}/server.csr -CA {0}/authority.crt -CAkey {0}/authority.key "
        "-CAcreateserial -days {2} -extfile {0}/{1}.ext -out {0}/{1}.crt",
        path_,
        name,
        days
    ));
}

std::string certificates::certificate(std::string_view which) const {
    return fmt::format("{}/{}.crt", path_, which);
}

}

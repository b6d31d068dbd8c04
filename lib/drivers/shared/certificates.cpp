// SPDX-License-Identifier: Apache-2.0
#include "drivers/shared/certificates.hpp"

namespace hadr::inline v0::drivers {

const std::string_view system_certificates = "/etc/ssl/certs/ca-certificates.crt";

std::string root_certificate(const profile& with) {
    const auto& file = with.root_certificate;
    return file.empty() || file == "system" ? std::string(system_certificates) : file;
}

}

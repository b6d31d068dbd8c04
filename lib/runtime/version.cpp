// SPDX-License-Identifier: Apache-2.0
#include <hadr/version.hpp>

namespace hadr::inline v0 {

version_number version() noexcept {
    return {HADR_VERSION_MAJOR, HADR_VERSION_MINOR, HADR_VERSION_PATCH};
}

}

// SPDX-License-Identifier: Apache-2.0
#include "mirroring/pair.hpp"

#include <fmt/format.h>

namespace hadr::inline v0::mirroring {

std::string fixed_name(std::size_t place) {
    return place == 0 ? "primary" : place == 1 ? "mirror" : fmt::format("partner {}", place + 1);
}

}

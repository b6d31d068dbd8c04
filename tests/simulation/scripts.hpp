// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simulation/plan.hpp"

#include <span>

namespace hadr::test {

/// Short pieces of applications, each a different way to use the library.
std::span<const script> all_scripts();

}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "benchmark/figures.hpp"

#include <cstddef>

namespace hadr::benchmark {

constexpr std::size_t stores_of_a_fleet = 100;

std::size_t threads_now();
std::size_t sockets_now();
double rss_mib();

/// 100 stores of three servers each, 300 in all, on virtual time.
void simulate_a_fleet();
/// 1,000 sessions of one store that are lost at once, on virtual time.
void simulate_a_storm();

}

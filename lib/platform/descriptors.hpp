// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/world.hpp>

#include <memory>

namespace hadr::inline v0::platform {

/// By epoll, with an event descriptor so that unpark() ends a wait.
std::unique_ptr<descriptor_set> make_descriptor_set();

short poll_events(readiness wanted) noexcept;
readiness from_poll(short events) noexcept;

}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/lease.hpp>

namespace hadr::inline v0 {

/// How the runtime makes leases.
struct lease_access {
    static lease make(runtime::slot* held) noexcept { return lease(held); }
    static runtime::slot* slot_of(const lease& held) noexcept { return held.slot_; }
};

}

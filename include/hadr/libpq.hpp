// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/lease.hpp>

#include <memory>

struct pg_conn;

namespace hadr::inline v0::libpq {

/// Driver=libpq. Immutable, thread-safe.
HADR_EXPORT std::shared_ptr<driver> make_driver();

/// The lease's PGconn, valid as long as the lease; null if its driver is another. Do not call
/// PQfinish or PQreset on it. In blocking mode when first taken. COPY, LISTEN and large results go
/// through it. A blocked libpq call returns when the member dies or is demoted, or at the lease's
/// hold (rulings 8).
HADR_EXPORT pg_conn* native(lease& held) noexcept;

}

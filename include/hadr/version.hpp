// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/export.hpp>

#define HADR_VERSION_MAJOR 0
#define HADR_VERSION_MINOR 1
#define HADR_VERSION_PATCH 0

namespace hadr::inline v0 {

struct version_number {
    int major = 0;
    int minor = 0;
    int patch = 0;

    friend bool operator==(const version_number&, const version_number&) = default;
};

/// The version of the library that is linked, which may be newer than HADR_VERSION_* of the
/// headers.
HADR_EXPORT version_number version() noexcept;

}

// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace hadr::test {

/// ODBC handles of this program, its libraries included, that were allocated and not freed since it
/// began: the program's own SQLAllocHandle and SQLFreeHandle stand before the driver manager's and
/// count. Link odbc_handles.cpp and export the program's symbols.
long odbc_handles_now() noexcept;

}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/error.hpp>

#include <array>
#include <string>

namespace hadr::inline v0::testing {

/// What the driver makes of an error of SQL Server.
struct known_failure {
    int native;
    errc code;
    advice next;
    bool at_login = false; ///< Raised there, and nowhere else but as the same.
};

/// All that a simulated SQL Server says.
inline constexpr std::array<known_failure, 27> sql_server_failures = {{
    {102, errc::rejected_by_server, advice::give_up},
    {208, errc::rejected_by_server, advice::give_up},
    {596, errc::outcome_unknown, advice::verify},
    {911, errc::rejected_by_server, advice::give_up},
    {952, errc::unreachable, advice::retry, true},
    {954, errc::wrong_role, advice::retry, true},
    {955, errc::no_quorum, advice::retry, true},
    {956, errc::unreachable, advice::retry, true},
    {1415, errc::rejected_by_server, advice::give_up},
    {1416, errc::rejected_by_server, advice::give_up},
    {1421, errc::rejected_by_server, advice::give_up},
    {1422, errc::rejected_by_server, advice::give_up},
    {1426, errc::rejected_by_server, advice::give_up},
    {1431, errc::rejected_by_server, advice::give_up},
    {1447, errc::rejected_by_server, advice::give_up},
    {1455, errc::rejected_by_server, advice::give_up},
    {1470, errc::rejected_by_server, advice::give_up},
    {1476, errc::rejected_by_server, advice::give_up},
    {1477, errc::rejected_by_server, advice::give_up},
    {2627, errc::rejected_by_server, advice::give_up},
    {3902, errc::rejected_by_server, advice::give_up},
    {3906, errc::wrong_role, advice::retry},
    {4060, errc::rejected_by_server, advice::retry, true},
    {5011, errc::rejected_by_server, advice::give_up},
    {17809, errc::rejected_by_server, advice::retry, true},
    {18401, errc::unreachable, advice::retry, true},
    {18456, errc::rejected_by_server, advice::give_up, true},
}};

/// A failure as FreeTDS reports a server's error of that number, and as it is classified.
/// Precondition: it is one of those above.
failure sql_server_failure(int native, std::string message);

}

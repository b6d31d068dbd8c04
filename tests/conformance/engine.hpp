// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/driver.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::test {

using namespace std::chrono_literals;

/// One driver with an engine behind it, as the suite sees it.
class engine_under_test {
public:
    enum class condition {
        up,
        locked,   ///< Refuses the password.
        full,     ///< Has no session left.
        starting, ///< Takes no logins yet.
        mute,     ///< Takes the connection and says nothing.
        down,     ///< Nobody listens.
        reading,  ///< Takes logins and refuses writes.
    };

    virtual ~engine_under_test() = default;

    virtual std::string_view name() const = 0;
    virtual driver& by() = 0;
    virtual world& through() = 0;
    /// Where a login meets that condition.
    virtual target place(condition which) = 0;
    /// A statement that writes a token.
    virtual std::string writing(std::string_view token) = 0;
    /// Tokens that are committed, in order.
    virtual std::vector<std::string> written() = 0;
    /// The server stops answering, as with SIGSTOP, and goes on.
    virtual void freeze() = 0;
    virtual void thaw() = 0;
};

/// All engines, made on their first use; they live to the end of the process.
const std::vector<engine_under_test*>& engines();

struct ended {
    expected<void> how;
    answer brought;
};

/// Runs one statement as the runtime's blocking wrapper does; at the deadline the session is cut.
ended run(world& through, session& on, const statement& what, duration within = 20s);

expected<std::unique_ptr<session>>
log_in(engine_under_test& with, const target& to, duration within = 20s);

/// A session, or the case ends here.
std::unique_ptr<session> session_of(engine_under_test& with);

}

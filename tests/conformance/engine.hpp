// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/connection_manager.hpp>
#include <hadr/driver.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <compare>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::test {

using namespace std::chrono_literals;

/// What a claim may need besides sessions and statements; an engine, or its driver, that cannot do
/// it says why.
enum class ability : unsigned char {
    ask_for_passwords,
    be_full,
    be_starting,
    be_mute,
    be_away,
    refuse_writes,
    stop_answering,
    end_sessions,
    repeat_values, ///< Parameters come back as they went.
    bring_nulls,
    bring_large_values,
    bring_many_rows,
    refuse_statements,
    run_slowly,
    be_cancelled,
    keep_state,   ///< Of a session, besides a transaction.
    end_logins,   ///< By a deadline of the driver's own, not only by the runtime's.
    forget,       ///< A session can be made as new.
    serve_stores, ///< hadr::open().
    run_threads,  ///< Of the test, on real time.
};
inline constexpr std::size_t abilities = 20;

std::string_view to_string(ability which) noexcept;

/// The texts of an engine's own language that the claims need; empty where the ability is lacking.
struct phrases {
    std::string_view echo = {}; ///< One parameter, back as a text.
    /// Three rows of three texts: a1, b1, c1; the three parameters; a3, b3, c3.
    std::string_view nine = {};
    std::string_view null_and_empty = {}; ///< In this order, in columns "nothing" and "empty".
    std::string_view types = {};          ///< A row of values of many types, and a null.
    std::string_view large = {};          ///< One value of large_size times 'a'.
    std::size_t large_size = 3'000'000;
    std::string_view definition = {}; ///< Makes a table, and fails if there is one.
    std::string_view many = {};       ///< The numbers from 1 to 100,000.
    std::string_view slow = {};       ///< Takes seconds, as a rule half a minute.
    std::string_view dirt = {};       ///< Leaves something on the session.
    std::string_view is_dirty = {};   ///< Answers 1 or 0.
};

inline constexpr std::size_t many_rows = 100'000;

/// What a server says of a refusal: the SQLSTATE, else its number.
struct refusal {
    std::string_view sqlstate = {};
    int native = 0;
};

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
    /// Whether the suite started it, and so knows what it can do.
    virtual bool ours() const { return true; }
    /// Why it cannot do that; empty where it can.
    virtual std::string_view lacks(ability which) const = 0;
    virtual std::shared_ptr<driver> by() = 0;
    virtual std::shared_ptr<world> shared_world() = 0;
    world& through() { return *shared_world(); }
    virtual std::shared_ptr<executor> calls() = 0;
    virtual const phrases& speaks() const = 0;
    /// Where a login meets that condition.
    virtual target place(condition which) = 0;
    /// Where a login meets a server that falls silent in one of its phases.
    struct silence {
        std::string_view when;
        std::function<target()> where;
    };
    virtual std::vector<silence> silences() {
        return {{"behind the connection", [this] { return place(condition::mute); }}};
    }
    /// What hadr::open() takes to come there.
    virtual std::string store_text(const target& to);
    /// What the server says of a login there, or of a write where it refuses writes.
    virtual refusal says(condition which) const = 0;
    /// A statement that a session needs first to refuse writes, where the place alone does not do.
    virtual std::string_view turns_read_only() const { return {}; }
    /// A statement that writes a token.
    virtual std::string writing(std::string_view token) = 0;
    /// As writing, of a token that is there once at most; and what the server says of the second.
    virtual std::string writing_once(std::string_view token) = 0;
    virtual refusal says_of_the_second() const = 0;
    /// A statement that names what is not there, and what the server says of it.
    virtual std::string_view wrong() const { return "select token from nowhere"; }
    virtual refusal says_of_wrong() const = 0;
    virtual std::string_view says_of_a_cancel() const { return {}; }
    /// Tokens that are committed, in order, taken away.
    virtual std::vector<std::string> written() = 0;
    /// The server stops answering, as with SIGSTOP, and goes on.
    virtual void freeze() = 0;
    virtual void thaw() = 0;
    /// The administrator ends all sessions of the driver under test.
    virtual void end_sessions() = 0;
    /// Sessions of the driver under test, as the server counts them.
    virtual std::size_t sessions() = 0;
};

/// All engines, made on their first use; they live to the end of the process.
const std::vector<std::unique_ptr<engine_under_test>>& engines();

/// Holds the claim of the running case against every engine that can do what it needs. For the
/// others the reason is printed.
void on_each(
    std::initializer_list<ability> needed, const std::function<void(engine_under_test&)>& claim
);
inline void on_each(const std::function<void(engine_under_test&)>& claim) {
    on_each({}, claim);
}

/// A claim that an engine cannot be held to for want of an ability.
struct declaration {
    std::string_view engine;
    std::string_view claim;
    ability without;

    friend auto operator<=>(const declaration&, const declaration&) = default;
};

/// Claims of this process that were held against an engine and those that were declared away.
struct claims {
    std::size_t held = 0;
    std::vector<declaration> declared;
};
claims claims_on(const engine_under_test& which);

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

std::size_t times_written(engine_under_test& with, std::string_view token);

/// A failure with that code and advice, and with what the server is expected to say.
void check_failure(const failure& found, errc code, advice next, const refusal& said);

}

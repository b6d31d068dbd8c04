// SPDX-License-Identifier: Apache-2.0
#include "drivers/libpq/errors.hpp"
#include "drivers/libpq/options.hpp"
#include "drivers/libpq/session.hpp"
#include "drivers/shared/login.hpp"

#include <hadr/libpq.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hadr::inline v0::libpq {

namespace {

using drivers::place_of;

constexpr std::string_view own_name = "libpq";
constexpr answer_limits own_limits{10'000, 1U << 20U};

/// One login under way.
class login {
public:
    login(const target& to, world& through) : to_(to), through_(through) {}

    expected<std::unique_ptr<session>> run(time_point until) {
        auto options = options_for(to_, through_, PQlibVersion());
        if (!options)
            return options.error();
        if (!begin(*options))
            return make_failure(
                errc::unreachable, advice::retry, "libpq has no memory for a connection"
            );
        auto stage = PGRES_POLLING_WRITING;
        while (stage == PGRES_POLLING_READING || stage == PGRES_POLLING_WRITING) {
            if (PQstatus(of_.get()) == CONNECTION_BAD)
                return failed();
            const auto wanted =
                stage == PGRES_POLLING_READING ? readiness::readable : readiness::writable;
            if (through_.wait(PQsocket(of_.get()), wanted, until) == readiness::none)
                return too_late();
            stage = next();
        }
        if (stage != PGRES_POLLING_OK)
            return failed();
        if (auto pooled = behind_a_pooler(until))
            return *std::move(pooled);
        return established();
    }

    ~login() {
        if (guard_ >= 0)
            close(guard_);
    }

    login(const login&) = delete;

private:
    bool begin(const option_list& options) {
        std::vector<const char*> keywords;
        std::vector<const char*> values;
        for (const auto& [keyword, value] : options.all()) {
            keywords.push_back(keyword);
            values.push_back(value.c_str());
        }
        keywords.push_back(nullptr);
        values.push_back(nullptr);
        errno = 0;
        of_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
        error_ = errno;
        if (!of_)
            return false;
        // Verbose, or the message of a refused login bears no SQLSTATE.
        PQsetErrorVerbosity(of_.get(), PQERRORS_VERBOSE);
        PQsetNoticeReceiver(
            of_.get(), [](void*, const PGresult*) {}, nullptr
        );
        return true;
    }

    PostgresPollingStatusType next() {
        guard();
        before_ = PQstatus(of_.get());
        gone_ = ended(POLLRDHUP | POLLHUP | POLLERR);
        errno = 0;
        const auto stage = PQconnectPoll(of_.get());
        error_ = errno;
        return stage;
    }

    // Tells afterwards who ended a failed login, libpq or the peer. Taken anew when libpq begins
    // again on another socket, which may have the number of the one before.
    void guard() {
        const int present = PQsocket(of_.get());
        if (present < 0 || same_socket(present, guard_))
            return;
        if (guard_ >= 0)
            close(guard_);
        guard_ = duplicate(present);
        unguarded_ = guard_ < 0;
    }

    static bool same_socket(int a, int b) noexcept {
        struct stat of_a {};
        struct stat of_b {};
        return b >= 0 && fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 &&
               of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
    }

    bool ended(int how) const noexcept {
        pollfd one{guard_, POLLRDHUP, 0};
        return poll(&one, 1, 0) > 0 && (one.revents & how) != 0;
    }

    ending ended_as() const noexcept {
        return {
            .unsent = guard_ < 0 || before_ == CONNECTION_STARTED || before_ == CONNECTION_MADE,
            .gone_before = gone_,
            .gone = ended(POLLRDHUP | POLLHUP | POLLERR),
            .reset = ended(POLLHUP | POLLERR),
            .secured = secured()};
    }

    // Of this machine, and so nothing that speaks of the server (F48).
    bool out_of_means() const noexcept {
        constexpr std::array<int, 5> means = {EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL};
        return unguarded_ || std::find(means.begin(), means.end(), error_) != means.end();
    }

    bool secured() const noexcept {
        return PQsslInUse(of_.get()) != 0 || (to_.with->kerberos && PQgssEncInUse(of_.get()) != 0);
    }

    bool encrypted() const noexcept { return to_.with->encrypt != encryption::disable; }

    failure too_late() const {
        return make_failure(
            errc::deadline_exceeded,
            advice::retry,
            fmt::format(
                "{} {}",
                place_of(to_),
                PQstatus(of_.get()) == CONNECTION_STARTED
                    ? "did not accept the connection in time"
                    : "accepted the connection but not the login in time"
            )
        );
    }

    failure failed() const {
        if (PQuser(of_.get()) == nullptr)
            return options_refused();
        const std::string message = PQerrorMessage(of_.get());
        const auto words = words_in(message);
        // What a server says before it has proved itself is neither shown nor believed (trust, part
        // 5).
        if (!words.sqlstate.empty() && (!encrypted() || secured() || to_.at.local_socket()))
            return login_rejected(words.sqlstate, words.text, place_of(to_));
        if (wire_failed(ended_as(), message))
            return unreachable(message);
        if (secured() || to_.with->binding == channel_binding::require)
            return make_failure(
                errc::rejected_by_server,
                advice::give_up,
                fmt::format(
                    "the login to {} was refused by this side: {}",
                    place_of(to_),
                    own_words(message)
                )
            );
        if (encrypted() && !to_.at.local_socket())
            return make_failure(
                errc::rejected_by_server,
                advice::give_up,
                fmt::format(
                    "TLS with {} failed (Encrypt={}): {}; check Root_Certificate and "
                    "HostNameInCertificate, or, "
                    "where the server offers no TLS, choose Encrypt=disable deliberately",
                    place_of(to_),
                    ssl_mode(to_.with->encrypt),
                    own_words(message)
                )
            );
        return unreachable(message);
    }

    failure unreachable(std::string_view message) const {
        auto why = make_failure(
            errc::unreachable,
            advice::retry,
            fmt::format("{}: {}", place_of(to_), own_words(message))
        );
        if (out_of_means())
            why.native = local_cause;
        return why;
    }

    // libpq reads the service's file before anything else, although nothing of it is wanted.
    failure options_refused() const {
        return make_failure(
            errc::configuration_invalid,
            advice::give_up,
            through_.environment("PGSERVICE")
                ? "the environment variable PGSERVICE names a service that libpq cannot read; "
                  "unset it"
                : "libpq takes none of the options of this login"
        );
    }

    // A pooler that may swap the server behind a session invents the number that a server gives at
    // login (F53). One round trip.
    std::optional<failure> behind_a_pooler(time_point until) {
        const int told = PQbackendPID(of_.get());
        if (!to_.with->proxy.empty() || to_.why == purpose::witness || told == 0)
            return std::nullopt;
        if (PQsendQuery(of_.get(), "SELECT pg_catalog.pg_backend_pid()") == 0)
            return unreachable(PQerrorMessage(of_.get()));
        result last;
        for (;;) {
            while (PQisBusy(of_.get()) != 0) {
                const auto wanted = PQflush(of_.get()) == 1
                                        ? readiness::readable | readiness::writable
                                        : readiness::readable;
                if (through_.wait(PQsocket(of_.get()), wanted, until) == readiness::none)
                    return too_late();
                if (PQconsumeInput(of_.get()) == 0)
                    return unreachable(PQerrorMessage(of_.get()));
            }
            result next(PQgetResult(of_.get()));
            if (!next)
                break;
            last = std::move(next);
        }
        if (PQresultStatus(last.get()) != PGRES_TUPLES_OK)
            return refused(last.get());
        if (PQntuples(last.get()) == 1 && std::to_string(told) == PQgetvalue(last.get(), 0, 0))
            return std::nullopt;
        return make_failure(
            errc::configuration_invalid,
            advice::give_up,
            fmt::format(
                "{} is not the server itself: what answers there (a pooler, such as PgBouncer) may "
                "put another server behind a session; give the server's own address, or declare a "
                "pooler that keeps sessions apart with Proxy=pgbouncer_session (F53)",
                place_of(to_)
            )
        );
    }

    failure refused(const PGresult* by) const {
        const auto field = [&](int which) {
            const char* const text = PQresultErrorField(by, which);
            return std::string_view(text == nullptr ? "" : text);
        };
        if (field(PG_DIAG_SQLSTATE).empty())
            return unreachable(PQresultErrorMessage(by));
        return login_rejected(
            field(PG_DIAG_SQLSTATE), field(PG_DIAG_MESSAGE_PRIMARY), place_of(to_)
        );
    }

    // libpq's own last line, without what it says of where; it may quote the server, so it is
    // escaped.
    static std::string own_words(std::string_view message) {
        while (!message.empty() && message.back() == '\n')
            message.remove_suffix(1);
        const auto failed_at = message.rfind(" failed: ");
        if (failed_at != std::string_view::npos)
            message.remove_prefix(failed_at + 9);
        const auto line = message.find('\n');
        return escaped(message.substr(0, line), 300);
    }

    expected<std::unique_ptr<session>> established() {
        if (encrypted() && !to_.at.local_socket() && !secured())
            return make_failure(
                errc::rejected_by_server,
                advice::give_up,
                fmt::format("{} was reached without TLS although it is demanded", place_of(to_))
            );
        guard();
        if (guard_ < 0) {
            auto why = make_failure(
                errc::unreachable, advice::retry, "no descriptor for a session is to be had (F48)"
            );
            why.native = local_cause;
            return why;
        }
        const bool own = to_.why == purpose::watch || to_.why == purpose::witness;
        return std::unique_ptr<session>(std::make_unique<libpq_session>(
            std::move(of_),
            std::exchange(guard_, -1),
            PQsslInUse(of_.get()) != 0 || PQgssEncInUse(of_.get()) != 0,
            own ? own_limits : answer_limits{}
        ));
    }

    const target& to_;
    world& through_;
    connection of_;
    int guard_ = -1;
    bool unguarded_ = false;                     ///< There was no descriptor for it.
    ConnStatusType before_ = CONNECTION_STARTED; ///< As all of these: at libpq's last step.
    bool gone_ = false;                          ///< The peer had hung up before it.
    int error_ = 0;                              ///< The system's, of the last call that failed.
};

class libpq_driver final : public driver {
public:
    std::string_view name() const noexcept override { return own_name; }

    expected<std::unique_ptr<session>> connect(
        const target& to, time_point until, world& through, const std::shared_ptr<executor>& /*by*/
    ) override {
        return login(to, through).run(until);
    }
};

}

std::shared_ptr<driver> make_driver() {
    return std::make_shared<libpq_driver>();
}

pg_conn* native(lease& held) noexcept {
    return held.driver() == own_name ? static_cast<pg_conn*>(held.native()) : nullptr;
}

}

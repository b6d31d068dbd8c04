// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/libpq/prepared.hpp"

#include <hadr/driver.hpp>

#include <atomic>
#include <deque>
#include <memory>
#include <string>

#include <libpq-fe.h>

namespace hadr::inline v0::libpq {

struct finish_connection {
    void operator()(PGconn* one) const noexcept { PQfinish(one); }
};

using connection = std::unique_ptr<PGconn, finish_connection>;

struct clear_result {
    void operator()(PGresult* one) const noexcept { PQclear(one); }
};

using result = std::unique_ptr<PGresult, clear_result>;

inline std::string_view text_of(const char* text) noexcept {
    return text == nullptr ? std::string_view() : text;
}

inline std::string_view field_of(const PGresult* one, int which) noexcept {
    return text_of(PQresultErrorField(one, which));
}

inline transaction_status status_of(const PGconn* of) noexcept {
    switch (PQtransactionStatus(of)) {
    case PQTRANS_IDLE: return transaction_status::idle;
    case PQTRANS_INTRANS: return transaction_status::open;
    case PQTRANS_INERROR: return transaction_status::failed;
    case PQTRANS_ACTIVE:
    case PQTRANS_UNKNOWN: break;
    }
    return transaction_status::unknown;
}

/// Reads a PGresult that an answer keeps.
extern const result_reader reader;

/// Another descriptor of the same socket, closed on exec; -1 if there is none to be had.
int duplicate(int descriptor) noexcept;

/// How much a session of the library's own may bring; a server must not be able to exhaust memory
/// (X7).
struct answer_limits {
    std::size_t rows_max = 0;             ///< 0: no limit.
    std::size_t bytes_max = 0x7FFF'FFFFU; ///< What an answer can count.
};

class libpq_session final : public session {
public:
    /// The connection is established; the guard is a duplicate of its socket, owned from now on.
    /// Encrypted: by TLS or GSS.
    libpq_session(connection of, int guard, bool encrypted, answer_limits limits);
    ~libpq_session() override;

    void start(const statement& what, answer& into, completion& done) override;
    waiting waits_for() const noexcept override;
    void advance() override;
    expected<void> run(const statement& what, answer& into, patience& with) override;
    void sever() noexcept override;
    expected<void> request_cancel(time_point until) override;
    bool usable() const noexcept override;
    transaction_status transaction() const noexcept override;
    std::string_view reported(std::string_view name) const noexcept override;
    std::optional<push> take_push() override;
    void* native() noexcept override;
    bool closes_slowly() const noexcept override { return false; }
    void abandon() noexcept override;

private:
    static void noticed(void* self, const PGresult* what);

    /// Whether a cancel request may be sent, and whether a COMMIT (C6).
    enum class ending {
        open,
        cancelling,  ///< It may hit whatever is sent next.
        commit_left, ///< Or is about to.
    };

    /// What is true of the statement under way.
    struct progress {
        bool flushing = false;
        bool first = false;        ///< Just sent: there is nothing to read yet.
        bool result_over = false;  ///< Another statement's result begins the answer anew.
        bool unsent = false;       ///< Nothing was sent, so that no answer will come.
        bool commit_alone = false; ///< Its command tag says all there is to know.
        bool given_up = false;     ///< By ourselves, in the middle of an answer.
        bool discarding = false;   ///< Reset: the transaction is over, the state is not.
        bool resetting = false;
        bool preparing = false;
        bool by_name = false; ///< Run by the name of its text, or about to be.
    };

    bool repeats(const statement& what) const noexcept;
    bool repeat(answer& into);
    bool answered_at_once();
    void take_on(const statement& what, answer& into);
    void step();
    std::optional<failure> unfit(const statement& what, bool known);
    void begin(const statement& what);
    void take_back() noexcept;
    void commit_over() noexcept;
    bool send(const statement& what);
    bool send_kept(const statement& what, const std::string* name);
    bool run_prepared(const std::string& name);
    bool sent(int how);
    void now_prepared();
    failure not_sent() const;
    static failure lost_before();
    bool receive();
    void keep(PGresult* whole) noexcept;
    void take(result one);
    void begin_again();
    void take_rows(PGresult* rows);
    void give_up(failure why);
    failure too_large() const;
    void end();
    void end_well();
    void complete();
    void tell_completion();
    void end_of_a_step();
    void fail_lost();
    void collect_pushes();
    bool next_reset_step();
    bool discarded();

    connection of_;
    const bool encrypted_;
    const answer_limits limits_;
    /// For sever() and for waiting: libpq closes its own descriptor when the wire is lost, on
    /// whatever agent, and its number may then be another's.
    int guard_ = -1;
    const std::shared_ptr<PGcancel> cancel_;
    std::atomic<bool> severed_{false};
    std::atomic<ending> ending_{ending::open};

    answer* into_ = nullptr;
    completion* done_ = nullptr; ///< None where run() waits for the end itself.
    bool under_way_ = false;
    progress is_;
    bool unflushed_ = false;       ///< The last statement ended before all of it had left.
    bool handed_over_ = false;     ///< The native handle has been in the application's hands.
    bool others_prepared_ = false; ///< Somebody else may have prepared statements on it.
    statement kept_;               ///< The one that is prepared, or run by its name.
    std::string new_name_;
    prepared_texts prepared_;
    std::optional<failure> failed_; ///< What the statement under way will end with.
    std::string last_words_;        ///< SQLSTATE of the last notice.
    std::deque<push> pushes_;
};

// Here, because two sources call it.
[[gnu::always_inline]] inline void libpq_session::keep(PGresult* whole) noexcept {
    is_.result_over = true;
    into_->keep(
        whole,
        reader,
        static_cast<std::size_t>(PQntuples(whole)),
        static_cast<std::size_t>(PQnfields(whole))
    );
}

}

// SPDX-License-Identifier: Apache-2.0
#include "drivers/libpq/session.hpp"

#include "drivers/libpq/errors.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hadr::inline v0::libpq {

namespace {

constexpr std::size_t pushes_max = 1000;
constexpr std::size_t payload_max = 8000;
constexpr std::size_t notices_max = 100;

const char* or_empty(const char* text) noexcept {
    return text == nullptr ? "" : text;
}

std::string_view field(const PGresult* of, int which) noexcept {
    return or_empty(PQresultErrorField(of, which));
}

transaction_status status_of(const PGconn* of) noexcept {
    switch (PQtransactionStatus(of)) {
    case PQTRANS_IDLE: return transaction_status::idle;
    case PQTRANS_INTRANS: return transaction_status::open;
    case PQTRANS_INERROR: return transaction_status::failed;
    case PQTRANS_ACTIVE:
    case PQTRANS_UNKNOWN: break;
    }
    return transaction_status::unknown;
}

bool reads(std::string_view tag) noexcept {
    return tag.starts_with("SELECT") || tag.starts_with("FETCH") || tag.starts_with("MOVE");
}

// libpq takes these pointers as not const, and changes nothing.
PGresult* result_of(const void* kept) noexcept {
    return static_cast<PGresult*>(const_cast<void*>(kept));
}

std::string_view tag_of(const void* kept) noexcept {
    return or_empty(PQcmdStatus(result_of(kept)));
}

std::uint64_t affected_by(const void* kept) noexcept {
    if (reads(tag_of(kept)))
        return 0;
    const std::string_view text = or_empty(PQcmdTuples(result_of(kept)));
    std::uint64_t count = 0;
    std::from_chars(text.data(), text.data() + text.size(), count);
    return count;
}

constexpr result_reader reader{
    [](const void* kept, std::size_t row, std::size_t column
    ) noexcept -> std::optional<std::string_view> {
        const auto* const of = static_cast<const PGresult*>(kept);
        const int r = static_cast<int>(row);
        const int c = static_cast<int>(column);
        const int length = PQgetlength(of, r, c);
        if (length == 0 && PQgetisnull(of, r, c) != 0)
            return std::nullopt;
        return std::string_view(PQgetvalue(of, r, c), static_cast<std::size_t>(length));
    },
    [](const void* kept, std::size_t column) noexcept -> std::string_view {
        return or_empty(PQfname(static_cast<const PGresult*>(kept), static_cast<int>(column)));
    },
    &tag_of,
    &affected_by,
    [](void* kept) noexcept { PQclear(static_cast<PGresult*>(kept)); }};

constexpr const char* copy_needs_native = "COPY needs the native handle; the session is given up";

}

// Not by fcntl(), whose new descriptors the thread sanitizer does not see.
int duplicate(int descriptor) noexcept {
    const int place = eventfd(0, EFD_CLOEXEC);
    if (place >= 0 && dup3(descriptor, place, O_CLOEXEC) >= 0)
        return place;
    if (place >= 0)
        close(place);
    return -1;
}

libpq_session::libpq_session(connection of, int guard, bool encrypted, answer_limits limits)
    : of_(std::move(of))
    , encrypted_(encrypted)
    , limits_(limits)
    , guard_(guard)
    , cancel_(PQgetCancel(of_.get()), [](PGcancel* one) { PQfreeCancel(one); }) {
    PQsetnonblocking(of_.get(), 1);
    PQsetErrorVerbosity(of_.get(), PQERRORS_DEFAULT);
    PQsetNoticeReceiver(of_.get(), &libpq_session::noticed, this);
}

libpq_session::~libpq_session() {
    // A cut session must not wait to say goodbye; an intact one says it.
    if (of_ && PQtransactionStatus(of_.get()) == PQTRANS_ACTIVE)
        shutdown(guard_, SHUT_RDWR);
    of_.reset();
    if (guard_ >= 0)
        close(guard_);
}

void libpq_session::abandon() noexcept {
    static_cast<void>(of_.release());
    guard_ = -1;
}

void libpq_session::noticed(void* self, const PGresult* what) {
    auto& here = *static_cast<libpq_session*>(self);
    notice one{
        escaped(field(what, PG_DIAG_SQLSTATE), 5), escaped(field(what, PG_DIAG_MESSAGE_PRIMARY))};
    here.last_words_ = one.sqlstate;
    if (here.into_ != nullptr && here.into_->notices().size() < notices_max)
        here.into_->add_notice(std::move(one));
}

void libpq_session::start(const statement& what, answer& into, completion& done) {
    assert(done_ == nullptr);
    into_ = &into;
    done_ = &done;
    into.clear();
    if (failed_)
        failed_.reset();
    last_words_.clear();
    is_ = {};
    if (what.kind == statement_kind::reset) {
        is_.resetting = true;
        if (!next_reset_step())
            failed_ = make_failure(
                errc::unreachable,
                advice::retry,
                "the session was left in a state that cannot be reset"
            );
    } else {
        begin(what);
    }
    is_.unsent = failed_.has_value();
}

void libpq_session::begin(const statement& what) {
    const bool keeps = what.prepare == preparation::kept;
    // Under the extended protocol a statement's tag comes before its commit, and is flushed with
    // whatever the server says as it dies while that commit waits.
    is_.commit_alone = what.kind == statement_kind::commit && !keeps && what.parameters.empty() &&
                       what.text.find(';') == std::string_view::npos;
    const auto* const name = keeps ? prepared_.name_of(what.text) : nullptr;
    if ((failed_ = unfit(what, name != nullptr)))
        return;
    take_back();
    if (!(keeps ? send_kept(what, name) : send(what)))
        failed_ = make_failure(
            errc::unreachable,
            advice::retry,
            PQstatus(of_.get()) == CONNECTION_OK
                ? "the session is busy with what was begun on its native handle"
                : "the session was lost before the statement was sent"
        );
}

// The handle may have been in other hands, which may have changed what we rely on.
void libpq_session::take_back() noexcept {
    if (!handed_over_)
        return;
    handed_over_ = false;
    PQsetNoticeReceiver(of_.get(), &libpq_session::noticed, this);
    // With a statement under way it could block, and nothing can be sent anyway.
    if (PQtransactionStatus(of_.get()) != PQTRANS_ACTIVE)
        PQsetnonblocking(of_.get(), 1);
}

void libpq_session::commit_over() noexcept {
    if (ending_.load(std::memory_order_relaxed) != ending::commit_left)
        return; // Only this agent makes it so.
    auto left = ending::commit_left;
    ending_.compare_exchange_strong(left, ending::open);
}

// Blocking, as an application that opened it itself would have it.
void* libpq_session::native() noexcept {
    if (of_ && !std::exchange(handed_over_, true)) {
        PQsetnonblocking(of_.get(), 0);
        prepared_.forget_all(); // Whoever has the handle may deallocate them.
    }
    return of_.get();
}

// DISCARD ALL is refused inside a transaction, so a rollback goes first. False if neither can be
// sent.
bool libpq_session::next_reset_step() {
    if (severed_.load() || PQpipelineStatus(of_.get()) != PQ_PIPELINE_OFF)
        return false;
    take_back();
    switch (PQtransactionStatus(of_.get())) {
    case PQTRANS_IDLE: is_.discarding = true; return send({"DISCARD ALL"});
    case PQTRANS_INTRANS:
    case PQTRANS_INERROR: return send({"ROLLBACK"});
    case PQTRANS_ACTIVE:
    case PQTRANS_UNKNOWN: break;
    }
    return false;
}

waiting libpq_session::waits_for() const noexcept {
    return {guard_, is_.flushing ? readiness::readable | readiness::writable : readiness::readable};
}

void libpq_session::advance() {
    if (done_ == nullptr) {
        if (PQstatus(of_.get()) == CONNECTION_OK && PQconsumeInput(of_.get()) == 1)
            collect_pushes();
        return;
    }
    if (is_.unsent) {
        end_with(*std::exchange(failed_, std::nullopt));
        return;
    }
    if (severed_.load()) {
        fail_lost();
        return;
    }
    if (is_.flushing) {
        const int left = PQflush(of_.get());
        if (left < 0) {
            fail_lost();
            return;
        }
        is_.flushing = left == 1;
    }
    if (is_.first) {
        is_.first = false;
        return;
    }
    if (!receive())
        fail_lost();
}

// False if the wire is gone.
bool libpq_session::receive() {
    if (PQconsumeInput(of_.get()) == 0)
        return false;
    while (done_ != nullptr && !is_.given_up && PQisBusy(of_.get()) == 0) {
        auto* const one = PQgetResult(of_.get());
        if (one == nullptr) {
            end();
            break;
        }
        if (PQresultStatus(one) == PGRES_TUPLES_OK && limits_.rows_max == 0) {
            begin_result();
            keep(one);
        } else {
            take(result(one));
        }
    }
    if (done_ != nullptr) // Else take_push() looks for them.
        collect_pushes();
    return !is_.given_up;
}

void libpq_session::keep(PGresult* whole) noexcept {
    is_.result_over = true;
    into_->keep(
        whole,
        reader,
        static_cast<std::size_t>(PQntuples(whole)),
        static_cast<std::size_t>(PQnfields(whole))
    );
}

void libpq_session::take(result one) {
    switch (PQresultStatus(one.get())) {
    case PGRES_TUPLES_OK: // The end of single rows, of which it has none.
    case PGRES_SINGLE_TUPLE:
        begin_result();
        take_rows(one.get());
        is_.result_over = PQresultStatus(one.get()) == PGRES_TUPLES_OK;
        if (is_.result_over)
            into_->finish(tag_of(one.get()), 0, transaction_status::unknown);
        return;
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        if (is_.preparing)
            return;
        begin_result();
        keep(one.release());
        return;
    case PGRES_COPY_IN: // Without its end the server takes nothing of it.
        give_up(make_failure(errc::rejected_by_server, advice::give_up, copy_needs_native));
        return;
    case PGRES_COPY_OUT: // Of a statement that may have changed something.
    case PGRES_COPY_BOTH:
        give_up(make_failure(errc::outcome_unknown, advice::verify, copy_needs_native));
        return;
    case PGRES_BAD_RESPONSE:
    case PGRES_NONFATAL_ERROR:
    case PGRES_FATAL_ERROR:
    case PGRES_PIPELINE_SYNC:
    case PGRES_PIPELINE_ABORTED: break;
    }
    const auto sqlstate = field(one.get(), PG_DIAG_SQLSTATE);
    if (failed_)
        return;
    if (is_.by_name)
        prepared_.forget(kept_.text); // Perhaps what it names is gone, or fits no more.
    // libpq's own failures bear no SQLSTATE: the wire is gone or spoke nonsense (F51).
    failed_ = sqlstate.empty() ? lost(last_words_)
                               : rejected(sqlstate, field(one.get(), PG_DIAG_MESSAGE_PRIMARY));
}

void libpq_session::take_rows(PGresult* rows) {
    const int columns = PQnfields(rows);
    if (into_->columns() == 0)
        for (int c = 0; c < columns; ++c)
            into_->add_column(or_empty(PQfname(rows, c)));
    for (int r = 0; r < PQntuples(rows); ++r) {
        for (int c = 0; c < columns; ++c) {
            const std::string_view text(
                PQgetvalue(rows, r, c), static_cast<std::size_t>(PQgetlength(rows, r, c))
            );
            if (into_->bytes() + text.size() > limits_.bytes_max) {
                give_up(too_large());
                return;
            }
            if (PQgetisnull(rows, r, c) != 0)
                into_->add_value(std::nullopt);
            else
                into_->add_value(text);
        }
        if (limits_.rows_max != 0 && into_->rows() > limits_.rows_max) {
            give_up(too_large());
            return;
        }
    }
}

// Several statements in one text: the answer is the last one's, as libpq's own PQexec has it.
void libpq_session::begin_result() {
    if (!is_.result_over)
        return;
    is_.result_over = false;
    auto kept = into_->notices();
    into_->clear();
    for (auto& one : kept)
        into_->add_notice(std::move(one));
}

// Our own sessions only ever read.
failure libpq_session::too_large() const {
    const bool own = limits_.rows_max != 0;
    return make_failure(
        own ? errc::unreachable : errc::outcome_unknown,
        own ? advice::retry : advice::verify,
        "the answer is larger than it may be; the session is given up"
    );
}

void libpq_session::give_up(failure why) {
    is_.given_up = true;
    if (!failed_)
        failed_ = std::move(why);
    sever();
}

void libpq_session::end() {
    if (failed_) {
        end_with(*std::exchange(failed_, std::nullopt));
        return;
    }
    if (is_.preparing) {
        now_prepared();
        return;
    }
    if (is_.resetting && !is_.discarding) {
        if (!next_reset_step())
            end_with(make_failure(errc::unreachable, advice::retry, "the session cannot be reset"));
        else
            PQflush(of_.get());
        is_.first = false;
        return;
    }
    if (is_.resetting) { // What the one before listened to is not the next one's.
        collect_pushes();
        pushes_.clear();
        prepared_.forget_all();
    }
    end_well();
}

void libpq_session::end_well() {
    into_->finish(status_of(of_.get()));
    end_with({});
}

void libpq_session::end_with(expected<void> how) {
    commit_over();
    is_.flushing = false;
    is_.first = false;
    into_ = nullptr;
    std::exchange(done_, nullptr)->completed(std::move(how));
}

void libpq_session::fail_lost() {
    if (!severed_.exchange(true))
        shutdown(guard_, SHUT_RDWR);
    if (!failed_ && is_.commit_alone && is_.result_over) { // C1: the server had said so.
        end_well();
        return;
    }
    if (!failed_ && is_.preparing)
        failed_ = lost_before();
    end_with(failed_ ? *std::exchange(failed_, std::nullopt) : lost(last_words_));
}

void libpq_session::sever() noexcept {
    severed_.store(true);
    shutdown(guard_, SHUT_RDWR);
}

expected<void> libpq_session::request_cancel(time_point /*until*/) {
    if (encrypted_ && PQlibVersion() < 170000)
        return make_failure(
            errc::rejected_by_server,
            advice::give_up,
            "this libpq would send the cancel key in clear text; sever the session instead"
        );
    auto state = ending::open;
    if (!ending_.compare_exchange_strong(state, ending::cancelling))
        return make_failure(
            errc::rejected_by_server,
            advice::give_up,
            state == ending::commit_left
                ? "COMMIT may have left: cancelling it could make it succeed without being "
                  "replicated (C6)"
                : "a cancel request is under way already"
        );
    char text[256] = {};
    // Back once the server has acted on it, so that it cannot hit a later statement.
    const bool sent = PQcancel(cancel_.get(), text, sizeof text) == 1;
    ending_.store(ending::open);
    if (sent)
        return {};
    return make_failure(errc::unreachable, advice::retry, "the cancel request could not be sent");
}

bool libpq_session::usable() const noexcept {
    return !severed_.load() && PQstatus(of_.get()) == CONNECTION_OK;
}

transaction_status libpq_session::transaction() const noexcept {
    return severed_.load() ? transaction_status::unknown : status_of(of_.get());
}

std::string_view libpq_session::reported(std::string_view name) const noexcept {
    return or_empty(PQparameterStatus(of_.get(), std::string(name).c_str()));
}

void libpq_session::collect_pushes() {
    while (PGnotify* const one = PQnotifies(of_.get())) {
        const std::unique_ptr<PGnotify, decltype(&PQfreemem)> held(one, &PQfreemem);
        if (pushes_.size() == pushes_max)
            pushes_.pop_front();
        pushes_.push_back(
            {one->relname,
             std::string(std::string_view(or_empty(one->extra)).substr(0, payload_max))}
        );
    }
}

std::optional<push> libpq_session::take_push() {
    if (done_ == nullptr && pushes_.empty())
        collect_pushes();
    if (pushes_.empty())
        return std::nullopt;
    auto first = std::move(pushes_.front());
    pushes_.pop_front();
    return first;
}

}

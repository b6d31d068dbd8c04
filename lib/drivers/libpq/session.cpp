// SPDX-License-Identifier: Apache-2.0
#include "drivers/libpq/session.hpp"

#include "drivers/libpq/errors.hpp"
#include "drivers/shared/postgresql_resets.hpp"

#include <algorithm>
#include <cassert>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hadr::inline v0::libpq {

namespace {

using drivers::discard_all;
using drivers::discard_but_prepared;

constexpr std::size_t pushes_max = 1000;
constexpr std::size_t payload_max = 8000;
constexpr std::size_t notices_max = 100;

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
        escaped(field_of(what, PG_DIAG_SQLSTATE), 5),
        escaped(field_of(what, PG_DIAG_MESSAGE_PRIMARY))};
    here.last_words_ = one.sqlstate;
    if (here.into_ != nullptr && here.into_->notices().size() < notices_max)
        here.into_->add_notice(std::move(one));
}

// The handle may have been in other hands, which may have changed what we rely on.
void libpq_session::take_back() noexcept {
    handed_over_ = false;
    PQsetNoticeReceiver(of_.get(), &libpq_session::noticed, this);
    // With a statement under way it could block, and nothing can be sent anyway.
    if (PQtransactionStatus(of_.get()) != PQTRANS_ACTIVE)
        PQsetnonblocking(of_.get(), 1);
}

// Blocking, as an application that opened it itself would have it.
void* libpq_session::native() noexcept {
    if (of_ && !std::exchange(handed_over_, true)) {
        PQsetnonblocking(of_.get(), 0);
        prepared_.forget_all();  // Whoever has the handle may deallocate them,
        others_prepared_ = true; // and prepare others.
    }
    return of_.get();
}

// DISCARD is refused inside a transaction, so a rollback goes first. False if neither can be sent.
bool libpq_session::next_reset_step() {
    if (severed_.load() || PQpipelineStatus(of_.get()) != PQ_PIPELINE_OFF)
        return false;
    if (handed_over_)
        take_back();
    switch (PQtransactionStatus(of_.get())) {
    case PQTRANS_IDLE:
        is_.discarding = true;
        return send({others_prepared_ || prepared_.full() ? discard_all : discard_but_prepared});
    case PQTRANS_INTRANS:
    case PQTRANS_INERROR: return send({"ROLLBACK"});
    case PQTRANS_ACTIVE:
    case PQTRANS_UNKNOWN: break;
    }
    return false;
}

// False if the session holds statements that somebody else has prepared.
bool libpq_session::discarded() {
    if (others_prepared_ || prepared_.full()) {
        others_prepared_ = false;
        prepared_.forget_all();
        return true;
    }
    others_prepared_ = into_->rows() != 1 || into_->at(0, 0) != "0";
    return !others_prepared_;
}

waiting libpq_session::waits_for() const noexcept {
    return {guard_, is_.flushing ? readiness::readable | readiness::writable : readiness::readable};
}

void libpq_session::sever() noexcept {
    severed_.store(true);
    shutdown(guard_, SHUT_RDWR);
}

expected<void> libpq_session::request_cancel(time_point /*until*/) {
    if (encrypted_) // PQcancel does not encrypt, whatever the version of libpq.
        return make_failure(
            errc::rejected_by_server,
            advice::give_up,
            "libpq would send the cancel key in clear text; sever the session instead"
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
    return text_of(PQparameterStatus(of_.get(), std::string(name).c_str()));
}

void libpq_session::collect_pushes() {
    while (PGnotify* const one = PQnotifies(of_.get())) {
        const std::unique_ptr<PGnotify, decltype(&PQfreemem)> held(one, &PQfreemem);
        if (pushes_.size() == pushes_max)
            pushes_.pop_front();
        pushes_.push_back(
            {one->relname,
             std::string(std::string_view(text_of(one->extra)).substr(0, payload_max))}
        );
    }
}

std::optional<push> libpq_session::take_push() {
    if (!under_way_ && pushes_.empty())
        collect_pushes();
    if (pushes_.empty())
        return std::nullopt;
    auto first = std::move(pushes_.front());
    pushes_.pop_front();
    return first;
}

}

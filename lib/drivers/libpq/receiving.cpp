// SPDX-License-Identifier: Apache-2.0
#include "drivers/libpq/errors.hpp"
#include "drivers/libpq/session.hpp"

#include <charconv>

namespace hadr::inline v0::libpq {

namespace {

bool reads(std::string_view tag) noexcept {
    return tag.starts_with("SELECT") || tag.starts_with("FETCH") || tag.starts_with("MOVE");
}

// libpq takes these pointers as not const, and changes nothing.
PGresult* result_of(const void* kept) noexcept {
    return static_cast<PGresult*>(const_cast<void*>(kept));
}

std::string_view tag_of(const void* kept) noexcept {
    return text_of(PQcmdStatus(result_of(kept)));
}

std::uint64_t affected_by(const void* kept) noexcept {
    if (reads(tag_of(kept)))
        return 0;
    const std::string_view text = text_of(PQcmdTuples(result_of(kept)));
    std::uint64_t count = 0;
    std::from_chars(text.data(), text.data() + text.size(), count);
    return count;
}

}

const result_reader reader{
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
        return text_of(PQfname(static_cast<const PGresult*>(kept), static_cast<int>(column)));
    },
    &tag_of,
    &affected_by,
    [](void* kept) noexcept { PQclear(static_cast<PGresult*>(kept)); }};

namespace {

constexpr const char* copy_needs_native = "COPY needs the native handle; the session is given up";

}

void libpq_session::take(result one) {
    switch (PQresultStatus(one.get())) {
    case PGRES_TUPLES_OK: // The end of single rows, of which it has none.
    case PGRES_SINGLE_TUPLE:
        if (is_.result_over)
            begin_again();
        take_rows(one.get());
        is_.result_over = PQresultStatus(one.get()) == PGRES_TUPLES_OK;
        if (is_.result_over)
            into_->finish(tag_of(one.get()), 0, transaction_status::unknown);
        return;
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        if (is_.preparing)
            return;
        if (is_.result_over)
            begin_again();
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
    const auto sqlstate = field_of(one.get(), PG_DIAG_SQLSTATE);
    if (failed_)
        return;
    if (is_.by_name && !is_.preparing)
        prepared_.forget_last(); // Perhaps what it names is gone, or fits no more.
    // libpq's own failures bear no SQLSTATE: the wire is gone or spoke nonsense (F51).
    failed_ = sqlstate.empty() ? lost(last_words_)
                               : rejected(sqlstate, field_of(one.get(), PG_DIAG_MESSAGE_PRIMARY));
}

void libpq_session::take_rows(PGresult* rows) {
    const int columns = PQnfields(rows);
    if (into_->columns() == 0)
        for (int c = 0; c < columns; ++c)
            into_->add_column(text_of(PQfname(rows, c)));
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
void libpq_session::begin_again() {
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

}

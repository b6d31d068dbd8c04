// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/markers.hpp"
#include "drivers/odbc/performing.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace hadr::inline v0::odbc {

namespace {

constexpr std::size_t set_aside_max = 4;

SQLCHAR* text_for_odbc(std::string_view text) noexcept {
    return reinterpret_cast<SQLCHAR*>(const_cast<char*>(text.data()));
}

// "count(*)" is one column; any other star may be as many as a table has now.
bool names_its_columns(std::string_view text) noexcept {
    for (auto at = text.find('*'); at != std::string_view::npos; at = text.find('*', at + 1))
        if (at == 0 || text[at - 1] != '(')
            return false;
    return true;
}

// Of the parameters that are asked for, from 1; 0 if none is.
std::size_t highest(std::span<const std::uint16_t> order) noexcept {
    const auto last = std::max_element(order.begin(), order.end());
    return last == order.end() ? 0 : std::size_t{*last} + 1;
}

failure no_handle() {
    return make_failure(
        errc::unreachable, advice::retry, "the ODBC driver has no handle for a statement"
    );
}

}

call::call(std::unique_ptr<connection> of, const driver_profile& by, answer_limits limits)
    : of_(std::move(of))
    , by_(by)
    , ways_(by.ways)
    , limits_(limits)
    , result_(new flat_result) {}

call::~call() = default;

void call::run() noexcept {
    if (!move(stage::asked, stage::running))
        return;
    run_here();
    auto* const world = through;
    auto* const who = asker;
    if (move(stage::running, stage::ended))
        world->unpark(who);
}

void call::forget_ended() noexcept {
    ended.failed.reset();
    ended.notices.clear();
}

void call::break_off() noexcept {
    ended.lost = true;
    ended.failed = failure{};
}

void call::name_failure() {
    if (ended.lost && !ended.failed->code)
        ended.failed = lost();
}

// An answer keeps the one that there is.
void call::leave_result() {
    result_.reset(new flat_result);
}

void call::perform_at_length() {
    ended.in_rows = false;
    result_->clear();
    if (asked.kind == statement_kind::reset)
        perform_reset();
    else
        perform_text();
}

void call::perform_text() {
    auto* const on = asked.again ? kept_.back().get() : find(asked.text, asked.kept);
    if (on == nullptr)
        return;
    const auto sort = on->sort; // It may be forgotten.
    // Of a failed one a COMMIT may be told as done (M5): it must be known before.
    if (sort.is == statement_sort::kind::commit && transaction_.in_doubt)
        ask_transaction();
    if (ended.lost) {
        ended.failed = lost_before();
        return;
    }
    const auto before = transaction_.is;
    const bool well = run_statement(*on);
    if (ended.lost)
        return;
    settle(sort, well);
    if (well && result_->tag == "COMMIT" &&
        (by_.committed == commit_answer::unless_failed_before &&
         before == transaction_status::failed))
        result_->tag = "ROLLBACK";
}

// The text that ran last is nearly always the one that runs next.
known_statement* call::find(std::string_view text, bool keep) {
    if (!keep) {
        if (plain_.by && plain_.text == text)
            return &plain_;
        return make_ready(false);
    }
    const auto found = std::find_if(kept_.rbegin(), kept_.rend(), [text](const auto& one) {
        return one->text == text;
    });
    if (found == kept_.rend())
        return make_ready(kept_.size() < kept_max);
    if (found != kept_.rbegin())
        std::swap(*found, kept_.back());
    return kept_.back().get();
}

known_statement* call::make_ready(bool keep) {
    auto made = std::make_unique<known_statement>();
    auto& on = keep ? *made : plain_;
    if (!on.by)
        on.by = statement_handle(of_->get());
    if (!on.by) {
        ended.failed = no_handle();
        return nullptr;
    }
    on.text = asked.text;
    on.sort = sort_of(on.text);
    on.names.reset();
    on.order.clear();
    on.prepared = false;
    auto sent = on.text;
    if (ways_.numbered_markers) {
        auto marked = with_question_marks(on.text);
        if (!marked) {
            ended.failed = marked.error();
            on.text.clear();
            return nullptr;
        }
        on.order = std::move(marked->order);
        sent = std::move(marked->text);
    }
    on.marks_max = ways_.numbered_markers
                       ? highest(on.order)
                       : static_cast<std::size_t>(std::count(sent.begin(), sent.end(), '?'));
    if (on.sort.is == statement_sort::kind::begin && on.text == "BEGIN")
        sent = ways_.begin;
    on.sent = std::move(sent);
    on.shape_known = on.sort.query && names_its_columns(on.sent);
    on.plain = on.shape_known && !on.sort.leaves_state && !on.sort.unsettles;
    on.stays = keep;
    if (!keep)
        return &on;
    kept_.push_back(std::move(made));
    return kept_.back().get();
}

// Whole seconds, in steps: a driver may tell the server of each change. C6: none for what may
// commit, since a driver that has waited enough asks the server to stop.
void call::set_limit(known_statement& on) {
    if (!ways_.own_limit)
        return;
    const bool commits = asked.kind == statement_kind::commit && &on != &own_;
    const auto wanted = commits ? 0 : std::chrono::ceil<std::chrono::seconds>(asked.limit).count();
    SQLULEN limit = wanted > 0 ? 1 : 0;
    while (limit != 0 && limit < static_cast<SQLULEN>(wanted))
        limit *= 2;
    if (limit == on.limit)
        return;
    SQLSetStmtAttr(
        on.by.get(), SQL_ATTR_QUERY_TIMEOUT, reinterpret_cast<SQLPOINTER>(limit), SQL_IS_UINTEGER
    );
    on.limit = limit;
}

SQLRETURN call::execute(known_statement& on) {
    const auto length = static_cast<SQLINTEGER>(on.sent.size());
    if (&on == &plain_ && !ways_.prepares_all)
        return SQLExecDirect(on.by.get(), text_for_odbc(on.sent), length);
    if (!on.prepared) {
        const auto how = SQLPrepare(on.by.get(), text_for_odbc(on.sent), length);
        if (!SQL_SUCCEEDED(how))
            return how;
        on.prepared = true;
    }
    return SQLExecute(on.by.get());
}

// What is given and never asked for would be left out without a word.
bool call::bind(known_statement& on) {
    const bool asked_for = asked.parameters.size() <= on.marks_max;
    if (asked_for &&
        on.parameters.bind(on.by.get(), asked.parameters, on.order, ways_.wide_parameters))
        return true;
    unsent_ = true;
    ended.failed = make_failure(
        errc::rejected_by_server,
        advice::give_up,
        asked_for ? "the ODBC driver takes no such parameters, or the text asks for more than are "
                    "given"
                  : "more parameters are given than the text has marks for; a mark is $1, $2, ... "
                    "for PostgreSQL and ? for any other engine behind ODBC"
    );
    return false;
}

bool call::run_statement(known_statement& on) {
    running_.store(on.by.get());
    set_limit(on);
    result_->tag = on.sort.tag;
    if (!asked.bound && !bind(on))
        return false;
    const auto how = execute(on);
    const bool well = collect(on, how);
    if (well)
        close(on);
    else if (&on == &plain_)
        renew(on);
    else
        forget(on); // Perhaps it fits no more.
    return well;
}

// After a plain query that failed, or while the transaction is not certain.
void call::put_away(known_statement& on, bool well, bool closed) {
    const auto sort = on.sort; // It may be forgotten.
    if (well && !closed)
        renew(on);
    else if (!well)
        forget(on);
    if (!ended.lost)
        settle(sort, well);
}

// Where a cancel came in between, the driver manager and the driver may differ on what is open.
void call::close(known_statement& on) {
    if (cancelled_.load() || !SQL_SUCCEEDED(SQLFreeStmt(on.by.get(), SQL_CLOSE)))
        renew(on);
}

// After a failure as well, since a driver may keep something of it open.
void call::renew(known_statement& on) {
    if (ended.lost)
        return;
    running_.store(SQL_NULL_HANDLE);
    if (cancelling_.load()) { // Somebody may be about to use the handle.
        if (set_aside_.size() == set_aside_max) {
            ended.lost = true;
            return;
        }
        set_aside_.push_back(std::move(on.by));
    } else {
        set_aside_.clear();
    }
    on.by = statement_handle();
    on.by = statement_handle(of_->get());
    on.prepared = false;
    on.limit.reset();
    on.names.reset();
    on.parameters = {};
    on.columns = {};
}

void call::forget(const known_statement& on) {
    running_.store(SQL_NULL_HANDLE);
    if (cancelling_.load())
        return;
    std::erase_if(kept_, [&](const auto& one) { return one.get() == &on; });
}

void call::forget_kept() {
    running_.store(SQL_NULL_HANDLE);
    if (!cancelling_.load())
        kept_.clear();
}

bool call::cancel() noexcept {
    cancelling_.store(true);
    const auto which = running_.load();
    bool done = true;
    if (which != SQL_NULL_HANDLE) {
        cancelled_.store(true);
        done = SQL_SUCCEEDED(SQLCancel(which));
    }
    cancelling_.store(false);
    return done;
}

void call::handed_over() noexcept {
    forget_kept();
    transaction_ = {transaction_status::unknown, true, true};
    touched_ = true;
    handed_over_ = true;
    ended.transaction = transaction_status::unknown;
}

void call::perform_reset() {
    if (transaction_.in_doubt || transaction_.unsettled)
        ask_transaction();
    if (!ended.lost && transaction_.is != transaction_status::idle) {
        // Refused where there is none, which is as good.
        try_text("ROLLBACK");
        transaction_ = {};
        if (!ended.lost)
            ask_transaction();
    }
    // Where nothing else can be done, a rollback is enough after statements about data.
    const bool known = !by_.reset.empty();
    if (!ended.lost &&
        (transaction_.is != transaction_status::idle || (known ? !as_new() : touched_)))
        ended.lost = true;
    if (ended.lost)
        ended.failed =
            make_failure(errc::unreachable, advice::retry, "the session cannot be made as new");
    touched_ = false;
    handed_over_ = false;
    result_->set_names(nullptr);
}

// False if it cannot be done.
bool call::as_new() {
    if (!ways_.reset_but_kept.empty() && !handed_over_ && kept_.size() < kept_max &&
        try_text(ways_.reset_but_kept) && answered(0) == "0")
        return true;
    if (ended.lost || by_.reset.empty())
        return false;
    forget_kept();
    return try_text(by_.reset);
}

}

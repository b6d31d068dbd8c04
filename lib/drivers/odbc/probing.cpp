// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/call.hpp"

#include <utility>

namespace hadr::inline v0::odbc {

void call::settle(const statement_sort& what, bool well) {
    // Nearly always there is nothing to it.
    if (what.query && well && !what.leaves_state && !what.unsettles && !transaction_.unsettled &&
        !transaction_.in_doubt)
        return;
    if (!well && std::exchange(unsent_, false)) {
        if (transaction_.is != transaction_status::idle)
            ask_transaction();
        return;
    }
    const bool leaves = what.is == statement_sort::kind::other || what.leaves_state;
    touched_ = touched_ || (leaves && (well || what.several));
    transaction_ = after_statement(transaction_, what, well, ways_);
    if (transaction_.in_doubt)
        ask_transaction();
}

// One statement of our own, which changes nothing of what is told of the application's. False if it
// failed.
bool call::try_text(std::string_view text) {
    auto kept_back = std::exchange(ended, {});
    std::swap(result_, own_result_);
    if (!result_)
        result_.reset(new flat_result);
    result_->clear();
    own_.sort = {};
    own_.sent = text;
    if (!own_.by)
        own_.by = statement_handle(of_->get());
    bool well = false;
    if (own_.by) {
        running_.store(SQL_NULL_HANDLE); // It is not what a cancel is for.
        set_limit(own_);
        const auto how = SQLExecDirect(
            own_.by.get(),
            reinterpret_cast<SQLCHAR*>(own_.sent.data()),
            static_cast<SQLINTEGER>(own_.sent.size())
        );
        well = collect(own_, how);
        if (well)
            close(own_);
        else
            renew(own_);
    }
    own_failed_ = well ? std::nullopt : std::exchange(ended.failed, std::nullopt);
    kept_back.lost = kept_back.lost || ended.lost;
    ended = std::move(kept_back);
    std::swap(result_, own_result_);
    return well;
}

// Of the question asked last; empty where there is no such answer.
std::string_view call::answered(std::size_t column) const noexcept {
    if (!own_result_ || own_result_->rows() == 0 || column >= own_result_->columns())
        return {};
    return own_result_->value(own_result_->rows() - 1, column).value_or(std::string_view());
}

void call::ask_transaction() {
    transaction_.in_doubt = false;
    transaction_.is = ended.lost ? transaction_status::unknown : probed();
    if (transaction_.is == transaction_status::unknown)
        transaction_.in_doubt = true;
}

transaction_status call::probed() {
    switch (ways_.asked_by) {
    case probe::none: break;
    case probe::question: return probed_by_question();
    case probe::savepoint: return probed_by_savepoint();
    case probe::begin: return probed_by_begin();
    }
    return transaction_status::unknown;
}

transaction_status call::probed_by_question() {
    if (!try_text(ways_.question) || answered(0).empty())
        return transaction_status::unknown;
    if (answered(0) == "0")
        return transaction_status::idle;
    if (ways_.nests && answered(0) != "1")
        transaction_.unsettled = true; // A COMMIT ends the innermost one alone.
    return answered(1) == "-1" ? transaction_status::failed : transaction_status::open;
}

transaction_status call::probed_by_savepoint() {
    if (try_text("SAVEPOINT hadr_probe"))
        return try_text("RELEASE SAVEPOINT hadr_probe") ? transaction_status::open
                                                        : transaction_status::unknown;
    if (!own_failed_)
        return transaction_status::unknown;
    if (own_failed_->sqlstate == "25P01")
        return transaction_status::idle;
    return own_failed_->sqlstate == "25P02" ? transaction_status::failed
                                            : transaction_status::unknown;
}

// Refused for another cause as well, such as a file that is busy: then it is not known.
transaction_status call::probed_by_begin() {
    if (try_text("BEGIN"))
        return try_text("ROLLBACK") ? transaction_status::idle : transaction_status::unknown;
    return own_failed_ && own_failed_->next == advice::give_up ? transaction_status::open
                                                               : transaction_status::unknown;
}

}

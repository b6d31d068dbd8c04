// SPDX-License-Identifier: Apache-2.0
#include "sql_server/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <unordered_map>

namespace hadr::test {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view insert_text = "INSERT INTO ledger VALUES (?)";
constexpr auto grace = 100ms;

using end = append_result::end;

/// Counts a call while it lasts.
class counted_call {
public:
    explicit counted_call(std::atomic<int>& in) : in_(in) { ++in_; }
    counted_call(const counted_call&) = delete;
    ~counted_call() { --in_; }

private:
    std::atomic<int>& in_;
};

}

append_result row_client::append(int writer, const std::string& token, duration within) {
    const auto until = deadline::at(std::chrono::steady_clock::now() + within);
    auto how = writer % 2 == 0 ? execute(token, until) : transact(token, until);
    if (how.how == end::refused) {
        const std::lock_guard guard(mutex_);
        refused_.push_back(token);
    }
    return how;
}

append_result row_client::execute(const std::string& token, deadline until) {
    auto held = on_.store().acquire({.intent = intent::write, .until = until});
    if (!held)
        return {end::refused, 0, false, to_string(held.error())};
    const counted_call now(in_flight_);
    const std::array<parameter, 1> with = {std::string_view(token)};
    const auto how = held->execute(insert_text, with, until);
    if (how)
        return {end::acknowledged, held->server().port, true, {}};
    const bool unknown = how.error().code == errc::outcome_unknown;
    return {
        unknown ? end::unknown : end::refused, held->server().port, false, to_string(how.error())};
}

append_result row_client::transact(const std::string& token, deadline until) {
    int port = 0;
    const counted_call now(in_flight_);
    const auto result = on_.store().transact({.until = until}, [&](lease& held) -> expected<void> {
        port = held.server().port;
        const std::array<parameter, 1> with = {std::string_view(token)};
        const auto how = held.execute(insert_text, with, until);
        return how ? expected<void>() : how.error();
    });
    const auto why = result.cause ? to_string(*result.cause) : std::string();
    switch (result.ended) {
    case outcome::committed:
    case outcome::committed_local: return {end::acknowledged, port, true, {}};
    case outcome::not_committed: return {end::refused, port, false, why};
    case outcome::in_doubt: break;
    }
    return {end::unknown, port, false, why};
}

std::vector<std::string> row_client::refused() const {
    const std::lock_guard guard(mutex_);
    return refused_;
}

witnessed witnesses_of(mirrored_pair& on) {
    witnessed made;
    made.answered = on.served.acknowledgements();
    made.namings = on.served.namings();
    made.ledger = on.served.with([](simulated_store& of) { return of.ledger(of.named()); });
    return made;
}

namespace {

class row_judge {
public:
    explicit row_judge(const witnessed& by) : by_(by) {
        for (const auto& one : by.answered)
            answered_[one.token] = &one;
        for (const auto& token : by.ledger)
            ++count_[token];
    }

    row_verdict run(const tally& told, const std::vector<std::string>& refused) {
        auto rows = told.rows;
        std::sort(rows.begin(), rows.end(), [](const acknowledged& a, const acknowledged& b) {
            return a.when < b.when;
        });
        for (const auto& row : rows)
            judge(row);
        for (const auto& token : refused)
            if (count_.contains(token)) {
                ++made_.refused_present;
                note("surely not done, and there: " + token);
            }
        for (const auto& one : told.unknown)
            made_.unknown_present += count_.contains(one.token) ? 1U : 0U;
        made_.unknown = told.unknown.size();
        for (const auto& [token, count] : count_)
            if (count > 1) {
                ++made_.duplicated;
                note(fmt::format("{} times: {}", count, token));
            }
        return std::move(made_);
    }

private:
    void judge(const acknowledged& row) {
        const auto found = answered_.find(row.token);
        if (found == answered_.end()) {
            ++made_.unexplained;
            note("acknowledged by nobody: " + row.token);
            return;
        }
        const auto& by = *found->second;
        made_.exposed += by.synchronous ? 0U : 1U;
        if (!count_.contains(row.token)) {
            ++(by.synchronous ? made_.lost : made_.exposed_lost);
            note(fmt::format("lost: {} in term {}", row.token, by.term));
        }
        if (older(by.term, row.when) || demoted(by.at, row.when)) {
            ++made_.demoted_writes;
            note(fmt::format("demoted write: {} in term {}", row.token, by.term));
        }
    }

    // Rows come in the order of their acknowledgement.
    bool older(std::uint64_t term, moment when) {
        while (!recent_.empty() && recent_.front().first + grace <= when) {
            highest_ = std::max(highest_, recent_.front().second);
            recent_.pop_front();
        }
        recent_.emplace_back(when, term);
        return term < highest_;
    }

    bool demoted(site at, moment when) const {
        const tds_double::naming* last = nullptr;
        for (const auto& one : by_.namings)
            if (one.since + grace <= when)
                last = &one;
        if (last == nullptr || last->whom == at)
            return false;
        return std::none_of(by_.namings.begin(), by_.namings.end(), [&](const auto& one) {
            return one.whom == at && one.since > last->since && one.since <= when;
        });
    }

    void note(std::string line) {
        if (made_.details.size() < 20)
            made_.details.push_back(std::move(line));
    }

    const witnessed& by_;
    std::unordered_map<std::string, const tds_double::acknowledged*> answered_;
    std::map<std::string, int> count_;
    std::deque<std::pair<moment, std::uint64_t>> recent_;
    std::uint64_t highest_ = 0;
    row_verdict made_;
};

}

row_verdict
judge_rows(const tally& told, const std::vector<std::string>& refused, const witnessed& by) {
    return row_judge(by).run(told, refused);
}

}

// SPDX-License-Identifier: Apache-2.0
#include "support/ledger.hpp"

#include "support/postgres.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

namespace hadr::test {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

namespace {

// What this process could have read of the engine's new naming, and had the time to act on (rulings
// 13).
constexpr auto demotion_grace = 100ms;

bool demoted(const acknowledged& row, const std::vector<naming>& namings) {
    const naming* last = nullptr;
    for (const auto& one : namings)
        if (one.when + demotion_grace <= row.when)
            last = &one;
    if (last == nullptr || last->port == row.port)
        return false;
    // Named again meanwhile? The observer may come to know of it a little later than a client.
    return std::none_of(namings.begin(), namings.end(), [&](const naming& one) {
        return one.port == row.port && one.when > last->when &&
               one.when <= row.when + demotion_grace;
    });
}

}

ledger_writers::ledger_writers(
    ledger_client& through, int writers, std::string prefix, duration deadline
)
    : through_(through)
    , prefix_(std::move(prefix))
    , deadline_(deadline) {
    for (int i = 0; i < writers; ++i)
        threads_.emplace_back([this, i] { write(i); });
}

ledger_writers::~ledger_writers() {
    stopping_ = true;
}

void ledger_writers::write(int writer) {
    auto last = clock::now();
    for (std::uint64_t n = 0; !stopping_; ++n) {
        const auto token = fmt::format("{}-{}-{}", prefix_, writer, n);
        const auto begun = clock::now();
        const auto how = through_.append(writer, token, deadline_);
        const auto ended = clock::now();
        {
            const std::lock_guard guard(mutex_);
            all_.overrun = std::max(all_.overrun, ended - begun - deadline_);
            switch (how.how) {
            case append_result::end::acknowledged:
                all_.rows.push_back({token, ended, how.port, how.synchronous});
                all_.longest_gap = std::max(all_.longest_gap, ended - last);
                last = ended;
                ++count_;
                break;
            case append_result::end::unknown:
                all_.unknown.push_back({token, how.port, ended - begun >= deadline_});
                break;
            case append_result::end::refused:
                ++all_.refused;
                if (all_.refusals.size() < 20 &&
                    std::find(all_.refusals.begin(), all_.refusals.end(), how.why) ==
                        all_.refusals.end())
                    all_.refusals.push_back(how.why);
                break;
            }
        }
        std::this_thread::sleep_for(how.how == append_result::end::acknowledged ? 2ms : 5ms);
    }
}

void ledger_writers::await(std::uint64_t more, duration within) const {
    const auto goal = count() + more;
    wait_until(fmt::format("{} more commits", more), within, [&] { return count() >= goal; });
}

double ledger_writers::rate(duration over) const {
    const auto before = count();
    const auto begun = clock::now();
    std::this_thread::sleep_for(over);
    return static_cast<double>(count() - before) /
           std::chrono::duration<double>(clock::now() - begun).count();
}

tally ledger_writers::stop() {
    stopping_ = true;
    threads_.clear();
    const std::lock_guard guard(mutex_);
    return all_;
}

void create_ledger(int port) {
    must(
        port,
        "drop table if exists ledger; create table ledger (id bigserial, token text not null, port "
        "int default "
        "inet_server_port(), "
        "timeline text default substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8), "
        "pid int default pg_backend_pid(), at timestamptz default clock_timestamp())"
    );
}

observer::observer(std::vector<std::string> arguments) {
    const auto file = folder_.path() + "/namings";
    std::vector<std::string> words{HADR_OBSERVER, file};
    words.insert(words.end(), arguments.begin(), arguments.end());
    process_ = std::make_unique<child>(child::command{.words = words, .as_servers = false});
    wait_until("the observer's first naming", 10s, [&] { return !namings().empty(); });
}

std::vector<naming> observer::namings() const {
    std::ifstream in(folder_.path() + "/namings");
    std::vector<naming> all;
    duration::rep when = 0;
    int port = 0;
    while (in >> when >> port)
        all.push_back({moment(duration(when)), port});
    return all;
}

namespace {

/// A row as the table has it.
struct stored {
    int count = 0;
    int port = 0;
    std::string timeline;
    std::string pid;
};

std::map<std::string, stored> read_ledger(int port) {
    std::istringstream in(must(
        port,
        "select coalesce(string_agg(concat_ws(' ', token, port, timeline, pid), ' '), '') from "
        "ledger"
    ));
    std::map<std::string, stored> all;
    stored one;
    for (std::string token; in >> token >> one.port >> one.timeline >> one.pid;) {
        one.count = all[token].count + 1;
        all[token] = one;
    }
    return all;
}

/// Rows in the order of their acknowledgement, asked whether a newer timeline had been written to
/// for longer than the grace.
class timelines {
public:
    bool older(const std::string& timeline, moment when) {
        while (!recent_.empty() && recent_.front().first + demotion_grace <= when) {
            highest_ = std::max(highest_, recent_.front().second);
            recent_.pop_front();
        }
        recent_.emplace_back(when, timeline);
        all_.insert(timeline);
        return timeline < highest_;
    }

    std::size_t count() const noexcept { return all_.size(); }

private:
    std::deque<std::pair<moment, std::string>> recent_;
    std::string highest_;
    std::set<std::string> all_;
};

std::string describe(const std::string& token, const stored& row) {
    return fmt::format(
        "{} on port {}, timeline {}, backend {}", token, row.port, row.timeline, row.pid
    );
}

}

verdict judge(const tally& told, int primary_port, const std::vector<naming>& namings) {
    const auto present = read_ledger(primary_port);
    verdict made;
    const auto note = [&](std::string line) {
        if (made.details.size() < 20)
            made.details.push_back(std::move(line));
    };
    auto rows = told.rows;
    std::sort(rows.begin(), rows.end(), [](const acknowledged& a, const acknowledged& b) {
        return a.when < b.when;
    });
    timelines reigns;
    for (const auto& row : rows) {
        made.exposed += row.synchronous ? 0U : 1U;
        const auto found = present.find(row.token);
        const bool gone = found == present.end();
        const bool late = !gone && reigns.older(found->second.timeline, row.when);
        if (gone) {
            ++(row.synchronous ? made.lost : made.exposed_lost);
            note(fmt::format("lost: {} acknowledged on {}", row.token, row.port));
        }
        if (late || demoted(row, namings)) {
            ++made.demoted_writes;
            note(fmt::format(
                "demoted write: {}", gone ? row.token : describe(row.token, found->second)
            ));
        }
    }
    for (const auto& [token, row] : present)
        if (row.count > 1) {
            ++made.duplicated;
            note(fmt::format("{} times: {}", row.count, describe(token, row)));
        }
    made.promotions = reigns.count() == 0 ? 0 : reigns.count() - 1;
    made.unknown = told.unknown.size();
    for (const auto& one : told.unknown) {
        made.unknown_present += present.contains(one.token) ? 1U : 0U;
        const bool followed = made.promotions > 0 && one.port == primary_port;
        made.unknown_at_deadline += followed && one.at_its_deadline ? 1U : 0U;
    }
    return made;
}

control_thread::control_thread()
    : thread_([this](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            const auto wanted = clock::now() + 2ms;
            std::this_thread::sleep_until(wanted);
            const auto late = (clock::now() - wanted).count();
            if (late > worst_.load())
                worst_.store(late);
        }
    }) {}

}

// SPDX-License-Identifier: Apache-2.0
// The demo's server application: writers append to a ledger through leases and a reader reads it,
// while demo.sh kills, switches and stops what it runs on. Usage: hadr_demo CONNECTION_STRING
// SUMMARY_FILE PORT PORT WITNESS_PORT
#include "gaps.hpp"
#include "prober.hpp"

#include <hadr/hadr.hpp>
#include <hadr/libpq.hpp>
#include <hadr/odbc.hpp>

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <csignal>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr std::uint64_t failovers_least = 2; // The kill, and the planned one.

std::atomic<bool> stopping{false};

/// Where everything is printed, a line at a time, with the time since the start.
class timeline {
public:
    void say(const std::string& line) {
        const std::lock_guard guard(mutex_);
        const auto since = std::chrono::duration<double>(steady::now() - begun_).count();
        fmt::print("{:7.2f} s  {}\n", since, line);
        std::fflush(stdout);
    }

private:
    std::mutex mutex_; // Guards the terminal.
    const demo::moment begun_ = steady::now();
};

double milliseconds(demo::duration length) {
    return std::chrono::duration<double, std::milli>(length).count();
}

struct writer_result {
    std::map<std::string, bool> acknowledged; ///< Whether the store was exposed then.
    std::set<std::string> unknown;
    std::uint64_t refused = 0;
};

std::string server_name(const hadr::topology& view) {
    return view.writer ? to_string(view.members[*view.writer].at) : "nobody";
}

std::string epoch_name(const hadr::topology& view) {
    return view.accepted && view.accepted->term ? std::to_string(*view.accepted->term) : "-";
}

/// The application: what it does knows nothing of members, roles or failovers.
class application {
public:
    application(hadr::connection_manager& store, timeline& shown) : store_(store), shown_(shown) {}

    void write(int which, writer_result& result) {
        for (std::uint64_t n = 0; !stopping; ++n) {
            const auto token = fmt::format("{}-{}", which, n);
            const auto until = hadr::deadline::at(steady::now() + 10s);
            auto lease = store_.acquire({.intent = hadr::intent::write, .until = until});
            if (!lease) {
                ++result.refused;
                continue;
            }
            const std::array<hadr::parameter, 1> values = {std::string_view(token)};
            const auto how =
                lease->execute("insert into ledger (token) values ($1)", values, until);
            if (how) {
                const bool exposed = store_.view()->state == hadr::availability::exposed;
                result.acknowledged.emplace(token, exposed);
                ++commits_;
                gaps_.committed(steady::now());
            } else if (how.error().code == hadr::errc::outcome_unknown) {
                result.unknown.insert(token);
            } else {
                ++result.refused;
            }
            std::this_thread::sleep_for(2ms);
        }
    }

    void read() {
        while (!stopping) {
            auto lease =
                store_.acquire({.intent = hadr::intent::read, .until = hadr::deadline::in(1s)});
            if (lease && lease->execute("select count(*) from ledger"))
                ++reads_;
            std::this_thread::sleep_for(20ms);
        }
    }

    void show() {
        for (auto before = commits_.load(); !stopping; before = commits_.load()) {
            std::this_thread::sleep_for(500ms);
            const auto view = store_.view();
            shown_.say(fmt::format(
                "primary {:<16} epoch {:<3} {:<12} witness {:<9} {:>5} commits/s, {} reads",
                server_name(*view),
                epoch_name(*view),
                to_string(view->state),
                to_string(view->witness),
                (commits_.load() - before) * 2,
                reads_.load()
            ));
        }
    }

    demo::gap_book& gaps() { return gaps_; }

private:
    hadr::connection_manager& store_;
    timeline& shown_;
    demo::gap_book gaps_;
    std::atomic<std::uint64_t> commits_{0};
    std::atomic<std::uint64_t> reads_{0};
};

struct verdict {
    std::uint64_t acknowledged = 0, unknown = 0, unknown_present = 0, refused = 0, lost = 0,
                  lost_exposed = 0, duplicated = 0;
};

verdict judge(const std::vector<writer_result>& all, int port) {
    std::map<std::string, int> present;
    std::istringstream in(demo::ask(port, "select coalesce(string_agg(token, ' '), '') from ledger")
    );
    for (std::string token; in >> token;)
        ++present[token];
    verdict made;
    for (const auto& one : all) {
        made.acknowledged += one.acknowledged.size();
        made.unknown += one.unknown.size();
        made.refused += one.refused;
        for (const auto& [token, exposed] : one.acknowledged)
            if (!present.contains(token)) {
                ++made.lost;
                made.lost_exposed += exposed ? 1U : 0U;
            }
        for (const auto& token : one.unknown)
            made.unknown_present += present.contains(token) ? 1U : 0U;
    }
    for (const auto& [token, count] : present)
        made.duplicated += count > 1 ? 1U : 0U;
    return made;
}

void report(const verdict& found, const std::vector<demo::gap>& gaps, const std::string& file) {
    demo::gap longest;
    std::string text = "\nWhat the ledger in the database says\n";
    text += fmt::format("  commits acknowledged   {}\n", found.acknowledged);
    text += fmt::format("  lost                   {}", found.lost);
    if (found.lost_exposed != 0) // C31: the engine had given up waiting for the mirror.
        text += fmt::format(" ({} of them acknowledged while exposed)", found.lost_exposed);
    text += '\n';
    text += fmt::format("  duplicated             {}\n", found.duplicated);
    text += fmt::format(
        "  of unknown outcome     {} (the statements in flight at the cuts; {} of them are "
        "there)\n",
        found.unknown,
        found.unknown_present
    );
    text += fmt::format("  refused, surely undone {}\n", found.refused);
    for (const auto& one : gaps) {
        text += fmt::format(
            "  without a commit       {:.0f} ms: {:.0f} ms the engine's, {:.0f} ms the library's\n",
            milliseconds(one.whole),
            milliseconds(one.engine),
            milliseconds(one.library)
        );
        longest = one.whole > longest.whole ? one : longest;
    }
    text += fmt::format("  longest of these       {:.0f} ms\n\n", milliseconds(longest.whole));
    text += fmt::format(
        "figure demo_lost {}\nfigure demo_duplicated {}\n", found.lost, found.duplicated
    );
    text += fmt::format(
        "figure demo_acknowledged {}\nfigure demo_unknown {}\n", found.acknowledged, found.unknown
    );
    text += fmt::format("figure demo_longest_gap_ms {:.0f}\n", milliseconds(longest.whole));
    text +=
        fmt::format("figure demo_longest_gap_library_ms {:.0f}\n", milliseconds(longest.library));
    fmt::print("{}", text);
    std::ofstream(file) << text;
}

}

int main(int count, char** words) {
    if (count < 6) {
        fmt::print(
            stderr, "usage: hadr_demo CONNECTION_STRING SUMMARY_FILE PORT PORT WITNESS_PORT\n"
        );
        return 2;
    }
    std::signal(SIGTERM, [](int) { stopping = true; });
    std::signal(SIGINT, [](int) { stopping = true; });
    timeline shown;
    auto store = hadr::open(
        words[1],
        {.drivers = {hadr::libpq::make_driver(), hadr::odbc::make_driver()},
         .on_event = [&](const hadr::event& what) { shown.say("    * " + to_string(what)); }}
    );
    if (!store) {
        fmt::print(stderr, "{}\n", to_string(store.error()));
        return 2;
    }
    application app(**store, shown);
    constexpr std::size_t writers = 4;
    std::vector<writer_result> results(writers);
    {
        const demo::prober probes(
            {std::stoi(words[3]), std::stoi(words[4])}, std::stoi(words[5]), app.gaps()
        );
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < writers; ++i)
            threads.emplace_back([&, i] { app.write(static_cast<int>(i), results[i]); });
        threads.emplace_back([&] { app.read(); });
        app.show();
    }
    const auto view = (*store)->view();
    if (!view->writer) {
        fmt::print(stderr, "no primary at the end: {}\n", (*store)->explain().summary);
        return 1;
    }
    const auto found = judge(results, view->members[*view->writer].at.port);
    report(found, app.gaps().longer_than(200ms), words[2]);
    const auto failovers = (*store)->counters().failovers;
    fmt::print("figure demo_failovers {}\n", failovers);
    if (failovers < failovers_least)
        fmt::print(stderr, "{} failovers were followed, of {}\n", failovers, failovers_least);
    const bool well = found.lost == 0 && found.duplicated == 0 && found.acknowledged > 0;
    return well && failovers >= failovers_least ? 0 : 1;
}

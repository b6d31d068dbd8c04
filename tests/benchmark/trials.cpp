// SPDX-License-Identifier: Apache-2.0
#include "benchmark/trials.hpp"

#include <fstream>
#include <stdexcept>

namespace hadr::benchmark {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

/// The poller's process on one standby.
class poller {
public:
    explicit poller(int port)
        : process_({{HADR_POLLER, file(), std::to_string(port)}, {}, {}, false}) {
        test::wait_until("the poller to ask", 10s, [&] { return !lines().empty(); });
    }

    moment accepted(duration within) const {
        test::wait_until("the standby to accept writes", within, [&] {
            return lines().size() == 2;
        });
        return moment(duration(std::stoll(lines()[1])));
    }

private:
    std::string file() const { return folder_.path() + "/moment"; }

    std::vector<std::string> lines() const {
        std::ifstream in(file());
        std::vector<std::string> all;
        for (std::string line; std::getline(in, line) && !in.eof();)
            all.push_back(line);
        return all;
    }

    test::temporary_folder folder_{"hadr-poller"};
    test::child process_;
};

std::unique_ptr<route> make_route(client which, const stage& on, int writers) {
    switch (which) {
    case client::hadr: return std::make_unique<hadr_route>(on.hadr_string());
    case client::loop:
        return std::make_unique<loop_route>(on.loop_string(), writers, duration::zero());
    case client::loop_1s: return std::make_unique<loop_route>(on.loop_string(), writers, 1s);
    }
    return nullptr;
}

client client_of(std::string_view name) {
    for (const auto one : {client::hadr, client::loop, client::loop_1s})
        if (to_string(one) == name)
            return one;
    throw std::logic_error("no such client");
}

/// A client at work.
struct running {
    std::unique_ptr<route> by;
    std::unique_ptr<crowd> writers;
    series& into;
};

std::vector<running>
begin(const stage& on, const scenario& what, const std::vector<series*>& clients) {
    std::vector<running> all;
    for (auto* one : clients) {
        auto by = make_route(client_of(one->client), on, what.writers);
        auto writers = std::make_unique<crowd>(*by, what.writers, what.pause);
        all.push_back({std::move(by), std::move(writers), *one});
    }
    for (const auto& one : all) {
        test::wait_until(fmt::format("all writers of {} to commit", one.by->name()), 60s, [&] {
            return one.writers->warm();
        });
        test::wait_until("warm sessions", 30s, [&] { return one.by->ready(); });
    }
    return all;
}

}

std::string_view to_string(client which) noexcept {
    switch (which) {
    case client::hadr: return "hadr";
    case client::loop: return "loop";
    case client::loop_1s: return "loop_1s";
    }
    return {};
}

void series::take_errors(const crowd::report& found) {
    ++trials;
    errors.cut += found.cut;
    errors.twice_cut += found.twice_cut;
    errors.refused += found.refused;
    errors.unexplained += found.unexplained;
    errors.connects_failed += found.connects_failed;
    for (const auto& why : found.reasons)
        if (std::find(errors.reasons.begin(), errors.reasons.end(), why) == errors.reasons.end())
            errors.reasons.push_back(why);
}

void series::add(const crowd::report& found, moment failed, moment accepted) {
    take_errors(found);
    outage.push_back(milliseconds(accepted - failed));
    first.push_back(milliseconds(found.first.front() - accepted));
    middle.push_back(milliseconds(found.first[found.first.size() / 2] - accepted));
    last.push_back(milliseconds(found.first.back() - accepted));
    whole.push_back(milliseconds(found.first.back() - failed));
}

void series::give_up(const crowd::report& found, duration lasted) {
    take_errors(found);
    outage.push_back(milliseconds(lasted));
    ++given_up;
}

void series::print(std::string_view scenario) const {
    const auto cell = [](const std::vector<double>& of) {
        return of.empty()
                   ? std::string("-")
                   : fmt::format("{:.1f} ({:.1f} .. {:.1f})", median(of), least(of), most(of));
    };
    say(fmt::format(
        "{:<24} {:<8} {:>3} trials  outage {}  first {}  middle {}  last {}  from failure {}  "
        "errors: {} cut, {} refused, {} other, {} connects{}",
        scenario,
        client,
        trials,
        cell(outage),
        cell(first),
        cell(middle),
        cell(last),
        cell(whole),
        errors.cut,
        errors.refused,
        errors.unexplained,
        errors.connects_failed,
        given_up == 0 ? std::string() : fmt::format("; GAVE UP in {} trials", given_up)
    ));
}

void run_trial(
    stage& on, const scenario& what, double progress, const std::vector<series*>& clients
) {
    auto all = begin(on, what, clients);
    const poller watching(on.standby());
    const int expected = on.standby();
    const auto outage =
        what.outage_least + std::chrono::duration_cast<duration>(
                                (what.outage_most - what.outage_least) * progress * progress
                            );
    for (const auto& one : all)
        one.writers->expect(expected);
    const auto failed = steady::now();
    what.fails == failure_kind::crash ? on.crash() : on.silence();
    std::this_thread::sleep_until(failed + outage);
    on.promote();
    const auto accepted = watching.accepted(60s);
    std::vector<bool> arrived;
    for (const auto& one : all)
        arrived.push_back(one.writers->await_all(accepted + what.patience));
    on.bury(); // Frees who still waits for the dead socket.
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto found = all[i].writers->stop();
        if (arrived[i])
            all[i].into.add(found, failed, accepted);
        else
            all[i].into.give_up(found, accepted - failed);
    }
    all.clear();
    on.restore();
}

std::vector<series> run_trials(
    stage& on, const scenario& what, int trials, const std::vector<std::vector<client>>& groups
) {
    std::vector<series> all;
    for (const auto& group : groups)
        for (const auto one : group)
            all.push_back({.client = std::string(to_string(one))});
    for (int round = 0; round < trials; ++round) {
        const double progress = trials > 1 ? static_cast<double>(round) / (trials - 1) : 0;
        std::size_t next = 0;
        for (const auto& group : groups) {
            std::vector<series*> clients;
            for (std::size_t i = 0; i < group.size(); ++i)
                clients.push_back(&all[next++]);
            run_trial(on, what, progress, clients);
        }
    }
    for (const auto& one : all)
        one.print(what.name);
    return all;
}

}

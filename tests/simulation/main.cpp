// SPDX-License-Identifier: Apache-2.0
// usage: hadr_simulation --seeds FIRST COUNT [--jobs N] [--exhaustive] [--named PREFIX] |
//        --hashes FIRST COUNT | --seed N [--drop I,J,...] |
//        --script NAME [--mirrored] --point N --fault K
// Each five seeds bring one more, of SQL Server's mirroring.
#include "simulation/exhaustive.hpp"
#include "simulation/figures.hpp"
#include "simulation/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <string>

namespace hadr::test {

namespace {

std::uint64_t number(std::string_view text) {
    return std::strtoull(std::string(text).c_str(), nullptr, 10);
}

std::vector<std::size_t> numbers(std::string_view text) {
    std::vector<std::size_t> made;
    while (!text.empty()) {
        const auto comma = text.find(',');
        made.push_back(number(text.substr(0, comma)));
        text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    }
    return made;
}

int replay(std::uint64_t seed, const std::vector<std::size_t>& dropped) {
    const auto what = without(draw(seed), dropped);
    for (const auto& one : what.faults)
        fmt::print("fault: {}\n", to_string(one));
    const auto how = run(what);
    for (const auto& one : how.broken)
        fmt::print("BROKEN {}\n", one);
    fmt::print(
        "trace {:016x}, {} events, {} failovers, {} in the busiest second, {} unknown{}\n",
        how.trace,
        how.events,
        how.failovers,
        how.busiest_second,
        how.unknown,
        how.faulted ? ", faulted" : ""
    );
    return how.broken.empty() ? 0 : 1;
}

// Only the marked library has schedule points.
plan as_in_any_build(plan what) {
    what.switches = false;
    return what;
}

int hashes(std::uint64_t first, std::uint64_t count) {
    for (auto seed = first; seed < first + count; ++seed)
        fmt::print("{} {:016x}\n", seed, run(as_in_any_build(draw(seed))).trace);
    return 0;
}

int begin(std::span<const std::string> words) {
    const auto after = [&](std::string_view name) -> std::span<const std::string> {
        for (std::size_t i = 0; i < words.size(); ++i)
            if (words[i] == name)
                return words.subspan(i + 1);
        return {};
    };
    const auto said = [&](std::string_view name) {
        return std::find(words.begin(), words.end(), name) != words.end();
    };
    if (const auto what = after("--seed"); !what.empty()) {
        const auto drop = after("--drop");
        return replay(
            number(what[0]), drop.empty() ? std::vector<std::size_t>() : numbers(drop[0])
        );
    }
    if (const auto what = after("--script"); !what.empty()) {
        const auto point = after("--point");
        const auto fault = after("--fault");
        if (!point.empty() && !fault.empty())
            return replay_point({what[0], said("--mirrored"), number(point[0]), number(fault[0])});
    }
    if (const auto what = after("--hashes"); what.size() >= 2)
        return hashes(number(what[0]), number(what[1]));
    if (const auto what = after("--seeds"); what.size() >= 2) {
        const auto jobs = after("--jobs");
        const auto named = after("--named");
        return simulate(
            {number(what[0]),
             number(what[1]),
             jobs.empty() ? 1 : number(jobs[0]),
             said("--exhaustive"),
             named.empty() ? std::string() : named[0]}
        );
    }
    fmt::print(
        stderr,
        "usage: hadr_simulation --seeds FIRST COUNT [--jobs N] [--exhaustive] [--named PREFIX] | "
        "--hashes FIRST COUNT | --seed N [--drop I,J] | --script NAME [--mirrored] --point N "
        "--fault K\n"
    );
    return 2;
}

}

}

int main(int count, char** words) {
    const std::vector<std::string> all(words + 1, words + count);
    return hadr::test::begin(all);
}

// SPDX-License-Identifier: Apache-2.0
// usage: hadr_vectors FOLDER RULE_IDS [--failed FILE] [option of Boost.Test]...
//
// Runs every vector of FOLDER/*.json as a test case of its own, labelled with its rules. RULE_IDS
// names a file with every rule there is. FILE gets the failed ones, a line each: "SUITE: NAME".
#include "vectors/files.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

constexpr std::size_t vectors_least = 150;

struct run_of_vectors {
    std::vector<vector_file> files;
    std::set<std::string> rules;   // All there are.
    std::set<std::string> covered; // Of those, the ones that FOLDER promises to cover.
    std::set<std::string> left_out;
    std::size_t ran = 0;
    std::size_t failed = 0;
    std::ofstream failures; // Written at once: a later vector may end the process.

    void fail(const std::string& what) {
        ++failed;
        failures << what << std::endl;
    }
};

run_of_vectors& this_run() {
    static run_of_vectors only;
    return only;
}

void check_vector(const std::string& suite, const rule_vector& one) {
    auto& run = this_run();
    ++run.ran;
    std::vector<std::string> wrong;
    try {
        wrong = one.differences();
    } catch (const std::exception& error) {
        wrong = {error.what()};
    }
    BOOST_TEST(wrong.empty(), fmt::format("{}: {}", one.name, fmt::join(wrong, "\n  ")));
    if (!wrong.empty())
        run.fail(fmt::format("{}: {}", suite, one.name));
}

void check_rules_exist() {
    for (const auto& file : this_run().files)
        for (const auto& one : file.vectors)
            for (const auto& rule : one.rules)
                BOOST_TEST(
                    this_run().rules.contains(rule),
                    fmt::format("{}: '{}': {} is no rule", file.suite, one.name, rule)
                );
}

void check_rules_covered() {
    std::set<std::string> kept;
    for (const auto& file : this_run().files)
        for (const auto& one : file.vectors)
            kept.insert(one.rules.begin(), one.rules.end());
    BOOST_TEST(!this_run().covered.empty());
    for (const auto& rule : this_run().covered)
        BOOST_TEST(kept.contains(rule), fmt::format("no vector keeps {}", rule));
}

// Tables B and C: a rule is covered, or README.md says why not, and never both.
void check_rules_accounted_for() {
    const auto& run = this_run();
    for (const auto& rule : run.rules) {
        if (rule.front() != 'B' && rule.front() != 'C')
            continue;
        const bool covered = run.covered.contains(rule);
        BOOST_TEST(
            covered != run.left_out.contains(rule),
            fmt::format(
                "{} is {} of covered.txt and README.md", rule, covered ? "in both" : "in none"
            )
        );
    }
}

void check_their_number() {
    std::size_t count = 0;
    for (const auto& file : this_run().files) {
        BOOST_TEST(!file.wrong.has_value(), file.wrong.value_or(""));
        count += file.vectors.size();
    }
    BOOST_TEST(count >= vectors_least);
}

void add_suite(const vector_file& file) {
    auto* suite = BOOST_TEST_SUITE(file.suite);
    for (const auto& one : file.vectors) {
        auto* made = utf::make_test_case(
            [&] { check_vector(file.suite, one); }, one.name, __FILE__, __LINE__
        );
        for (const auto& rule : one.rules)
            made->add_label(rule);
        suite->add(made);
    }
    utf::framework::master_test_suite().add(suite);
}

bool add_all() {
    for (const auto& file : this_run().files)
        if (!file.vectors.empty())
            add_suite(file);
    auto* suite = BOOST_TEST_SUITE("vectors");
    suite->add(utf::make_test_case(check_rules_exist, "name rules that exist", __FILE__, __LINE__));
    suite->add(utf::make_test_case(
        check_rules_covered, "keep every rule that is covered", __FILE__, __LINE__
    ));
    suite->add(utf::make_test_case(
        check_rules_accounted_for, "leave no rule of tables B and C unsaid", __FILE__, __LINE__
    ));
    suite->add(
        utf::make_test_case(check_their_number, "are all read and are enough", __FILE__, __LINE__)
    );
    utf::framework::master_test_suite().add(suite);
    return true;
}

int begin(std::vector<char*> words) {
    if (words.size() < 3) {
        fmt::print(stderr, "usage: hadr_vectors FOLDER RULE_IDS [--failed FILE] [option]...\n");
        return 2;
    }
    const std::string folder = words[1];
    auto& run = this_run();
    run.files = read_vector_files(folder);
    run.rules = read_lines(words[2]);
    run.covered = read_lines(folder + "/covered.txt");
    run.left_out = read_left_out(folder + "/README.md");
    words.erase(words.begin() + 1, words.begin() + 3);
    if (words.size() > 2 && std::string_view(words[1]) == "--failed") {
        run.failures.open(words[2]);
        words.erase(words.begin() + 1, words.begin() + 3);
    }
    for (const auto& file : run.files)
        if (file.wrong)
            run.fail(*file.wrong);
    const int result = utf::unit_test_main(add_all, static_cast<int>(words.size()), words.data());
    fmt::print("figure vectors {}\nfigure vectors_failed {}\n", run.ran, run.failed);
    return result;
}

}

}

int main(int count, char** words) {
    return hadr::test::begin({words, words + count});
}

// SPDX-License-Identifier: Apache-2.0
#include "unit/answers.hpp"
#include "unit/printing.hpp"

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

/// A driver's own result: one row of a text and NULL.
struct kept_row {
    std::string text = "x";
    int released = 0;

    static const kept_row& of(const void* kept) noexcept {
        return *static_cast<const kept_row*>(kept);
    }
};

constexpr result_reader kept_reader{
    [](const void* kept, std::size_t, std::size_t column
    ) noexcept -> std::optional<std::string_view> {
        return column == 0 ? std::optional<std::string_view>(kept_row::of(kept).text)
                           : std::nullopt;
    },
    [](const void*, std::size_t column) noexcept -> std::string_view {
        return column == 0 ? "first" : "second";
    },
    [](const void*) noexcept -> std::string_view { return "SELECT 1"; },
    [](const void*) noexcept -> std::uint64_t { return 7; },
    [](void* kept) noexcept { ++static_cast<kept_row*>(kept)->released; }};

void must_be_kept_row(const answer& made) {
    BOOST_TEST_REQUIRE(made.rows() == 1U);
    BOOST_TEST_REQUIRE(made.columns() == 2U);
    BOOST_TEST((made.at(0, 0) == "x"));
    BOOST_TEST((made.at(0, 1) == std::nullopt));
    BOOST_TEST(made.column_name(1) == "second");
    BOOST_TEST(made.bytes() == 12U);
    BOOST_TEST(made.tag() == "SELECT 1");
    BOOST_TEST(made.affected() == 7U);
    BOOST_TEST((made.transaction() == transaction_status::open));
}

}

BOOST_AUTO_TEST_SUITE(answers)

BOOST_AUTO_TEST_CASE(are_empty_at_first) {
    const answer fresh;
    BOOST_TEST(fresh.rows() == 0U);
    BOOST_TEST(fresh.columns() == 0U);
    BOOST_TEST(fresh.tag().empty());
    BOOST_TEST(fresh.transaction() == transaction_status::unknown);
}

BOOST_AUTO_TEST_CASE(tell_null_from_empty, *utf::label("R5")) {
    const auto made = answer_of({{"a", std::nullopt, ""}, {std::nullopt, "", "b"}});
    BOOST_TEST(made.rows() == 2U);
    BOOST_TEST((made.at(0, 0) == "a"));
    BOOST_TEST((made.at(0, 1) == std::nullopt));
    BOOST_TEST((made.at(0, 2) == ""));
    BOOST_TEST((made.at(1, 0) == std::nullopt));
    BOOST_TEST((made.at(1, 1) == ""));
    BOOST_TEST((made.at(1, 2) == "b"));
}

BOOST_AUTO_TEST_CASE(read_from_a_drivers_own_result_and_release_it_once, *utf::label("R5")) {
    kept_row row;
    {
        answer made;
        made.add_column("of the statement before");
        made.clear();
        made.keep(&row, kept_reader, 1, 2);
        made.finish(transaction_status::open);
        must_be_kept_row(made);
        auto moved = std::move(made);
        must_be_kept_row(moved);
        made = std::move(moved);
        must_be_kept_row(made);
        BOOST_TEST(row.released == 0);
    }
    BOOST_TEST(row.released == 1);
}

BOOST_AUTO_TEST_CASE(are_copied_whole_from_a_drivers_own_result, *utf::label("R5")) {
    kept_row row;
    answer made;
    made.keep(&row, kept_reader, 1, 2);
    made.finish(transaction_status::open);
    answer copy(made);
    made.clear();
    BOOST_TEST(row.released == 1);
    BOOST_TEST(made.rows() == 0U);
    BOOST_TEST(made.tag().empty());
    must_be_kept_row(copy);
    made = copy;
    must_be_kept_row(made);
}

BOOST_AUTO_TEST_CASE(give_back_every_table_that_is_put_in) {
    const cell values[] = {std::nullopt, "", "x", std::string("\0\xff", 2), std::string(300, 'y')};
    for (std::size_t columns = 1; columns < 5; ++columns)
        for (std::size_t rows = 0; rows < 5; ++rows) {
            answer made;
            for (std::size_t c = 0; c < columns; ++c)
                made.add_column(std::string(c, 'n'));
            const auto value = [&](std::size_t r, std::size_t c) -> const cell& {
                return values[(r * columns + c) % 5];
            };
            for (std::size_t r = 0; r < rows; ++r)
                for (std::size_t c = 0; c < columns; ++c)
                    made.add_value(value(r, c));
            BOOST_TEST(made.rows() == rows);
            for (std::size_t c = 0; c < columns; ++c) {
                BOOST_TEST(made.column_name(c) == std::string(c, 'n'));
                for (std::size_t r = 0; r < rows; ++r)
                    BOOST_TEST((made.at(r, c) == value(r, c)));
            }
        }
}

BOOST_AUTO_TEST_CASE(
    keep_the_tag_that_tells_a_commit_from_a_rollback, *utf::label("C1") * utf::label("F41")
) {
    answer made;
    made.finish("ROLLBACK", 0, transaction_status::idle);
    BOOST_TEST(made.tag() == "ROLLBACK");
    made.finish("INSERT 0 3", 3, transaction_status::open);
    BOOST_TEST(made.affected() == 3U);
    BOOST_TEST(made.transaction() == transaction_status::open);
}

BOOST_AUTO_TEST_CASE(keep_nothing_of_the_statement_before, *utf::label("F52") * utf::label("F40")) {
    auto made = answer_of({{"a", "b"}});
    made.add_notice({"01000", "committed locally"});
    made.clear();
    BOOST_TEST(made.rows() == 0U);
    BOOST_TEST(made.columns() == 0U);
    BOOST_TEST(made.bytes() == 0U);
    BOOST_TEST(made.tag().empty());
    BOOST_TEST(made.affected() == 0U);
    BOOST_TEST(made.notices().empty());
    BOOST_TEST(made.transaction() == transaction_status::unknown);
}

BOOST_AUTO_TEST_SUITE_END()

}

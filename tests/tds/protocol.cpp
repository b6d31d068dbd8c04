// SPDX-License-Identifier: Apache-2.0
#include "support/tds/tds_login.hpp"
#include "support/tds/tds_packets.hpp"
#include "support/tds/tds_requests.hpp"
#include "support/tds/tds_tokens.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <functional>

namespace hadr::test::tds {

namespace utf = boost::unit_test;

namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr std::string_view no_headers = "\x04\0\0\0"sv;
constexpr std::string_view collation = "\x09\x04\xd0\x00\x34"sv;

std::string packet(std::uint8_t kind, std::uint8_t status, std::size_t length, std::string body) {
    std::string made;
    for (const std::size_t byte : {std::size_t{kind}, std::size_t{status}, length >> 8U, length})
        made += static_cast<char>(byte & 0xFFU);
    return made + std::string(4, '\0') + std::move(body);
}

std::vector<message> all_of(message_reader& from) {
    std::vector<message> made;
    while (auto one = from.next())
        made.push_back(std::move(*one));
    return made;
}

std::string scrambled(std::string_view text) {
    std::string made;
    for (const char one : to_wide(text)) {
        const unsigned byte = static_cast<unsigned char>(one);
        made += static_cast<char>(((byte << 4U | byte >> 4U) & 0xFFU) ^ 0xA5U);
    }
    return made;
}

// LOGIN7 with these strings, in the protocol's order.
std::string login_body(const std::array<std::string, 9>& strings, std::uint8_t type_flags) {
    constexpr std::size_t head = 94;
    byte_sink places;
    byte_sink data;
    for (const auto& one : strings) {
        places.two(head + data.made().size()).two(one.size() / 2);
        data.bytes(one);
    }
    byte_sink made;
    made.four(head + data.made().size()).four(0x74000004).four(4096).number(0, 12);
    made.number(0, 2).byte(type_flags).byte(0).number(0, 8);
    made.bytes(places.made()).bytes(std::string(head - made.made().size(), '\0'));
    return made.bytes(data.made()).take();
}

byte_sink& parameter(byte_sink& into, std::string_view name, std::uint8_t type) {
    return into.text(name, 1).byte(0).byte(type);
}

std::string call_body() {
    byte_sink made;
    made.bytes(no_headers).two(0xFFFF).two(13).two(0);
    made.text("", 1).byte(1).byte(0x26).byte(4).byte(0);
    parameter(made, "", 0x63).four(8000).bytes(collation).four(4).bytes(to_wide("a?"));
    parameter(made, "@P1", 0xE7).two(8000).bytes(collation).two(2).bytes(to_wide("\xC3\xA4"));
    parameter(made, "@P2", 0xE7).two(8000).bytes(collation).two(0xFFFF);
    parameter(made, "@P3", 0xE7).two(0xFFFF).bytes(collation);
    made.number(6, 8).four(2).bytes(to_wide("x")).four(4).bytes(to_wide("yz")).four(0);
    parameter(made, "@P4", 0x26).byte(4).byte(4).four(static_cast<std::uint32_t>(-7));
    parameter(made, "@P5", 0xA7).two(10).bytes(collation).two(3).bytes("abc");
    parameter(made, "@P6", 0x6C).byte(17).byte(5).byte(2).byte(5).byte(0).four(12'345);
    parameter(made, "@P7", 0xA5).two(10).two(2).bytes("\x01\xFF"sv);
    return made.take();
}

const std::vector<rpc_parameter> called_with = {
    {"", std::nullopt, true, true},
    {"", "a?", false, false},
    {"@P1", "\xC3\xA4", false, false},
    {"@P2", std::nullopt, false, false},
    {"@P3", "xyz", false, false},
    {"@P4", "-7", false, true},
    {"@P5", "abc", false, false},
    {"@P6", "-123.45", false, true},
    {"@P7", "0x01FF", false, true},
};

}

BOOST_AUTO_TEST_SUITE(tds_messages)

BOOST_AUTO_TEST_CASE(come_whole_however_their_bytes_are_cut) {
    const std::string body(10'000, 'b');
    auto bytes = packets(packet_kind::rpc, body, 512) + packets(packet_kind::attention, "", 512);
    const std::vector<message> whole = {
        {packet_kind::rpc, body}, {packet_kind::attention, std::string()}};
    for (const std::size_t step : {1U, 7U, 511U, 512U, 100'000U}) {
        message_reader reader;
        std::vector<message> seen;
        for (std::size_t at = 0; at < bytes.size(); at += step) {
            reader.feed(std::string_view(bytes).substr(at, step));
            for (auto& one : all_of(reader))
                seen.push_back(std::move(one));
        }
        BOOST_TEST((seen == whole));
        BOOST_TEST(reader.held() == 0U);
    }
}

BOOST_AUTO_TEST_CASE(are_refused_where_they_are_none) {
    const std::pair<const char*, std::string> wrong[] = {
        {"a kind that no client sends", packet(0x04, 1, 8, "")},
        {"an unknown kind", packet(0x77, 1, 8, "")},
        {"shorter than its head", packet(0x01, 1, 7, "")},
        {"longer than any packet", packet(0x01, 1, 65'535, "")},
        {"two kinds in one message", packet(0x01, 0, 9, "a") + packet(0x03, 1, 9, "b")},
    };
    for (const auto& [when, bytes] : wrong)
        BOOST_TEST_CONTEXT(when) {
            message_reader reader;
            reader.feed(bytes);
            BOOST_TEST(all_of(reader).empty());
            BOOST_TEST(reader.broken());
        }
}

BOOST_AUTO_TEST_CASE(that_never_end_are_given_up) {
    message_reader reader;
    const auto one = packet(0x01, 0, packet_max, std::string(packet_max - packet_head, 'x'));
    std::size_t fed = 0;
    while (!reader.broken() && fed < 2 * message_reader::message_max) {
        reader.feed(one);
        fed += one.size();
        BOOST_TEST(all_of(reader).empty());
    }
    BOOST_TEST(reader.broken());
    BOOST_TEST(reader.held() <= message_reader::message_max + packet_max);
}

BOOST_AUTO_TEST_CASE(that_the_client_takes_back_are_none) {
    message_reader reader;
    reader.feed(packet(0x01, 3, 9, "a") + packet(0x06, 1, 8, ""));
    BOOST_TEST((all_of(reader) == std::vector<message>{{packet_kind::attention, {}}}));
}

BOOST_AUTO_TEST_CASE(of_a_login_say_who_wants_what) {
    const auto body = login_body(
        {to_wide("host"),
         to_wide("user"),
         scrambled("s\xC3\xA4;}"),
         to_wide("app"),
         to_wide("127.0.0.2"),
         "",
         to_wide("TDS-Library"),
         "",
         to_wide("d")},
        0x20
    );
    const login expected_login{
        0x74000004,
        4096,
        "host",
        "user",
        "s\xC3\xA4;}",
        "app",
        "127.0.0.2",
        "TDS-Library",
        "d",
        true};
    BOOST_TEST((read_login(body) == expected_login));
    for (std::size_t length = 0; length < body.size(); ++length)
        BOOST_TEST(!read_login(std::string_view(body).substr(0, length)));
}

BOOST_AUTO_TEST_CASE(of_a_call_give_its_parameters) {
    const auto body = call_body();
    const auto made = read_rpc(body);
    BOOST_TEST_REQUIRE(made.has_value());
    BOOST_TEST(made->procedure == "sp_prepexec");
    BOOST_TEST((made->parameters == called_with));
}

BOOST_AUTO_TEST_CASE(cut_anywhere_make_no_other_parameters) {
    const auto body = call_body();
    for (std::size_t length = 0; length < body.size(); ++length) {
        const auto made = read_rpc(std::string_view(body).substr(0, length));
        if (!made)
            continue;
        BOOST_TEST(made->parameters.size() < called_with.size());
        for (std::size_t i = 0; i < made->parameters.size(); ++i)
            BOOST_TEST((made->parameters[i] == called_with[i]));
    }
}

BOOST_AUTO_TEST_CASE(of_a_call_have_an_end_of_parameters) {
    byte_sink many;
    many.bytes(no_headers).two(0xFFFF).two(10).two(0);
    for (std::size_t i = 0; i <= rpc::parameters_max; ++i)
        many.byte(0).byte(0).byte(0x26).byte(4).byte(0);
    const auto& body = many.made();
    BOOST_TEST(!read_rpc(body));
    const auto one_less = read_rpc(std::string_view(body).substr(0, body.size() - 5));
    BOOST_TEST_REQUIRE(one_less.has_value());
    BOOST_TEST(one_less->parameters.size() == rpc::parameters_max);
}

BOOST_AUTO_TEST_CASE(end_transactions_and_begin_others) {
    using verb = transaction_request::verb;
    const auto read = [](std::string_view rest) {
        return read_transaction(std::string(no_headers) + std::string(rest));
    };
    BOOST_TEST((read("\x05\0\0\0"sv) == transaction_request{verb::begin, false}));
    BOOST_TEST((read("\x07\0\0\0"sv) == transaction_request{verb::commit, false}));
    BOOST_TEST((read("\x07\0\0\1"sv) == transaction_request{verb::commit, true}));
    BOOST_TEST((read("\x08\0\2nm\1"sv) == transaction_request{verb::rollback, true}));
    BOOST_TEST(!read("\x09\0\0\0"sv));
    BOOST_TEST(!read("\x08\0\x05nm\1"sv));
    BOOST_TEST(!read(""sv));
}

BOOST_AUTO_TEST_CASE(of_headers_longer_than_themselves_are_none) {
    BOOST_TEST(!read_batch("\xFF\0\0\0a\0"sv));
    BOOST_TEST(!read_batch("\x03\0\0\0a\0"sv));
    BOOST_TEST((read_batch("\x04\0\0\0a\0"sv) == "a"));
}

BOOST_AUTO_TEST_CASE(to_the_client_change_its_environment, *utf::label("C43")) {
    const auto text = [](std::string_view of) { return to_wide(of); };
    BOOST_TEST(
        reply().change(environment::partner, "AB", "").made() ==
        "\xE3\x07\0\x0D\x02"s + text("AB") + "\0"s
    );
    BOOST_TEST(
        reply().route("h", 1433).made() ==
        "\xE3\x0C\0\x14\x07\0\0\x99\x05\x01\0"s + text("h") + "\0\0"s
    );
    BOOST_TEST(
        reply().change_transaction(environment::begun, 7, 0).made() ==
        "\xE3\x0B\0\x08\x08\x07\0\0\0\0\0\0\0\0"s
    );
    BOOST_TEST(
        reply().change_transaction(environment::rolled_back, 0, 7).made() ==
        "\xE3\x0B\0\x0A\0\x08\x07\0\0\0\0\0\0\0"s
    );
}

BOOST_AUTO_TEST_CASE(to_the_client_carry_its_rows) {
    answer of;
    of.add_column("n");
    of.add_column("t");
    of.add_value("-2");
    of.add_value(std::nullopt);
    const auto made = reply().rows(of).end({.failed = true, .rows = 1}).made();
    const auto head = "\x81\x02\0\0\0\0\0\x09\0\x26\x08\x01n\0"s +
                      "\0\0\0\0\x09\0\xE7\x40\x1F\x09\x04\xD0\0\x34\x01t\0"s;
    const auto row = "\xD1\x08\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s;
    BOOST_TEST(made == head + row + "\xFD\x12\0\xC1\0\x01\0\0\0\0\0\0\0"s);
}

BOOST_AUTO_TEST_CASE(keep_all_of_unicode) {
    const std::string all = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z";
    BOOST_TEST(from_wide(to_wide(all)) == all);
    BOOST_TEST(from_wide(to_wide("\xED\xA0\x80")) == "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    BOOST_TEST(from_wide(to_wide("\xC3")) == "\xEF\xBF\xBD");
    BOOST_TEST(from_wide("\x3D\xD8"sv) == "\xEF\xBF\xBD");
}

BOOST_AUTO_TEST_SUITE_END()

}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fuzz/target.hpp"

#include <hadr/answer.hpp>

#include <array>
#include <optional>
#include <span>

namespace hadr::test {

/// Answers of servers: most of the right shape and with values that occur, some of any bytes.
class answer_maker {
public:
    /// Of mirroring sessions, as SQL Server writes them; the last one is none.
    static constexpr std::array<std::string_view, 3> guids = {
        "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555", "0"};

    explicit answer_maker(byte_reader& from) : from_(from) {}

    answer member() {
        static constexpr std::array<std::string_view, 2> recovery = {"f", "t"};
        static constexpr std::array<std::string_view, 2> read_only = {"off", "on"};
        static constexpr std::array<std::string_view, 3> lineages = {
            "7000000001", "7000000002", "0"};
        static constexpr std::array<std::string_view, 5> timelines = {"1", "2", "3", "A", "0"};
        static constexpr std::array<std::string_view, 4> numbers = {"0", "1", "16777216", "2"};
        return make(
            {recovery,
             read_only,
             lineages,
             timelines,
             timelines,
             numbers,
             recovery,
             numbers,
             numbers,
             numbers},
            1
        );
    }

    answer witness() {
        static constexpr std::array<std::string_view, 4> hosts = {"db1", "db2", "DB3", "10.0.0.9"};
        static constexpr std::array<std::string_view, 3> ports = {"5432", "5433", "0"};
        static constexpr std::array<std::string_view, 2> names = {"node_1", "node_2"};
        static constexpr std::array<std::string_view, 8> states = {
            "primary",
            "secondary",
            "wait_primary",
            "demoted",
            "catchingup",
            "single",
            "prepare_promotion",
            "draining"};
        static constexpr std::array<std::string_view, 3> health = {"1", "0", "-1"};
        static constexpr std::array<std::string_view, 3> lineages = {
            "7000000001", "7000000002", "0"};
        static constexpr std::array<std::string_view, 2> formations = {"default", "other"};
        return make(
            {hosts, ports, names, states, states, health, lineages, formations}, 1 + from_.below(3)
        );
    }

    /// Of SQL Server, to the question of its mirroring.
    answer partner() {
        static constexpr std::array<std::string_view, 2> here = {"rtc", "master"};
        static constexpr std::array<std::string_view, 4> servers = {"DB1", "DB2", "DB3", "DB1\\I"};
        static constexpr std::array<std::string_view, 1> name = {"rtc"};
        static constexpr std::array<std::string_view, 3> condition = {
            "ONLINE", "RESTORING", "RECOVERING"};
        static constexpr std::array<std::string_view, 2> updates = {"READ_WRITE", "READ_ONLY"};
        static constexpr std::array<std::string_view, 2> access = {"1", "0"};
        static constexpr std::array<std::string_view, 5> states = {
            "SYNCHRONIZED", "SYNCHRONIZING", "SUSPENDED", "DISCONNECTED", "PENDING_FAILOVER"};
        static constexpr std::array<std::string_view, 3> numbers = {"1", "2", "0"};
        static constexpr std::array<std::string_view, 4> sequences = {"1", "2", "3", "-1"};
        return make(
            {here,
             servers,
             name,
             condition,
             updates,
             access,
             guids,
             guids,
             guids,
             numbers,
             states,
             numbers,
             numbers,
             servers,
             sequences,
             sequences},
            1
        );
    }

private:
    using words = std::span<const std::string_view>;

    void add_value(answer& to, words usual) {
        const auto choice = from_.byte();
        if (choice < 240)
            return to.add_value(usual[choice % usual.size()]);
        if (choice < 246)
            return to.add_value(std::nullopt);
        to.add_value(from_.text());
    }

    answer make(std::initializer_list<words> columns, std::size_t rows) {
        answer made;
        std::vector<words> all(columns);
        const auto shape = from_.byte();
        if (shape > 250)
            all.resize(shape - 250, all.front());
        if (shape > 245 && shape <= 250)
            rows = shape - 246;
        for (std::size_t i = 0; i < all.size(); ++i)
            made.add_column("c");
        for (std::size_t r = 0; r < rows; ++r)
            for (const auto usual : all)
                add_value(made, usual);
        made.finish("SELECT", 0, transaction_status::idle);
        return made;
    }

    byte_reader& from_;
};

}

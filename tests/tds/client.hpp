// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/tds/tds_double.hpp"

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::test::tds {

/// Of one diagnostic record.
struct record {
    std::string state;
    int native = 0;
    std::string text;
};

/// A connection by plain ODBC calls, so that the double is seen as a driver sees it.
class client {
public:
    client();
    client(const client&) = delete;
    ~client();

    /// True if logged in; else records() say why.
    bool connect(const std::string& with, int login_seconds = 5);
    void disconnect() noexcept;

    /// All rows of the last result that has any; empty without one.
    using value = std::optional<std::string>;
    struct result {
        bool succeeded = false;
        std::vector<std::string> columns;
        std::vector<std::vector<value>> rows;
        long affected = -1;
    };
    result run(std::string_view text, const std::vector<value>& parameters = {}, int seconds = 0);
    /// Prepared once, run for each set of parameters.
    std::vector<result>
    run_prepared(std::string_view text, const std::vector<std::vector<value>>& sets);

    bool set_autocommit(bool on);
    bool commit() { return end_transaction(true); }
    bool roll_back() { return end_transaction(false); }
    bool dead() const;
    std::string current_database() const;

    const std::vector<record>& records() const noexcept { return records_; }
    bool has(int native) const noexcept;
    bool has_state(std::string_view state) const noexcept;

private:
    bool end_transaction(bool commits);
    void take_records(int kind, void* of);
    bool bind(void* on, const std::vector<value>& parameters);
    result fetch(void* on, int how);

    void* environment_ = nullptr;
    void* connection_ = nullptr;
    void* statement_ = nullptr;
    std::vector<record> records_;
    std::vector<long> lengths_;
};

std::ostream& operator<<(std::ostream& out, const client& what);

}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/named_hosts.hpp"
#include "support/tds/tds_double.hpp"

#include <hadr/hadr.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace hadr::test {

using tds::effect;
using tds::point;
using tds::tds_double;
using testing::simulated_store;
using testing::site;

/// The longest that a call may be back after its deadline, beside this machine's own lateness.
constexpr duration overrun_most = std::chrono::milliseconds(50);

/// A double that fails over in a third of a second.
tds_double::settings quick();

/// What became of one write.
struct written {
    expected<site> where; ///< By the double's own ledger.
    duration took{};
    time_point ended{};
};

/// A mirrored pair behind real sockets, and the library on it through unixODBC and FreeTDS. Site
/// one is Server=, the initial partner; site two is Failover_Partner=.
class mirrored_pair {
public:
    explicit mirrored_pair(tds_double::settings how = quick());
    mirrored_pair(const mirrored_pair&) = delete;
    ~mirrored_pair();

    /// The double's own connection string, and more keys.
    void open(std::string_view more = {}) { open_as(served.connection_string(), more); }
    void open_as(const std::string& connection_string, std::string_view more = {});
    /// By these names instead of the addresses.
    void open_by(std::string_view initial, std::string_view partner, std::string_view more = {});
    connection_manager& store() { return *store_; }
    void close() { store_.reset(); }

    /// One new row, by acquire and execute.
    written write(duration within = std::chrono::seconds(10));
    /// True once a row of ours is written there.
    bool writes_at(site which, duration within = std::chrono::seconds(10));

    site named();
    bool leads(site which) { return named() == which; }
    /// The engine is whole: a principal, its mirror synchronized, the witness with both.
    void settle();
    /// The engine names that place, and its database takes logins.
    void await(site which);
    /// Whatever is true of the engine sooner or later.
    void await(std::string_view what, const std::function<bool(simulated_store&)>& is);
    void await_view(std::string_view what, const std::function<bool(const topology&)>& is);

    /// As an administrator there, in master.
    expected<void> administer(site which, std::string_view statement);

    /// Logins to the mirrored database, taken or refused, there.
    std::size_t database_logins(site which) { return served.counted(which).to_database; }
    std::vector<std::string> told() const;
    bool was_told(std::string_view part) const;

    tds_double served;
    const std::shared_ptr<named_hosts> hosts = std::make_shared<named_hosts>();

private:
    struct book {
        std::mutex mutex; // Guards lines.
        std::vector<std::string> lines;
    };

    expected<void> append(const std::string& token, deadline until);

    const bool synchronous_;
    std::shared_ptr<book> book_ = std::make_shared<book>();
    std::unique_ptr<connection_manager> store_;
    int last_ = 0; ///< Row of ours.
};

/// Another machine for a server: an address of loopback that nobody has on the usual port, which a
/// learned name is without.
std::string spare_address();
constexpr int usual_port = 1433;

/// Of the cases of the suite that is running, those that have passed.
std::size_t passed_cases();

}

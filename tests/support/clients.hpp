// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/ledger.hpp"

#include <hadr/connection_manager.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::test {

/// The client library that all stores of a test program go through: the environment's HADR_CLIENT.
struct client_library {
    std::string_view name;    ///< As in HADR_CLIENT.
    std::string_view driver;  ///< Driver= of a store on PostgreSQL.
    std::string_view figures; ///< What the names of its figures begin with.
    int rounds_by_hand;       ///< Of each kind of failover that somebody promotes by hand.
    bool calls_block;         ///< They need threads of the library.
    std::shared_ptr<hadr::driver> (*make)();
};
const client_library& client_library_under_trial();

/// The library under judgement.
class hadr_client final : public ledger_client {
public:
    explicit hadr_client(connection_manager& store) : store_(store) {}

    append_result append(int writer, const std::string& token, duration within) override;

private:
    connection_manager& store_;
};

/// What applications did before: libpq's own list of hosts with target_session_attrs=read-write,
/// one session for each writer, opened again after any error. It must fail the judge where the
/// judge is needed.
class naive_client final : public ledger_client {
public:
    explicit naive_client(std::vector<int> ports, int writers);
    ~naive_client() override;

    append_result append(int writer, const std::string& token, duration within) override;

private:
    struct session;

    std::vector<int> ports_;
    std::vector<std::unique_ptr<session>> sessions_;
};

/// An open store and what it has told.
class observed_store {
public:
    explicit observed_store(const std::string& connection_string);

    connection_manager* operator->() const noexcept { return store_.get(); }
    connection_manager& operator*() const noexcept { return *store_; }

    expected<lease> write(duration within = std::chrono::seconds(10)) const;
    expected<lease> read(duration within = std::chrono::seconds(10)) const;
    std::vector<event> told() const;
    std::size_t count(event_kind what) const;

private:
    struct book {
        mutable std::mutex mutex; // Guards told.
        std::vector<event> told;
    };

    std::shared_ptr<book> book_ = std::make_shared<book>();
    std::unique_ptr<connection_manager> store_;
};

/// For one server on a loopback port, through the client library under trial.
std::string standalone_string(int port);

/// "Mode=mirroring;..." for members on loopback ports, through the client library under trial; more
/// keys may follow, UID first.
std::string mirroring_string(int primary_port, int mirror_port, std::string_view more = {});

}

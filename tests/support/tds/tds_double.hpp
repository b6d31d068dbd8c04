// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/tds/tds_faults.hpp"
#include "support/tds/tds_login.hpp"

#include <hadr/testing/simulated_store.hpp>

#include <array>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace hadr::test::tds {

class double_loop;

/// A simulated store behind real sockets: each of its places listens on a loopback address of its
/// own and speaks TDS 7.4, in clear. One thread keeps the store's time in step with real time. What
/// the store does, the sockets show: a dead place refuses and resets, a frozen one is silent, a cut
/// link lets nothing through. The witness's place listens too, and answers nobody: it is there to
/// see that nobody comes (C9). Thread-safe.
class tds_double {
public:
    struct settings {
        testing::simulated_store::settings store = {.kind = engine::sql_server};
        std::uint64_t seed = 1;
        std::string user = "u";
        std::string password = "p"; ///< Other credentials are refused with 18456.
        bool any_credentials = false;
    };

    tds_double() : tds_double(settings()) {}
    explicit tds_double(settings how);
    tds_double(const tds_double&) = delete;
    /// Closes all sockets; never waits for a client.
    ~tds_double();

    static std::string address(testing::site which);
    int port(testing::site which) const noexcept;
    /// For SQLDriverConnect: FreeTDS to one place.
    std::string odbc_string(testing::site which, std::string_view database = "d") const;
    /// For hadr: both servers.
    std::string connection_string() const;

    /// Runs on the double's thread and gives its result, or its exception. The store may be told
    /// anything there; it must not wait.
    template <class Function>
    auto with(Function what) {
        using result = std::invoke_result_t<Function, testing::simulated_store&>;
        std::packaged_task<result()> task([&] { return what(store()); });
        auto made = task.get_future();
        on_its_thread([&] { task(); });
        return made.get();
    }

    void set(testing::site which, fault what);
    /// Faults that are under way go on; who is held is not released.
    void clear(testing::site which);
    /// How many are held at the place.
    std::size_t held(testing::site which);
    void release(testing::site which);

    /// What the place calls its partner from now on, at a login (ENVCHANGE 13) and when asked;
    /// empty: nothing.
    void set_partner_name(testing::site which, std::string name);
    /// Another machine takes the place over: it listens there and nowhere else, under that name.
    /// False if the address is taken.
    bool move(testing::site which, std::string to_address, int port, std::string server_name);
    /// Where the place sends those who log in to read (ENVCHANGE 20); port 0: nowhere.
    void set_routing(testing::site which, std::string host, int port);
    /// Asked for what neither the store nor the double can answer itself.
    void answer_others(std::function<expected<void>(std::string_view text, answer& into)> by);

    /// How a statement came.
    enum class request_kind : unsigned char {
        batch,
        executesql, ///< sp_executesql
        prepare,    ///< sp_prepare
        prepexec,   ///< sp_prepexec: prepared and run at once.
        execute,    ///< sp_execute: what is prepared, by its handle.
        unprepare,  ///< sp_unprepare
        other,      ///< Another procedure.
        transaction,
    };
    static constexpr std::size_t request_kinds = 8;

    struct counters {
        std::size_t accepted = 0;
        std::size_t open = 0; ///< Connections now.
        std::size_t logins = 0;
        std::size_t refused = 0;     ///< Logins.
        std::size_t to_database = 0; ///< Logins, taken or not, to another database than master.
        std::size_t statements = 0;
        std::size_t attentions = 0;
        std::size_t stalled = 0; ///< Replies.
        /// Of sessions that are not in master, where only the library's own watching goes on.
        std::array<std::size_t, request_kinds> requests = {};

        std::size_t of(request_kind which) const noexcept {
            return requests[static_cast<std::size_t>(which)];
        }
    };
    counters counted(testing::site which);
    /// The last 1,000 that were read.
    std::vector<login> logins();

    /// When the place last began to take writes, by the real clock; max if it takes none.
    time_point writable_since(testing::site which);

    /// A commit that a server answered.
    struct acknowledged {
        std::string token;
        testing::site at;
        std::uint64_t term = 0; ///< The server's timeline or role sequence.
        testing::site named;    ///< Whom the engine named at that moment.
        bool synchronous;       ///< It waited for the mirror.
        time_point when;
    };
    std::vector<acknowledged> acknowledgements();

    /// Whom the engine named, from when on; client for nobody.
    struct naming {
        testing::site whom;
        time_point since;
    };
    std::vector<naming> namings();

private:
    testing::simulated_store& store() noexcept;
    void on_its_thread(std::function<void()> what);

    std::unique_ptr<double_loop> loop_;
};

}

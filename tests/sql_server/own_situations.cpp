// SPDX-License-Identifier: Apache-2.0
#include "sql_server/own_situations.hpp"

#include "support/ledger.hpp"
#include "support/listener.hpp"
#include "support/process.hpp"

#include <hadr/hadr.hpp>
#include <hadr/odbc.hpp>

#include <fmt/format.h>

#include <initializer_list>
#include <optional>
#include <stdexcept>

namespace hadr::test {

using namespace std::chrono_literals;

namespace {

constexpr auto long_enough = 60s;
constexpr auto overrun_most = 50ms;
constexpr std::string_view nobody = "no-such-host.invalid";

endpoint on_loopback(int port) {
    return {"127.0.0.1", static_cast<std::uint16_t>(port), {}};
}

std::string unique_token() {
    static int last = 0;
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    return fmt::format("situation-{}-{}", now, ++last);
}

class client {
public:
    explicit client(const std::string& text) {
        auto made = open(text, {.drivers = {odbc::make_driver()}});
        if (!made)
            throw std::runtime_error("open: " + to_string(made.error()));
        store_ = std::move(*made);
    }

    expected<endpoint> write(duration within) {
        const auto until = deadline::at(std::chrono::steady_clock::now() + within);
        auto held = store_->acquire({.intent = intent::write, .until = until});
        if (!held)
            return held.error();
        const auto row = fmt::format("INSERT INTO ledger VALUES ('{}')", unique_token());
        const auto how = held->execute(row, {}, until);
        return how ? expected<endpoint>(held->server()) : how.error();
    }

private:
    std::unique_ptr<connection_manager> store_;
};

/// What happens to a client that opens that.
std::string writes_at(const std::string& text, const endpoint& wanted) {
    client one(text);
    const auto where = one.write(long_enough);
    if (!where)
        return to_string(where.error());
    return *where == wanted ? std::string() : "it wrote at " + to_string(*where);
}

struct end {
    std::optional<errc> code;
    std::initializer_list<std::string_view> says = {}; ///< One of these.
};

std::string fails(const std::string& text, duration within, const end& wanted) {
    const control_thread control;
    client one(text);
    const auto begun = std::chrono::steady_clock::now();
    const auto where = one.write(within);
    const auto late = std::chrono::steady_clock::now() - begun - within;
    if (where)
        return "it wrote at " + to_string(*where);
    const auto said = to_string(where.error());
    if (late > overrun_most + control.worst())
        return fmt::format("back {} ms after its deadline: {}", late / 1ms, said);
    if (wanted.code && where.error().code != *wanted.code)
        return said;
    bool found = wanted.says.size() == 0;
    for (const auto one_of : wanted.says)
        found = found || said.find(one_of) != std::string::npos;
    return found ? std::string() : said;
}

class all_situations {
public:
    explicit all_situations(const own_string& pair) : pair_(pair) {
        client one(pair.but([](auto&, auto&) {}));
        const auto where = one.write(long_enough);
        if (!where)
            throw std::runtime_error("the pair as it is: " + to_string(where.error()));
        principal_ = *where;
        for (const auto& each : pair.says().members())
            if (each != principal_)
                mirror_ = each;
    }

    std::vector<own_situation> run() {
        end_well();
        end_in_time();
        end_in_a_refusal();
        return std::move(made_);
    }

private:
    std::string two(const endpoint& initial, const endpoint& partner) const {
        return pair_.but([&](store_specification& store, profile&) {
            store.servers = {initial};
            store.failover_partner = partner;
            store.start = cold_start::alone;
            store.watch_timeout = 1s;
        });
    }

    void end_well() {
        const auto away = on_loopback(free_port());
        const scripted_listener mute(silent());
        const auto silent_one = on_loopback(mute.port());
        const endpoint unknown{std::string(nobody), 1433, {}};
        const auto good = [this](std::string name, const endpoint& a, const endpoint& b) {
            add(std::move(name), writes_at(two(a, b), principal_));
        };
        good("initial_is_principal_and_partner_is_its_mirror", principal_, mirror_);
        good("initial_is_mirror_and_partner_is_principal", mirror_, principal_);
        good("initial_is_down_and_partner_is_principal", away, principal_);
        good("initial_is_principal_and_partner_is_down", principal_, away);
        good("initial_is_mute_and_partner_is_principal", silent_one, principal_);
        good("initial_is_principal_and_partner_is_mute", principal_, silent_one);
        good("initial_does_not_resolve_and_partner_is_principal", unknown, principal_);
        good("initial_is_principal_and_partner_does_not_resolve", principal_, unknown);
        add("principal_stands_alone", writes_at(pair_.standalone(principal_), principal_));
    }

    void end_in_time() {
        const auto away = on_loopback(free_port());
        const scripted_listener mute(silent());
        const scripted_listener mute_too(silent());
        const auto both = two(on_loopback(mute.port()), on_loopback(mute_too.port()));
        const end late{errc::deadline_exceeded};
        for (const auto within : {100ms, 1000ms}) {
            const auto in = [within](std::string_view name) {
                return fmt::format("{}_for_{}_ms", name, within / 1ms);
            };
            add(in("both_are_down"), fails(two(away, on_loopback(free_port())), within, late));
            add(in("both_are_mute"), fails(both, within, late));
        }
    }

    void end_in_a_refusal() {
        // Whoever names the mirror alone is refused, and told so.
        add("mirror_stands_alone",
            fails(pair_.standalone(mirror_), 5s, {{}, {"954", "4060", "955", "927"}}));
        add("both_refuse_with_4060_as_there_is_no_such_database",
            fails(
                pair_.but([](auto&, profile& with) { with.database += "_that_is_not_there"; }),
                5s,
                {{}, {"4060"}}
            ));
        add("both_refuse_the_password_with_18456",
            fails(
                pair_.but([](auto&, profile& with) { spoil_password(with); }), 5s, {{}, {"18456"}}
            ));
    }

    void add(std::string name, std::string wrong) {
        made_.push_back({std::move(name), std::move(wrong)});
    }

    const own_string& pair_;
    endpoint principal_;
    endpoint mirror_;
    std::vector<own_situation> made_;
};

}

std::vector<own_situation> own_situations(const own_string& pair) {
    return all_situations(pair).run();
}

}

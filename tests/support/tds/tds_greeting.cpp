// SPDX-License-Identifier: Apache-2.0
#include "support/tds/tds_connection.hpp"

#include <hadr/profile.hpp>

namespace hadr::test::tds {

using testing::site;

namespace {

constexpr int login_failed = 18456;
constexpr duration login_patience = std::chrono::minutes(1);

// Of a store of the other engine, what stands nearest.
int number_of(const failure& why) noexcept {
    if (why.native > 0)
        return why.native;
    if (why.sqlstate == "53300")
        return 17809;
    if (why.sqlstate == "57P03")
        return 18401;
    return why.sqlstate == "28P01" ? login_failed : 0;
}

std::vector<server_message> login_errors(const std::vector<int>& numbers, const login& of) {
    std::vector<server_message> made;
    for (const int number : numbers) {
        std::string text = number == login_failed ? "Login failed for user '" + of.user + "'."
                                                  : "Cannot open database \"" + of.database + "\".";
        made.push_back({number, severity_of(number), std::move(text)});
    }
    return made;
}

}

bool connection::greet() {
    if (with_.which == site::witness) {
        be_silent();
        return false;
    }
    if (const auto script = with_.script.next(point::accept);
        script && suffer(*script) != how_ended::finished)
        return false;
    auto one = receive();
    if (one && one->kind == packet_kind::prelogin) {
        script_ = with_.script.next(point::prelogin);
        if (script_ && script_->when == moment::before && suffer(*script_) != how_ended::finished)
            return false;
        if (!read_prelogin(one->body) || !send_reply(prelogin_answer()))
            return false;
        if (script_ && script_->when == moment::after && suffer(*script_) != how_ended::finished)
            return false;
        one = receive();
    }
    if (!one || one->kind != packet_kind::login)
        return false;
    const auto who = read_login(one->body);
    return who && log_in(*who);
}

bool connection::log_in(const login& one) {
    loop_.remember(one);
    with_.count.to_database += one.database.empty() || one.database == "master" ? 0U : 1U;
    packet_size_ =
        one.packet_size >= 512 && one.packet_size <= packet_max ? one.packet_size : packet_default;
    script_ = with_.script.next(point::login, one.database);
    if (script_ && script_->what == effect::refuse)
        return refuse(login_errors(script_->numbers, one));
    if (script_ && script_->when == moment::before && suffer(*script_) != how_ended::finished)
        return false;
    const auto& rules = loop_.rules;
    if (!rules.any_credentials && (one.user != rules.user || one.password != rules.password))
        return refuse(login_errors({login_failed}, one));
    auto made = open_session(one);
    if (gone())
        return false;
    if (!made) {
        const int number = number_of(made.error());
        if (number == 0) {
            close(true);
            return false;
        }
        std::vector<int> numbers{number};
        if (number != login_failed)
            numbers.push_back(login_failed);
        return refuse(login_errors(numbers, one));
    }
    session_ = std::move(*made);
    events_->watch(session_->waits_for().descriptor, readiness::readable, 0);
    if (script_ && script_->when == moment::after && suffer(*script_) != how_ended::finished)
        return false;
    ++with_.count.logins;
    database_ = one.database.empty() ? "master" : one.database;
    return send_reply(welcome(one).take());
}

// By the name of the place, which may lead elsewhere.
expected<std::unique_ptr<session>> connection::open_session(const login& one) {
    target to;
    to.at = testing::simulated_store::at(with_.which, loop_.rules.store.kind);
    auto who = std::make_shared<profile>();
    who->user = one.user;
    who->database = one.database;
    who->encrypt = encryption::disable;
    to.with = std::move(who);
    to.database = one.database.empty() ? "master" : one.database;
    const auto until = loop_.world.now() + login_patience;
    auto found = std::make_shared<std::optional<world::addresses>>();
    loop_.world.resolve(to.at.host, until, [found, this](world::addresses made) {
        *found = std::move(made);
        loop_.world.unpark(fiber_);
    });
    while (!*found && !gone())
        wait(until);
    if (!*found || !**found || (**found)->empty())
        return make_failure(errc::unreachable, advice::retry, "the place has no address");
    to.address = (**found)->front();
    return loop_.store.through()->connect(to, until, loop_.world, nullptr);
}

bool connection::refuse(std::vector<server_message> why) {
    ++with_.count.refused;
    reply made;
    for (const auto& one : why)
        made.say(one, with_.called());
    made.end({.failed = true});
    send_reply(made.take());
    return false;
}

reply connection::welcome(const login& one) const {
    const auto server = with_.called();
    reply made;
    made.change(environment::database, database_, "master")
        .say({5701, 10, "Changed database context to '" + database_ + "'."}, server)
        .change_collation()
        .change(environment::language, "us_english", "")
        .say({5703, 10, "Changed language setting to us_english."}, server)
        .acknowledge_login()
        .change(environment::packet_size, std::to_string(packet_size_), "4096");
    const std::string partner(
        with_.partner_name.value_or(std::string(session_->reported("failover_partner")))
    );
    if (!partner.empty())
        made.change(environment::partner, partner, "");
    if (with_.route && one.read_only)
        made.route(with_.route->host, with_.route->port);
    made.end({});
    return made;
}

}

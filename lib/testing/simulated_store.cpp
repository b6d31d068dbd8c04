// SPDX-License-Identifier: Apache-2.0
#include "testing/simulation.hpp"

#include <array>
#include <stdexcept>

namespace hadr::inline v0::testing {

void bug_in_test(const std::string& what) {
    throw std::logic_error("bug in test: " + what);
}

namespace {

void must_be(bool so, site which, std::string_view what) {
    if (!so)
        bug_in_test(std::string(to_string(which)) + " " + std::string(what));
}

void must_be_server(site which) {
    must_be(which == site::one || which == site::two, which, "is no server of the store");
}

void must_be_link(site from, site to) {
    must_be(from != to, from, "has no link to itself");
}

std::string usual_lineage(engine kind) {
    return kind == engine::sql_server ? "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
                                      : "7000000000000000001";
}

void must_be_lineage(std::string_view text, engine kind) {
    constexpr std::string_view digits = "0123456789abcdef-";
    const bool guid = text.size() == 36 && text.find_first_not_of(digits) == std::string_view::npos;
    if (kind == engine::sql_server && !guid)
        bug_in_test("a mirroring session without a guid, in small letters");
}

simulated_settings possible(simulated_settings how) {
    if (how.kind != engine::postgresql && how.kind != engine::sql_server)
        bug_in_test("an engine that is not simulated");
    if (how.mirror_refusal != 954 && how.mirror_refusal != 4060)
        bug_in_test("a mirror refuses its database by 954 or 4060");
    for (const auto period : {how.keeper_period, how.health_period, how.ping_period})
        if (period <= duration::zero())
            bug_in_test("an agent or a witness that acts without end: a period must be positive");
    for (const auto length :
         {how.link_delay,
          how.login_time,
          how.answer_time,
          how.unhealthy_after,
          how.demote_timeout,
          how.partition_timeout,
          how.partner_timeout,
          how.promotion_time,
          how.start_time,
          how.rewind_time})
        if (length < duration::zero())
            bug_in_test("nothing lasts less than no time");
    if (how.sessions_max < 1)
        bug_in_test("a server that takes no session at all");
    if (how.lineage.empty())
        how.lineage = usual_lineage(how.kind);
    must_be_lineage(how.lineage, how.kind);
    return how;
}

constexpr std::array<site, 2> servers = {site::one, site::two};
constexpr std::array<site, 4> places = {site::client, site::one, site::two, site::witness};

}

std::string_view to_string(site where) noexcept {
    constexpr std::array<std::string_view, 4> names = {"client", "one", "two", "witness"};
    return names[static_cast<std::size_t>(where)];
}

std::string_view to_string(commit_step step) noexcept {
    constexpr std::array<std::string_view, 7> names = {
        "sent", "received", "logged", "replicated", "visible", "answered", "answer_received"};
    return names[static_cast<std::size_t>(step)];
}

simulated_store::impl::impl(manual_world& in, simulated_settings how)
    : world(in)
    , rules(std::move(how))
    , chance(in.random())
    , witness_answer_time(rules.answer_time) {
    for (auto& from : links)
        for (auto& one : from)
            one.delay = rules.link_delay;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        auto& one = nodes[i];
        one.which = servers[i];
        one.lineage = rules.lineage;
        one.answer_time = rules.answer_time;
        one.in_recovery = i == 1;
        one.synchronous = i == 0;
        auto& stranger = strangers[i];
        stranger.which = servers[i];
        stranger.lineage = "9000000000000000009";
        stranger.timeline = 9;
        stranger.answer_time = rules.answer_time;
        stranger.synchronous = false;
    }
}

simulated_store::simulated_store(manual_world& in, settings how)
    : impl_(
          how.kind == engine::sql_server ? make_database_mirroring(in, possible(how))
                                         : make_auto_failover(in, possible(how))
      ) {
    in.keep(impl_);
    rebind(site::one, false);
    rebind(site::two, false);
    in.set_name("witness", {{"10.0.0.3"}, {}});
    impl_->begin();
}

simulated_store::~simulated_store() {
    impl_->over = true;
}

std::shared_ptr<driver> simulated_store::through() const {
    return make_simulated_driver(impl_);
}

std::string simulated_store::connection_string() const {
    return impl_->connection_string();
}

endpoint simulated_store::at(site which, engine kind) {
    const std::uint16_t port = kind == engine::sql_server ? 1433 : 5432;
    return {std::string(to_string(which)), port, {}};
}

std::string simulated_store::server_name(site which) {
    must_be_server(which);
    return which == site::one ? "ONE" : "TWO";
}

void simulated_store::kill(site which) {
    if (which == site::witness) {
        must_be(impl_->witness_up, which, "is dead already");
        impl_->witness_up = false;
        impl_->witness_frozen = false;
        ++impl_->witness_boot;
        for (const auto id : std::exchange(impl_->witness_served, {})) {
            impl_->wires[id].served = false;
            impl_->send(impl_->wires[id], message::closed, 0);
        }
        impl_->witness_stopped();
        for (const auto packed : std::exchange(impl_->witness_deferred, {}))
            impl_->handle(packed);
        return;
    }
    must_be_server(which);
    auto& one = impl_->of(which);
    must_be(one.running || one.starting || one.keeper, which, "is dead already");
    one.keeper = false;
    one.busy = false;
    one.frozen = false;
    impl_->stop_server(one, false);
    ++one.boot;
    for (const auto packed : std::exchange(one.deferred, {}))
        impl_->handle(packed);
}

void simulated_store::kill_server(site which) {
    must_be_server(which);
    auto& one = impl_->of(which);
    must_be(one.running, which, "runs no server");
    must_be(!one.frozen, which, "is frozen: kill it whole");
    one.busy = false; // What its agent was doing with it has failed.
    impl_->stop_server(one, false);
}

void simulated_store::kill_keeper(site which) {
    must_be_server(which);
    auto& one = impl_->of(which);
    must_be(impl_->has_agents() && one.keeper, which, "has no agent to kill");
    one.keeper = false;
}

void simulated_store::restart(site which) {
    if (which == site::witness) {
        must_be(!impl_->witness_up, which, "runs: it cannot be started");
        impl_->witness_up = true;
        impl_->witness_started();
        return;
    }
    must_be_server(which);
    auto& one = impl_->of(which);
    must_be(!one.keeper, which, "runs: it cannot be started");
    one.keeper = true;
    impl_->restarted(one);
}

void simulated_store::freeze(site which) {
    must_be(which != site::client, which, "is paused through the world");
    bool& frozen = which == site::witness ? impl_->witness_frozen : impl_->of(which).frozen;
    const bool up = which == site::witness ? impl_->witness_up
                                           : impl_->of(which).running || impl_->of(which).starting;
    must_be(up, which, "is dead: it cannot be frozen");
    must_be(!frozen, which, "is frozen already");
    frozen = true;
}

void simulated_store::thaw(site which) {
    must_be(which != site::client, which, "is paused through the world");
    const bool witness = which == site::witness;
    bool& frozen = witness ? impl_->witness_frozen : impl_->of(which).frozen;
    must_be(frozen, which, "is not frozen");
    frozen = false;
    if (!witness)
        impl_->thawed(impl_->of(which));
    auto& kept = witness ? impl_->witness_deferred : impl_->of(which).deferred;
    for (const auto packed : std::exchange(kept, {}))
        impl_->handle(packed);
}

void simulated_store::cut(site from, site to) {
    must_be_link(from, to);
    must_be(!impl_->way(from, to).cut, from, "is cut from there already");
    impl_->way(from, to).cut = true;
}

void simulated_store::mend(site from, site to) {
    must_be_link(from, to);
    must_be(impl_->way(from, to).cut, from, "is not cut from there");
    impl_->mend(from, to);
}

int simulated_store::reset(site a, site b) {
    must_be_link(a, b);
    if (a != site::client && b != site::client)
        bug_in_test("only sessions of the client can be reset");
    const auto with = a == site::client ? b : a;
    int ended = 0;
    for (auto& one : impl_->wires) {
        if (one.free || one.with != with)
            continue;
        ended += one.client != nullptr && !one.severed && !one.ended ? 1 : 0;
        if (one.client != nullptr && !one.severed && !one.ended)
            impl_->lose(one);
        impl_->hang_up(one);
    }
    return ended;
}

void simulated_store::set_delay(site from, site to, duration by) {
    must_be_link(from, to);
    if (by < duration::zero())
        bug_in_test("a message cannot arrive before it was sent");
    impl_->way(from, to).delay = by;
}

void simulated_store::set_loss(site from, site to, int percent) {
    must_be_link(from, to);
    if (percent < 0 || percent > 100)
        bug_in_test("a loss is between 0 and 100 percent");
    impl_->way(from, to).loss = percent;
}

void simulated_store::set_door(site which, door how) {
    must_be(which != site::client, which, "takes no logins");
    (which == site::witness ? impl_->witness_door : impl_->of(which).door) = how;
}

void simulated_store::set_answer_time(site which, duration how_long) {
    must_be(which != site::client, which, "answers nothing");
    (which == site::witness ? impl_->witness_answer_time : impl_->of(which).answer_time) = how_long;
}

void simulated_store::set_stale(bool stale) {
    must_be(impl_->has_agents() || !stale, site::witness, "is asked by nobody");
    impl_->set_stale(stale);
}

bool simulated_store::switch_over() {
    must_be(
        !impl_->has_agents() || (impl_->witness_up && !impl_->witness_frozen),
        site::witness,
        "can be asked for nothing now"
    );
    return impl_->perform_failover();
}

expected<void> simulated_store::administer(site which, std::string_view statement) {
    must_be_server(which);
    auto& one = impl_->of(which);
    must_be(one.running && !one.frozen, which, "takes no statement now");
    return impl_->administer(one, statement);
}

int simulated_store::cancel_waiting(site which) {
    must_be_server(which);
    auto& one = impl_->of(which);
    must_be(impl_->has_agents(), which, "takes no such cancel: its commits cannot become local");
    must_be(one.running && !one.frozen, which, "runs nothing that could be cancelled");
    return impl_->cancel_waiting(one);
}

void simulated_store::promote_apart(site which) {
    must_be_server(which);
    auto& one = impl_->of(which);
    must_be(!impl_->has_agents() || !one.keeper, which, "has an agent, which would not have it");
    must_be(!one.frozen, which, "is frozen: it cannot be promoted");
    must_be(!one.running || one.in_recovery, which, "is a running primary");
    impl_->promote_apart(one);
}

void simulated_store::rebind(site which, bool to_stranger) {
    must_be_server(which);
    impl_->world.set_name(
        std::string(to_string(which)),
        {{std::string(to_stranger ? "10.9.0." : "10.0.0.") + (which == site::one ? "1" : "2")}, {}}
    );
}

void simulated_store::rebuild(std::string lineage) {
    auto& lead = impl_->of(named() == site::client ? site::one : named());
    must_be(named() != site::client, site::witness, "names nobody: there is nothing to restore");
    must_be(lead.running && !lead.in_recovery, lead.which, "is no running primary");
    must_be(lineage != lead.lineage, lead.which, "is of that lineage already");
    must_be_lineage(lineage, impl_->rules.kind);
    for (auto& one : impl_->nodes) {
        const bool ran = one.running;
        impl_->stop_server(one, true);
        one.lineage = lineage;
        one.timeline = 1;
        if (ran)
            impl_->start_server(one);
    }
    impl_->rebuilt(lead);
}

void simulated_store::heal() {
    for (const auto from : places)
        for (const auto to : places) {
            auto& over = impl_->way(from, to);
            over.delay = impl_->rules.link_delay;
            over.loss = 0;
            if (over.cut)
                impl_->mend(from, to);
        }
    set_stale(false);
    for (const auto which : servers) {
        rebind(which, false);
        auto& one = impl_->of(which);
        one.door = door::open;
        one.answer_time = impl_->rules.answer_time;
        if (one.frozen)
            thaw(which);
        if (!one.keeper)
            restart(which);
    }
    impl_->witness_door = door::open;
    impl_->witness_answer_time = impl_->rules.answer_time;
    if (impl_->witness_frozen)
        thaw(site::witness);
    if (!impl_->witness_up)
        restart(site::witness);
    impl_->healed();
}

void simulated_store::when(commit_step step, std::function<void()> then) {
    impl_->hooks[static_cast<std::size_t>(step)].push_back(std::move(then));
}

std::size_t simulated_store::hooks_left() const noexcept {
    std::size_t left = 0;
    for (const auto& of_step : impl_->hooks)
        left += of_step.size();
    return left;
}

void simulated_store::watch_commits(std::function<void(commit_step, site, std::string_view)> by) {
    impl_->on_step = std::move(by);
}

void simulated_store::watch_messages(std::function<void()> by) {
    impl_->on_message = std::move(by);
}

void simulated_store::answer_others(std::function<expected<void>(std::string_view, answer&)> by) {
    impl_->answers = std::move(by);
}

site simulated_store::named() const noexcept {
    const auto which = impl_->named();
    return which ? servers[*which] : site::client;
}

bool simulated_store::protected_now() const noexcept {
    return impl_->protected_now();
}

bool simulated_store::reachable(site which) const noexcept {
    if (which == site::client || !impl_->open_between(site::client, which))
        return false;
    const auto quick = [&](const link& over) {
        return over.loss == 0 && over.delay <= impl_->rules.link_delay;
    };
    if (!quick(impl_->way(site::client, which)) || !quick(impl_->way(which, site::client)))
        return false;
    if (which == site::witness)
        return impl_->witness_up && !impl_->witness_frozen && impl_->truthful() &&
               impl_->witness_door == door::open &&
               impl_->witness_answer_time <= impl_->rules.answer_time;
    const auto& one = impl_->of(which);
    return one.running && !one.frozen && one.door == door::open &&
           one.answer_time <= impl_->rules.answer_time;
}

simulated_store::server_state simulated_store::state(site which) const {
    must_be_server(which);
    const auto& one = impl_->of(which);
    return {
        one.running,
        one.frozen,
        one.in_recovery,
        impl_->writable(one),
        one.synchronous,
        one.apart,
        one.timeline,
        one.lineage,
        impl_->assigned(which == site::one ? 0 : 1),
        one.served.size()};
}

std::vector<std::string> simulated_store::ledger(site which) const {
    must_be_server(which);
    const auto& one = impl_->of(which);
    std::vector<std::string> made;
    const auto seen = one.in_recovery ? one.log.size() : one.visible;
    for (std::size_t i = 0; i < seen; ++i)
        made.push_back(one.log[i].token);
    return made;
}

const std::vector<std::string>& simulated_store::local_commits() const noexcept {
    return impl_->local_tokens;
}

std::size_t simulated_store::strays() const noexcept {
    return impl_->strangers[0].log.size() + impl_->strangers[1].log.size();
}

simulated_store::session_state simulated_store::state(const session& of) const {
    const auto& on = wire_of(of);
    session_state made{on.with, impl_->alive(on), false, 0, {}};
    if (on.with == site::one || on.with == site::two) {
        const auto& at_end = impl_->served_by(on);
        made.primary = !at_end.in_recovery;
        made.timeline = at_end.timeline;
        made.lineage = at_end.lineage;
        made.clean = on.transaction == transaction_status::idle && !on.touched;
    }
    return made;
}

const simulated_store::counters& simulated_store::counted() const noexcept {
    return impl_->count;
}

int simulated_store::client_sessions(site with) const noexcept {
    return impl_->client_sessions[static_cast<std::size_t>(with)];
}

const std::vector<time_point>& simulated_store::login_times(site at) const noexcept {
    return impl_->login_times[static_cast<std::size_t>(at)];
}

}

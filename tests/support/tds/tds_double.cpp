// SPDX-License-Identifier: Apache-2.0
#include "support/tds/tds_double.hpp"

#include "support/tds/tds_loop.hpp"

namespace hadr::test::tds {

using testing::site;

tds_double::tds_double(settings how) : loop_(std::make_unique<double_loop>(std::move(how))) {}

tds_double::~tds_double() = default;

std::string tds_double::address(site which) {
    return "127.0.0." + std::to_string(static_cast<unsigned>(which) + 1);
}

int tds_double::port(site which) const noexcept {
    return loop_->at(which).port;
}

std::string tds_double::odbc_string(site which, std::string_view database) const {
    return "Driver=FreeTDS;TDS_Version=7.4;Server=" + address(which) +
           ";Port=" + std::to_string(port(which)) + ";Database=" + std::string(database) +
           ";UID=" + loop_->rules.user + ";PWD=" + loop_->rules.password;
}

std::string tds_double::connection_string() const {
    const auto at = [&](site which) { return address(which) + "," + std::to_string(port(which)); };
    return "Driver=FreeTDS;Mode=mirroring;Server=" + at(site::one) +
           ";Failover_Partner=" + at(site::two) + ";Database=d;UID=" + loop_->rules.user +
           ";PWD=" + loop_->rules.password + ";Encrypt=disable";
}

void tds_double::set(site which, fault what) {
    on_its_thread([&] { loop_->at(which).script.set(std::move(what)); });
}

void tds_double::clear(site which) {
    on_its_thread([&] { loop_->at(which).script.clear(); });
}

std::size_t tds_double::held(site which) {
    std::size_t made = 0;
    on_its_thread([&] { made = loop_->at(which).held; });
    return made;
}

void tds_double::release(site which) {
    on_its_thread([&] {
        auto& there = loop_->at(which);
        ++there.releases;
        loop_->wake_all(there);
    });
}

void tds_double::set_partner_name(site which, std::string name) {
    on_its_thread([&] { loop_->at(which).partner_name = std::move(name); });
}

bool tds_double::move(site which, std::string to_address, int port, std::string server_name) {
    bool moved = false;
    on_its_thread([&] {
        auto& there = loop_->at(which);
        moved = loop_->move(there, std::move(to_address), port);
        if (moved)
            there.server_name = std::move(server_name);
    });
    return moved;
}

void tds_double::set_routing(site which, std::string host, int port) {
    on_its_thread([&] {
        auto& route = loop_->at(which).route;
        route.reset();
        if (port != 0)
            route = routing{std::move(host), static_cast<std::uint16_t>(port)};
    });
}

void tds_double::answer_others(std::function<expected<void>(std::string_view, answer&)> by) {
    on_its_thread([&] { loop_->answers = std::move(by); });
}

tds_double::counters tds_double::counted(site which) {
    counters made;
    on_its_thread([&] { made = loop_->at(which).count; });
    return made;
}

std::vector<login> tds_double::logins() {
    std::vector<login> made;
    on_its_thread([&] { made.assign(loop_->logins.begin(), loop_->logins.end()); });
    return made;
}

time_point tds_double::writable_since(site which) {
    time_point made;
    on_its_thread([&] { made = loop_->at(which).writable_since; });
    return made;
}

std::vector<tds_double::acknowledged> tds_double::acknowledgements() {
    std::vector<acknowledged> made;
    on_its_thread([&] { made = loop_->acknowledgements; });
    return made;
}

std::vector<tds_double::naming> tds_double::namings() {
    std::vector<naming> made;
    on_its_thread([&] { made = loop_->namings; });
    return made;
}

testing::simulated_store& tds_double::store() noexcept {
    return loop_->store;
}

void tds_double::on_its_thread(std::function<void()> what) {
    loop_->post(std::move(what));
}

}

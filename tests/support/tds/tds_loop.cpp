// SPDX-License-Identifier: Apache-2.0
#include "support/tds/tds_loop.hpp"

#include "support/tds/tds_connection.hpp"
#include "support/tds/tds_text.hpp"

#include <algorithm>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hadr::test::tds {

using testing::site;

namespace {

constexpr std::array<site, 3> sites = {site::one, site::two, site::witness};
constexpr std::uint64_t bell_token = 10;
constexpr std::size_t logins_kept = 1000;
constexpr std::size_t acknowledgements_kept = 1'000'000;
constexpr int backlog = 256;
constexpr duration longest_sleep = std::chrono::milliseconds(50);

sockaddr_in socket_address(const std::string& address, int port) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_port = htons(static_cast<std::uint16_t>(port));
    inet_pton(AF_INET, address.c_str(), &made.sin_addr);
    return made;
}

// Bound to the port, or to a free one; -1 if that is taken.
int bound_socket(const std::string& address, int port) {
    const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0)
        throw std::runtime_error("no socket");
    const int on = 1;
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto at = socket_address(address, port);
    if (bind(made, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0)
        return made;
    ::close(made);
    return -1;
}

// Bound by its number, a socket keeps a port even while it does not listen; the one that found the
// port holds it until then.
int bound_to_free_port(const std::string& address, int& port) {
    const int finder = bound_socket(address, 0);
    sockaddr_in at{};
    auto length = static_cast<socklen_t>(sizeof at);
    if (finder < 0 || getsockname(finder, reinterpret_cast<sockaddr*>(&at), &length) != 0)
        throw std::runtime_error("no free port");
    port = ntohs(at.sin_port);
    const int made = bound_socket(address, port);
    ::close(finder);
    return made;
}

time_point real_now() noexcept {
    return std::chrono::steady_clock::now();
}

}

std::string place::called() const {
    return server_name.value_or(std::string(to_string(which)));
}

double_loop::double_loop(tds_double::settings how)
    : rules(std::move(how))
    , world(rules.seed)
    , store(world, rules.store)
    , events_(epoll_create1(EPOLL_CLOEXEC))
    , bell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (events_ < 0 || bell_ < 0)
        throw std::runtime_error("no epoll");
    epoll_event bell{EPOLLIN, {}};
    bell.data.u64 = bell_token;
    epoll_ctl(events_, EPOLL_CTL_ADD, bell_, &bell);
    for (std::size_t i = 0; i < places_.size(); ++i) {
        auto& there = places_[i];
        there.which = sites[i];
        there.address = tds_double::address(there.which);
        while (there.listener < 0)
            there.listener = bound_to_free_port(there.address, there.port);
        open_door(there);
        watch_door(there, true);
    }
    store.watch_commits([this](testing::commit_step step, site where, std::string_view token) {
        if (step == testing::commit_step::answered &&
            acknowledgements.size() < acknowledgements_kept)
            acknowledgements.push_back(
                {std::string(token),
                 where,
                 store.state(where).timeline,
                 store.named(),
                 store.state(where).synchronous,
                 real(world.now())}
            );
    });
    store.answer_others([this](std::string_view text, answer& into) {
        if (auto made = answer_of(text, into))
            return *std::move(made);
        return answers ? answers(text, into) : expected<void>();
    });
    ahead_ = world.now() - real_now();
    thread_ = std::thread([this] { run(); });
}

double_loop::~double_loop() {
    post([this] { stopping = true; });
    thread_.join();
    for (auto& there : places_)
        ::close(there.listener);
    ::close(events_);
    ::close(bell_);
}

void double_loop::post(std::function<void()> what) {
    if (std::this_thread::get_id() == own_.load()) {
        what();
        return;
    }
    std::promise<void> done;
    {
        const std::lock_guard guard(mutex_);
        posted_.push_back([&] {
            what();
            done.set_value();
        });
    }
    const std::uint64_t one = 1;
    static_cast<void>(write(bell_, &one, sizeof one));
    done.get_future().wait();
}

place& double_loop::at(site which) noexcept {
    return places_[static_cast<std::size_t>(which) - static_cast<std::size_t>(site::one)];
}

void double_loop::wake(const connection& one) {
    if (one.served_by() != nullptr)
        world.unpark(one.served_by());
}

void double_loop::wake_all(const place& of) {
    for (const auto& [id, one] : connections_)
        if (&one->with() == &of)
            wake(*one);
}

void double_loop::forget(const connection& one) noexcept {
    connections_.erase(one.id());
}

void double_loop::remember(const login& one) {
    logins.push_back(one);
    if (logins.size() > logins_kept)
        logins.pop_front();
}

void double_loop::run() {
    own_.store(std::this_thread::get_id());
    while (!stopping) {
        catch_up();
        look_at_places();
        wait_for_events();
        run_posted();
    }
    end();
}

void double_loop::catch_up() {
    world.advance(std::max(real_now() + ahead_ - world.now(), duration::zero()));
}

void double_loop::run_posted() {
    std::deque<std::function<void()>> all;
    {
        const std::lock_guard guard(mutex_);
        all.swap(posted_);
    }
    for (const auto& one : all)
        one();
}

// What happened to a server happens to its sockets.
void double_loop::look_at_places() {
    if (const auto named = store.named(); namings.empty() || namings.back().whom != named)
        namings.push_back({named, real(world.now())});
    for (auto& there : places_) {
        if (there.which == site::witness)
            continue;
        const auto is = store.state(there.which);
        if (is.running != there.listening)
            is.running ? open_door(there) : close_door(there);
        watch_door(there, is.running && !is.frozen);
        if (is.writable != there.writable)
            there.writable_since = is.writable ? real(world.now()) : time_point::max();
        there.writable = is.writable;
    }
}

void double_loop::open_door(place& there) {
    if (listen(there.listener, backlog) != 0)
        throw std::runtime_error("cannot listen");
    there.listening = true;
}

void double_loop::close_door(place& there) {
    watch_door(there, false);
    shutdown(there.listener, SHUT_RD); // It refuses from now on, and resets who waits in its queue.
    there.listening = false;
    for (const auto& [id, one] : connections_)
        if (&one->with() == &there)
            one->drop();
    wake_all(there);
}

bool double_loop::move(place& there, std::string address, int port) {
    const int moved = bound_socket(address, port);
    if (moved < 0)
        return false;
    if (there.listening)
        close_door(there);
    ::close(there.listener);
    there.listener = moved;
    there.address = std::move(address);
    there.port = port;
    return true;
}

// A frozen server takes nobody off the kernel's queue.
void double_loop::watch_door(place& there, bool wanted) {
    if (there.watched == wanted)
        return;
    there.watched = wanted;
    epoll_event what{EPOLLIN, {}};
    what.data.u64 = static_cast<std::uint64_t>(there.which);
    epoll_ctl(events_, wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, there.listener, &what);
}

void double_loop::wait_for_events() {
    const auto due = world.due();
    auto sleep = due == time_point::max() ? longest_sleep : due - ahead_ - real_now();
    sleep = std::clamp(sleep, duration::zero(), longest_sleep);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(sleep);
    const timespec length{seconds.count(), (sleep - seconds).count()};
    pollfd any{events_, POLLIN, 0};
    if (ppoll(&any, 1, &length, nullptr) <= 0)
        return;
    std::array<epoll_event, 64> seen{};
    const int count = epoll_wait(events_, seen.data(), static_cast<int>(seen.size()), 0);
    for (int i = 0; i < count; ++i)
        handle(
            seen[static_cast<std::size_t>(i)].data.u64, seen[static_cast<std::size_t>(i)].events
        );
}

void double_loop::handle(std::uint64_t token, unsigned events) {
    if (token == bell_token) {
        std::uint64_t rung = 0;
        static_cast<void>(read(bell_, &rung, sizeof rung));
        return;
    }
    if (token <= static_cast<std::uint64_t>(site::witness)) {
        accept_all(at(static_cast<site>(token)));
        return;
    }
    const auto found = connections_.find(token);
    if (found == connections_.end())
        return;
    if ((events & EPOLLIN) != 0)
        found->second->take_bytes();
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        found->second->lost();
    wake(*found->second);
}

void double_loop::accept_all(place& there) {
    for (;;) {
        const int one = accept4(there.listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (one < 0)
            return;
        const int on = 1;
        setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const auto id = ++last_id_;
        auto made = std::make_shared<connection>(*this, there, one, id);
        connections_.emplace(id, made);
        ++there.count.accepted;
        ++there.count.open;
        epoll_event wanted{EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {}};
        wanted.data.u64 = id;
        epoll_ctl(events_, EPOLL_CTL_ADD, one, &wanted);
        world.start("tds", [made] { made->serve(); });
    }
}

// Fibers end in the world's time, which needs none of the real one.
void double_loop::end() {
    for (const auto& [id, one] : connections_)
        wake(*one);
    world.eventually([this] { return connections_.empty() && world.agents() == 0; });
    run_posted();
}

}

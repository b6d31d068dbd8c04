// SPDX-License-Identifier: Apache-2.0
#include "platform/resolver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netdb.h>
#include <signal.h>

namespace hadr::inline v0::platform {

namespace {

struct question {
    std::string host;
    time_point until;
    std::function<void(world::addresses)> completion;
    std::mutex mutex; // Guards answered.
    bool answered = false;

    void answer(world::addresses found) {
        {
            const std::lock_guard guard(mutex);
            if (answered)
                return;
            answered = true;
        }
        completion(std::move(found));
    }
};

using questions = std::vector<std::shared_ptr<question>>;

/// One call of the system's resolver, and who waits for it.
struct look_up {
    std::string host;
    questions of; ///< Those not answered yet.
    std::optional<time_point> begun;
};

bool numeric(const std::string& host) noexcept {
    std::array<unsigned char, sizeof(in6_addr)> ignored{};
    const auto scope = host.find('%');
    return inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
           inet_pton(AF_INET6, host.substr(0, scope).c_str(), ignored.data()) == 1;
}

failure unresolved(const std::string& host, std::string_view why) {
    auto made = make_failure(
        errc::unreachable,
        advice::retry,
        fmt::format("{} does not resolve: {}", escaped(host, 255), why)
    );
    made.native = local_cause;
    return made;
}

world::addresses ask_system(const std::string& host) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0)
        return unresolved(host, gai_strerror(error));
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> held(found, &freeaddrinfo);
    std::vector<std::string> all;
    for (const auto* one = found; one != nullptr && all.size() < resolver::addresses_max;
         one = one->ai_next) {
        std::array<char, NI_MAXHOST> text{};
        if (getnameinfo(
                one->ai_addr,
                one->ai_addrlen,
                text.data(),
                static_cast<socklen_t>(text.size()),
                nullptr,
                0,
                NI_NUMERICHOST
            ) != 0)
            continue;
        std::string address(text.data());
        if (std::find(all.begin(), all.end(), address) == all.end())
            all.push_back(std::move(address));
    }
    if (all.empty())
        return unresolved(host, "no address");
    return all;
}

}

/// Shared with the threads, so that one that hangs in the system's resolver owns all it touches.
struct resolver::state {
    state(looking_up how, duration length) : by(std::move(how)), usual(length) {}

    const looking_up by;
    const duration usual;
    std::mutex mutex; // Guards everything below.
    std::condition_variable changed;
    std::condition_variable timed;
    std::deque<std::shared_ptr<look_up>> queue;
    std::vector<std::shared_ptr<look_up>> present; // Queued or under way, the newest last.
    questions open;                                // Not answered yet, as far as the timer knows.
    int threads = 0;
    int idle = 0;
    bool timer = false;
    bool stopping = false;

    void take(const std::shared_ptr<question>& one);
    std::shared_ptr<look_up> next();
    void begin_threads(const std::shared_ptr<state>& self);

    static void work(const std::shared_ptr<state>& self);
    static void watch_time(const std::shared_ptr<state>& self);
};

namespace {

// A signal is the application's affair, not our threads'.
template <class F>
bool detached(F body) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool begun = true;
    try {
        std::thread(std::move(body)).detach();
    } catch (const std::system_error&) {
        begun = false;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return begun;
}

}

// Joins what is under way for its name, unless that seems to hang and another may begin.
void resolver::state::take(const std::shared_ptr<question>& one) {
    open.push_back(one);
    int known = 0;
    std::shared_ptr<look_up> newest;
    for (const auto& each : present)
        if (each->host == one->host) {
            ++known;
            newest = each;
        }
    const bool hangs =
        newest && newest->begun && std::chrono::steady_clock::now() - *newest->begun >= usual;
    if (newest && (!hangs || known >= per_host_max)) {
        newest->of.push_back(one);
        return;
    }
    present.push_back(std::make_shared<look_up>(look_up{one->host, {one}, {}}));
    queue.push_back(present.back());
}

// Nothing if nobody waits any more for what is queued.
std::shared_ptr<look_up> resolver::state::next() {
    while (!queue.empty()) {
        auto first = std::move(queue.front());
        queue.pop_front();
        if (!first->of.empty()) {
            first->begun = std::chrono::steady_clock::now();
            return first;
        }
        std::erase(present, first);
    }
    return nullptr;
}

void resolver::state::begin_threads(const std::shared_ptr<state>& self) {
    const bool short_of_hands = idle < static_cast<int>(queue.size());
    if (short_of_hands && threads < threads_max && detached([self] { work(self); }))
        ++threads;
    if (!timer && detached([self] { watch_time(self); }))
        timer = true;
    changed.notify_one();
    timed.notify_one();
}

void resolver::state::work(const std::shared_ptr<state>& self) {
    std::unique_lock lock(self->mutex);
    for (;;) {
        ++self->idle;
        const bool woken = self->changed.wait_for(lock, idle_limit, [&] {
            return self->stopping || !self->queue.empty();
        });
        --self->idle;
        if (!woken || self->queue.empty())
            break;
        const auto one = self->next();
        if (!one)
            continue;
        lock.unlock();
        const auto found = self->by(one->host);
        lock.lock();
        std::erase(self->present, one); // From here on nobody joins it.
        const auto of = std::move(one->of);
        lock.unlock();
        for (const auto& each : of)
            each->answer(found);
        lock.lock();
        for (const auto& each : of)
            std::erase(self->open, each);
        self->timed.notify_one();
    }
    --self->threads;
}

void resolver::state::watch_time(const std::shared_ptr<state>& self) {
    std::unique_lock lock(self->mutex);
    while (!self->open.empty()) {
        const auto first = *std::min_element(
            self->open.begin(),
            self->open.end(),
            [](const auto& a, const auto& b) { return a->until < b->until; }
        );
        if (first->until > std::chrono::steady_clock::now()) {
            self->timed.wait_until(lock, first->until);
            continue;
        }
        std::erase(self->open, first);
        for (const auto& one : self->present)
            std::erase(one->of, first);
        lock.unlock();
        first->answer(unresolved(first->host, "no answer in time"));
        lock.lock();
    }
    self->timer = false;
}

resolver::resolver() : resolver(ask_system) {}

resolver::resolver(looking_up by, duration usual)
    : state_(std::make_shared<state>(std::move(by), usual)) {}

resolver::~resolver() {
    const std::lock_guard guard(state_->mutex);
    state_->stopping = true;
    state_->changed.notify_all();
}

void resolver::resolve(
    std::string host, time_point until, std::function<void(world::addresses)> completion
) {
    if (numeric(host)) {
        completion(std::vector<std::string>{std::move(host)});
        return;
    }
    auto one = std::make_shared<question>();
    one->host = std::move(host);
    one->until = until;
    one->completion = std::move(completion);
    bool refused = false;
    {
        const std::lock_guard guard(state_->mutex);
        refused = state_->open.size() >= questions_max;
        if (!refused) {
            state_->take(one);
            state_->begin_threads(state_);
        }
    }
    if (refused)
        one->answer(unresolved(one->host, "too many names are being resolved"));
}

}

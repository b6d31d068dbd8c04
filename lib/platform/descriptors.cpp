// SPDX-License-Identifier: Apache-2.0
#include "platform/descriptors.hpp"

#include "platform/agents.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <system_error>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace hadr::inline v0::platform {

namespace {

constexpr std::uint64_t own_token = ~std::uint64_t{0};

std::uint32_t epoll_events(readiness wanted) noexcept {
    std::uint32_t events = EPOLLRDHUP;
    if (has(wanted, readiness::readable))
        events |= EPOLLIN;
    if (has(wanted, readiness::writable))
        events |= EPOLLOUT;
    return events;
}

readiness from_epoll(std::uint32_t events) noexcept {
    auto what = readiness::none;
    if ((events & EPOLLIN) != 0)
        what = what | readiness::readable;
    if ((events & EPOLLOUT) != 0)
        what = what | readiness::writable;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        what = what | readiness::hangup;
    return what;
}

struct owned {
    owned(int made, const char* what) : number(made) {
        if (made < 0)
            throw std::system_error(errno, std::generic_category(), what);
    }

    owned(const owned&) = delete;
    ~owned() { close(number); }

    const int number;
};

class epoll_set final : public descriptor_set {
public:
    epoll_set()
        : epoll_(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")
        , event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd") {
        epoll_event own{};
        own.events = EPOLLIN;
        own.data.u64 = own_token;
        if (epoll_ctl(epoll_.number, EPOLL_CTL_ADD, event_.number, &own) != 0)
            throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }

    epoll_set(const epoll_set&) = delete;

    void watch(int descriptor, readiness wanted, std::uint64_t token) override {
        epoll_event one{};
        one.events = epoll_events(wanted);
        one.data.u64 = token;
        const bool added = known_.insert(descriptor).second;
        if (epoll_ctl(epoll_.number, added ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &one) == 0)
            return;
        // Closed and opened again under the same number without being forgotten.
        epoll_ctl(epoll_.number, added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &one);
    }

    void forget(int descriptor) noexcept override {
        if (known_.erase(descriptor) != 0)
            epoll_ctl(epoll_.number, EPOLL_CTL_DEL, descriptor, nullptr);
    }

    std::size_t wait(std::span<event> into, time_point until) override {
        auto* const self = current_agent();
        const bool parked = self->listen(event_.number);
        std::array<epoll_event, 64> found;
        timespec left{};
        const auto* limit = parked ? remaining(until, left) : &left;
        const int count = wait_once({found.data(), std::min(into.size(), found.size())}, limit);
        if (parked)
            self->stop_listening();
        std::size_t written = 0;
        for (int i = 0; i < count; ++i) {
            const auto& one = found[static_cast<std::size_t>(i)];
            if (one.data.u64 != own_token)
                into[written++] = {one.data.u64, from_epoll(one.events)};
        }
        return written;
    }

private:
    int wait_once(std::span<epoll_event> into, const timespec* limit) const noexcept {
        const auto most = static_cast<int>(into.size());
        const int count = epoll_pwait2(epoll_.number, into.data(), most, limit, nullptr);
        if (count >= 0 || errno != ENOSYS)
            return count;
        // Linux before 5.11, and valgrind: in milliseconds, rounded up.
        return epoll_wait(
            epoll_.number, into.data(), most, limit == nullptr ? -1 : milliseconds(*limit)
        );
    }

    static int milliseconds(const timespec& of) noexcept {
        constexpr time_t longest = 1'000'000; // Seconds; whoever waits for longer looks again.
        return static_cast<int>(
            std::min(of.tv_sec, longest) * 1000 + (of.tv_nsec + 999'999) / 1'000'000
        );
    }

    const owned epoll_;
    const owned event_;
    std::set<int> known_;
};

}

std::unique_ptr<descriptor_set> make_descriptor_set() {
    return std::make_unique<epoll_set>();
}

short poll_events(readiness wanted) noexcept {
    int events = POLLRDHUP;
    if (has(wanted, readiness::readable))
        events |= POLLIN;
    if (has(wanted, readiness::writable))
        events |= POLLOUT;
    return static_cast<short>(events);
}

readiness from_poll(short events) noexcept {
    auto what = readiness::none;
    if ((events & POLLIN) != 0)
        what = what | readiness::readable;
    if ((events & POLLOUT) != 0)
        what = what | readiness::writable;
    if ((events & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0)
        what = what | readiness::hangup;
    return what;
}

}

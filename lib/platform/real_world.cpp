// SPDX-License-Identifier: Apache-2.0
#include "platform/agents.hpp"
#include "platform/descriptors.hpp"
#include "platform/resolver.hpp"

#include <hadr/world.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <system_error>

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace hadr::inline v0 {

namespace {

constexpr std::size_t file_max = 1U << 20U;

/// Whether a thread has run its body. Waited for before the join, which then takes no time: no
/// join with a deadline on the monotonic clock is known to the thread sanitizer.
class life {
public:
    void end() {
        const std::lock_guard guard(mutex_);
        over_ = true;
        changed_.notify_all();
    }

    bool over_by(time_point until) {
        std::unique_lock lock(mutex_);
        if (until == time_point::max())
            changed_.wait(lock, [this] { return over_; });
        else
            changed_.wait_until(lock, std::max(until, time_point()), [this] { return over_; });
        return over_;
    }

private:
    std::mutex mutex_; // Guards over_.
    std::condition_variable changed_;
    bool over_ = false;
};

class thread final : public started {
public:
    thread(pthread_t of, std::shared_ptr<life> own) noexcept : of_(of), own_(std::move(own)) {}

    thread(const thread&) = delete;

    ~thread() override {
        if (!joined_)
            pthread_detach(of_);
    }

    bool join(time_point until) override {
        joined_ = joined_ || (own_->over_by(until) && pthread_join(of_, nullptr) == 0);
        return joined_;
    }

private:
    const pthread_t of_;
    const std::shared_ptr<life> own_;
    bool joined_ = false;
};

struct beginning {
    std::string name;
    std::function<void()> body;
    std::shared_ptr<life> present = std::make_shared<life>();
};

void* run_thread(void* given) {
    const std::unique_ptr<beginning> own(static_cast<beginning*>(given));
    pthread_setname_np(pthread_self(), own->name.c_str());
    own->body();
    own->body = nullptr; // What it owns has ended too once the thread is said to be over.
    own->present->end();
    return nullptr;
}

/// A file descriptor that is closed at the end.
class file {
public:
    explicit file(int descriptor) noexcept : descriptor_(descriptor) {}

    file(const file&) = delete;

    ~file() {
        if (descriptor_ >= 0)
            close(descriptor_);
    }

    int get() const noexcept { return descriptor_; }

private:
    const int descriptor_;
};

failure file_failure(const std::string& path, const char* what) {
    const int cause = errno;
    auto why = make_failure(
        errc::configuration_invalid,
        advice::give_up,
        fmt::format("{} {}: {}", what, path, std::generic_category().message(cause))
    );
    why.native = cause;
    return why;
}

bool write_all(int descriptor, std::string_view bytes) noexcept {
    while (!bytes.empty()) {
        const auto written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0)
            bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

/// A word that the kernel wipes in the child of a fork, or that a hook wipes where it cannot.
std::atomic<std::uint32_t>& fork_word() {
    static auto* const word = [] {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        void* const memory =
            mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        const bool wiped = memory != MAP_FAILED && madvise(memory, page, MADV_WIPEONFORK) == 0;
        static std::atomic<std::uint32_t> fallback{1};
        if (wiped)
            return new (memory) std::atomic<std::uint32_t>(1);
        pthread_atfork(nullptr, nullptr, [] { fallback.store(0); });
        return &fallback;
    }();
    return *word;
}

using clock_reader = int (*)(clockid_t, timespec*);

/// What the C library's clock_gettime() calls, without the way there, which a hand-out notices.
clock_reader kernels_clock() noexcept {
    void* const page = dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD);
    void* const found = page != nullptr ? dlsym(page, "__vdso_clock_gettime") : nullptr;
    return found != nullptr ? reinterpret_cast<clock_reader>(found) : &clock_gettime;
}

class process_world final : public world {
public:
    time_point now() const noexcept override { return std::chrono::steady_clock::now(); }

    time_point coarse_now() const noexcept override {
        timespec value{};
        read_clock_(CLOCK_MONOTONIC_COARSE, &value);
        return time_point(
            std::chrono::seconds(value.tv_sec) + std::chrono::nanoseconds(value.tv_nsec)
        );
    }

    agent* self() noexcept override { return platform::current_agent(); }

    glance look() noexcept override { return {coarse_now(), platform::current_agent()->place()}; }
    void settle(std::size_t place) noexcept override { platform::current_agent()->settle(place); }

    void park(agent* own, time_point until) noexcept override { own->park(until); }
    void unpark(agent* other) noexcept override { other->unpark(); }

    readiness wait(int descriptor, readiness wanted, time_point until) noexcept override {
        pollfd one{descriptor, platform::poll_events(wanted), 0};
        for (;;) {
            timespec left{};
            const int count = ppoll(&one, 1, platform::remaining(until, left), nullptr);
            if (count > 0)
                return platform::from_poll(one.revents);
            if (count == 0 || errno != EINTR)
                return readiness::none;
        }
    }

    // The kernel says what is left of the time; the C library's function would hide it.
    bool wait_for(int descriptor, readiness wanted, duration& left) noexcept override {
        const bool read = wanted == readiness::readable; // Nearly always.
        pollfd one{descriptor, read ? short{POLLIN | POLLRDHUP} : platform::poll_events(wanted), 0};
        auto rest = platform::length(left);
        const auto count = syscall(SYS_ppoll, &one, 1, &rest, nullptr, 0);
        left = std::chrono::seconds(rest.tv_sec) + std::chrono::nanoseconds(rest.tv_nsec);
        return count != 0;
    }

    std::unique_ptr<descriptor_set> descriptors() override {
        return platform::make_descriptor_set();
    }

    expected<std::unique_ptr<started>>
    spawn(std::string_view name, std::function<void()> body) override {
        auto own = std::make_unique<beginning>(beginning{
            std::string(name.substr(0, 15)), std::move(body)});
        auto present = own->present;
        // Signals are the application's affair, not our threads'.
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        pthread_t made{};
        const int error = pthread_create(&made, nullptr, run_thread, own.get());
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        if (error != 0) {
            auto why = make_failure(
                errc::unreachable,
                advice::retry,
                fmt::format("no thread to be had: {}", std::generic_category().message(error))
            );
            why.native = local_cause;
            return why;
        }
        static_cast<void>(own.release());
        return std::unique_ptr<started>(std::make_unique<thread>(made, std::move(present)));
    }

    void resolve(std::string host, time_point until, std::function<void(addresses)> completion)
        override {
        resolver_.resolve(std::move(host), until, std::move(completion));
    }

    std::uint64_t random() noexcept override {
        thread_local std::uint64_t state = [] {
            std::uint64_t seed = 0;
            if (getrandom(&seed, sizeof seed, 0) != static_cast<ssize_t>(sizeof seed))
                seed = static_cast<std::uint64_t>(
                    std::chrono::steady_clock::now().time_since_epoch().count()
                );
            return seed;
        }();
        // SplitMix64: chance for jitter only, never for a secret.
        state += 0x9E37'79B9'7F4A'7C15ULL;
        auto mixed = (state ^ (state >> 30U)) * 0xBF58'476D'1CE4'E5B9ULL;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94D0'49BB'1331'11EBULL;
        return mixed ^ (mixed >> 31U);
    }

    expected<std::string> load(const std::string& path) override;
    expected<void> save(const std::string& path, std::string_view bytes) override;

    expected<std::string> environment(const std::string& name) override {
        // As libpq reads it, in privileged programs too, or what libpq finds there goes unseen.
        // NOLINTNEXTLINE(concurrency-mt-unsafe): reading is safe as long as nobody sets.
        const char* const value = getenv(name.c_str());
        if (value == nullptr)
            return make_failure(
                errc::configuration_invalid,
                advice::give_up,
                fmt::format("environment variable {} is not set", name)
            );
        return std::string(value);
    }

    std::string process_name() const override {
        return fmt::format("{}:{}", program_invocation_short_name, getpid());
    }

    const std::atomic<std::uint32_t>& alive() const noexcept override { return alive_; }

private:
    const std::atomic<std::uint32_t>& alive_ = fork_word();
    const clock_reader read_clock_ = kernels_clock();
    platform::resolver resolver_;
};

expected<std::string> process_world::load(const std::string& path) {
    const file from(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (from.get() < 0)
        return file_failure(path, "cannot open");
    std::string bytes;
    bytes.resize(file_max + 1);
    std::size_t size = 0;
    while (size < bytes.size()) {
        const auto got = ::read(from.get(), bytes.data() + size, bytes.size() - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return file_failure(path, "cannot read");
        if (got == 0)
            break;
        size += static_cast<std::size_t>(got);
    }
    if (size > file_max)
        return make_failure(
            errc::configuration_invalid,
            advice::give_up,
            fmt::format("{} is larger than {} bytes", path, file_max)
        );
    bytes.resize(size);
    return bytes;
}

expected<void> process_world::save(const std::string& path, std::string_view bytes) {
    const auto beside = path + ".new";
    {
        const file to(open(
            beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR
        ));
        if (to.get() < 0)
            return file_failure(beside, "cannot create");
        if (!write_all(to.get(), bytes) || fsync(to.get()) != 0)
            return file_failure(beside, "cannot write");
    }
    if (rename(beside.c_str(), path.c_str()) != 0)
        return file_failure(path, "cannot replace");
    const auto slash = path.find_last_of('/');
    const auto folder = slash == std::string::npos ? std::string(".") : path.substr(0, slash + 1);
    const file above(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (above.get() >= 0)
        fsync(above.get());
    return {};
}

}

std::shared_ptr<world> real_world() {
    // Never destroyed: a stuck thread may still need it while the process ends.
    static auto* const held = new std::shared_ptr<world>(std::make_shared<process_world>());
    return *held;
}

}

// SPDX-License-Identifier: Apache-2.0
#include "testing/stage.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>

namespace hadr::inline v0::testing {

namespace {

class descriptors_watched;

/// A descriptor of this world alone.
struct fake_descriptor {
    bool open = false;
    readiness is = readiness::none;
    readiness wanted = readiness::none; ///< By the agent that waits for it alone.
    std::uint64_t waiting = 0;          ///< That agent's serial number, or 0.
    descriptors_watched* watched_by = nullptr;
};

bool matches(readiness is, readiness wanted) noexcept {
    return (static_cast<unsigned>(is) &
            (static_cast<unsigned>(wanted) | static_cast<unsigned>(readiness::hangup))) != 0;
}

// An agent is known to the library by its serial number, so that no decision hangs on an address.
constexpr unsigned serial_shift = 6;

agent* handle(std::uint64_t serial) noexcept {
    return reinterpret_cast<agent*>(static_cast<std::uintptr_t>(serial) << serial_shift);
}

std::uint64_t serial_of(agent* one) noexcept {
    return reinterpret_cast<std::uintptr_t>(one) >> serial_shift;
}

}

struct manual_world::impl {
    explicit impl(std::uint64_t seed) : on(seed) {}

    std::vector<std::shared_ptr<void>> kept;
    stage on;
    std::vector<fake_descriptor> descriptors;
    std::map<std::string, name_script> names;
    std::map<std::string, std::string> files;
    disk_script disk;
    std::map<std::string, std::string> variables;
    bool agents_allowed = true;
    std::atomic<std::uint32_t> alive{1};
};

namespace {

class started_fiber final : public started {
public:
    started_fiber(manual_world& in, stage& on, std::uint64_t serial)
        : world_(in)
        , on_(on)
        , serial_(serial) {}

    bool join(time_point until) override {
        auto* const self = world_.self();
        while (auto* const one = on_.find(serial_)) {
            if (one->ended)
                return true;
            if (world_.now() >= until)
                return false;
            one->joining.push_back(serial_of(self));
            world_.park(self, until);
            if (auto* const still = on_.find(serial_))
                std::erase(still->joining, serial_of(self));
        }
        return true;
    }

private:
    manual_world& world_;
    stage& on_;
    const std::uint64_t serial_;
};

class descriptors_watched final : public descriptor_set {
public:
    descriptors_watched(stage& on, std::vector<fake_descriptor>& all) : on_(on), all_(all) {}

    ~descriptors_watched() override {
        for (auto& one : all_)
            if (one.watched_by == this)
                one.watched_by = nullptr;
    }

    void watch(int descriptor, readiness wanted, std::uint64_t token) override {
        forget(descriptor);
        watched_.push_back({descriptor, wanted, token});
        all_[static_cast<std::size_t>(descriptor)].watched_by = this;
    }

    void forget(int descriptor) noexcept override {
        std::erase_if(watched_, [&](const auto& one) { return one.descriptor == descriptor; });
        auto& there = all_[static_cast<std::size_t>(descriptor)];
        if (there.watched_by == this)
            there.watched_by = nullptr;
    }

    std::size_t wait(std::span<event> into, time_point until) override {
        auto& self = on_.current();
        for (;;) {
            const auto count = collect(into);
            if (count != 0 || self.token || on_.now >= until) {
                self.token = false;
                return count;
            }
            waiting_ = self.serial;
            on_.wait(until, true);
            waiting_ = 0;
        }
    }

    void changed() noexcept {
        if (waiting_ != 0)
            on_.wake(waiting_);
    }

private:
    struct watched {
        int descriptor;
        readiness wanted;
        std::uint64_t token;
    };

    std::size_t collect(std::span<event> into) const {
        std::size_t count = 0;
        for (const auto& one : watched_) {
            const auto is = all_[static_cast<std::size_t>(one.descriptor)].is;
            if (count < into.size() && matches(is, one.wanted))
                into[count++] = {one.token, is};
        }
        return count;
    }

    stage& on_;
    std::vector<fake_descriptor>& all_;
    std::vector<watched> watched_;
    std::uint64_t waiting_ = 0;
};

}

manual_world::manual_world(std::uint64_t seed) : impl_(std::make_unique<impl>(seed)) {}

manual_world::~manual_world() {
    // Its agents may still be ending; one that waits for ever cannot be unwound through the
    // library's code.
    for (int i = 0; i < 10'000 && agents() != 0; ++i)
        if (!impl_->on.step(now() + std::chrono::minutes(1)))
            break;
    if (agents() != 0)
        static_cast<void>(impl_.release());
}

void manual_world::set_order(order how) noexcept {
    impl_->on.order = how;
}

manual_world::tally manual_world::counted() const noexcept {
    return impl_->on.counted;
}

void manual_world::note(std::uint64_t what) noexcept {
    impl_->on.note(what);
}

void manual_world::start(std::string name, std::function<void()> body) {
    impl_->on.begin(std::move(name), std::move(body));
}

void manual_world::preempt(duration length) noexcept {
    auto& on = impl_->on;
    if (on.current().runs)
        on.wait(on.now + length, false);
}

void manual_world::advance(duration by) {
    auto& on = impl_->on;
    const auto until = on.now + by;
    while (on.now < until)
        if (!on.step(until))
            on.now = until;
    // What became runnable at that very moment runs too.
    while (on.step(until)) {
    }
}

time_point manual_world::due() const noexcept {
    return impl_->on.due();
}

void manual_world::later(duration after, std::function<void()> what) {
    impl_->on.later(now() + after, std::move(what));
}

void manual_world::keep(std::shared_ptr<void> what) {
    impl_->kept.push_back(std::move(what));
}

bool manual_world::eventually(const std::function<bool()>& what, duration within) {
    const auto until = now() + within;
    while (!what())
        if (!impl_->on.step(until))
            return what();
    return true;
}

void manual_world::pause(duration length) {
    impl_->on.pause(length);
}

int manual_world::open_descriptor() {
    auto& all = impl_->descriptors;
    const auto found = std::find_if(all.begin(), all.end(), [](const auto& one) {
        return !one.open && one.watched_by == nullptr;
    });
    const auto place = found - all.begin();
    if (found == all.end())
        all.emplace_back();
    all[static_cast<std::size_t>(place)] = {.open = true};
    return static_cast<int>(place);
}

void manual_world::close_descriptor(int which) noexcept {
    impl_->descriptors[static_cast<std::size_t>(which)].open = false;
    set_ready(which, readiness::none);
}

void manual_world::set_ready(int which, readiness what) noexcept {
    auto& one = impl_->descriptors[static_cast<std::size_t>(which)];
    one.is = what;
    if (what == readiness::none)
        return;
    if (one.waiting != 0 && matches(what, one.wanted))
        impl_->on.wake(one.waiting);
    if (one.watched_by != nullptr)
        one.watched_by->changed();
}

void manual_world::set_name(const std::string& host, name_script how) {
    impl_->names[host] = std::move(how);
}

void manual_world::set_file(const std::string& path, std::string bytes) {
    impl_->files[path] = std::move(bytes);
}

std::string manual_world::file(const std::string& path) const {
    const auto found = impl_->files.find(path);
    return found == impl_->files.end() ? std::string() : found->second;
}

void manual_world::set_environment(const std::string& name, std::string value) {
    impl_->variables[name] = std::move(value);
}

void manual_world::allow_agents(bool allowed) noexcept {
    impl_->agents_allowed = allowed;
}

void manual_world::fork_child() noexcept {
    impl_->alive.store(0);
}

bool manual_world::parked(agent* one) const noexcept {
    const auto* const who = impl_->on.find(serial_of(one));
    return who != nullptr && who->parked && who->attentive && !who->token;
}

std::size_t manual_world::agents() const noexcept {
    return impl_->on.agents();
}

time_point manual_world::now() const noexcept {
    return impl_->on.now;
}

agent* manual_world::self() noexcept {
    return handle(impl_->on.current().serial);
}

world::glance manual_world::look() noexcept {
    return {coarse_now(), serial_of(self())};
}

void manual_world::park(agent* self, time_point until) noexcept {
    auto& on = impl_->on;
    if (std::current_exception())
        bug_in_world("an agent waits inside an exception handler");
    if (serial_of(self) != on.current().serial)
        bug_in_world("an agent parks another one");
    auto& own = on.current();
    if (!own.token)
        on.wait(until, true);
    own.token = false;
}

void manual_world::unpark(agent* other) noexcept {
    impl_->on.unpark(serial_of(other));
}

readiness manual_world::wait(int descriptor, readiness wanted, time_point until) noexcept {
    auto& on = impl_->on;
    if (std::current_exception())
        bug_in_world("an agent waits inside an exception handler");
    const auto place = static_cast<std::size_t>(descriptor);
    for (;;) {
        auto& one = impl_->descriptors[place];
        if (matches(one.is, wanted))
            return one.is;
        if (on.now >= until)
            return readiness::none;
        one.waiting = on.current().serial;
        one.wanted = wanted;
        on.wait(until, false);
        impl_->descriptors[place].waiting = 0;
    }
}

std::unique_ptr<descriptor_set> manual_world::descriptors() {
    return std::make_unique<descriptors_watched>(impl_->on, impl_->descriptors);
}

expected<std::unique_ptr<started>>
manual_world::spawn(std::string_view name, std::function<void()> body) {
    if (!impl_->agents_allowed) {
        auto why = make_failure(errc::unreachable, advice::retry, "no thread to be had");
        why.native = local_cause;
        return why;
    }
    const auto serial = impl_->on.begin(std::string(name), std::move(body)).serial;
    return std::unique_ptr<started>(std::make_unique<started_fiber>(*this, impl_->on, serial));
}

void manual_world::resolve(
    std::string host, time_point until, std::function<void(addresses)> completion
) {
    const bool numeric = host.find_first_not_of("0123456789.") == std::string::npos ||
                         host.find(':') != std::string::npos;
    if (numeric) {
        completion(std::vector<std::string>{std::move(host)});
        return;
    }
    const auto found = impl_->names.find(host);
    const auto how = found == impl_->names.end() ? name_script{} : found->second;
    const auto answer_at = std::min(now() + how.after, until);
    const bool in_time = now() + how.after <= until && found != impl_->names.end();
    addresses made = how.addresses;
    if (!in_time) {
        auto why = make_failure(errc::unreachable, advice::retry, host + " does not resolve");
        why.native = local_cause;
        made = std::move(why);
    }
    later(answer_at - now(), [completion = std::move(completion), made = std::move(made)] {
        completion(made);
    });
}

std::uint64_t manual_world::random() noexcept {
    return impl_->on.chance();
}

void manual_world::set_disk(disk_script how) noexcept {
    impl_->disk = how;
}

expected<std::string> manual_world::load(const std::string& path) {
    const auto found = impl_->files.find(path);
    if (found != impl_->files.end() && !impl_->disk.broken)
        return found->second;
    auto why = make_failure(errc::configuration_invalid, advice::give_up, "cannot open " + path);
    why.native = impl_->disk.broken ? EIO : ENOENT;
    return why;
}

expected<void> manual_world::save(const std::string& path, std::string_view bytes) {
    const auto begun = now();
    const auto how = impl_->disk;
    while (now() < begun + how.save_time)
        park(self(), begun + how.save_time);
    if (how.broken)
        return make_failure(errc::configuration_invalid, advice::give_up, "cannot write " + path);
    impl_->files[path] = bytes;
    return {};
}

expected<std::string> manual_world::environment(const std::string& name) {
    const auto found = impl_->variables.find(name);
    if (found == impl_->variables.end())
        return make_failure(errc::configuration_invalid, advice::give_up, name + " is not set");
    return found->second;
}

const std::atomic<std::uint32_t>& manual_world::alive() const noexcept {
    return impl_->alive;
}

}

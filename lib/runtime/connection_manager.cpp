// SPDX-License-Identifier: Apache-2.0
#include "core/connection_string.hpp"
#include "core/policy.hpp"
#include "runtime/hand_out.hpp"

#include <hadr/adapters.hpp>
#include <hadr/connection_manager.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <system_error>

namespace hadr::inline v0 {

struct connection_manager::impl {
    std::shared_ptr<runtime::store> of;
    open_options options;
};

namespace {

expected<std::shared_ptr<driver>>
find_driver(const std::vector<std::shared_ptr<driver>>& all, std::string_view name) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return one->name() == name; });
    if (found != all.end())
        return *found;
    return make_failure(
        errc::configuration_invalid,
        advice::give_up,
        fmt::format(
            "Driver={0} is not among the drivers given: link hadr::{0} and pass "
            "hadr::{0}::make_driver() in "
            "open_options::drivers",
            name
        )
    );
}

/// Everything that a connection string decides, checked.
struct chosen {
    std::shared_ptr<const store_specification> spec;
    std::shared_ptr<driver> through;
    std::shared_ptr<const ha_adapter> by;
    std::vector<std::string> warnings;
};

expected<chosen>
choose(std::string_view connection_string, const open_options& options, const world& in) {
    auto spec = parse(connection_string);
    if (!spec)
        return spec.error();
    if (auto why = core::unusable_secret(*spec, options.password != nullptr))
        return *std::move(why);
    auto warnings = core::check_policy(*spec);
    if (!warnings)
        return warnings.error();
    auto through = find_driver(options.drivers, spec->driver);
    if (!through)
        return through.error();
    auto with = std::make_shared<profile>(*spec->with);
    if (with->application_name.empty())
        with->application_name =
            fmt::format("hadr {} {}", in.process_name(), spec->name).substr(0, 63);
    if (options.password)
        with->password_asked = options.password;
    spec->with = with;
    if (spec->witness) {
        auto theirs = std::make_shared<profile>(*spec->witness->with);
        theirs->application_name = with->application_name;
        spec->witness->with = theirs;
    }
    auto by = options.adapter ? expected<std::shared_ptr<const ha_adapter>>(options.adapter)
                              : make_adapter(*spec);
    if (!by)
        return by.error();
    return chosen{
        std::make_shared<const store_specification>(std::move(*spec)),
        std::move(*through),
        std::move(*by),
        std::move(*warnings)};
}

}

/// Kept for good, where a leak check finds it.
struct connection_manager::unfinished {
    std::shared_ptr<impl> of;
    unfinished* next = nullptr;
};

connection_manager::connection_manager(std::shared_ptr<impl> state) : impl_(std::move(state)) {}

connection_manager::~connection_manager() {
    if (impl_->of->through().alive().load() != 0) {
        auto& of = *impl_->of;
        const auto until = of.through().now() + of.current()->spec->close_timeout;
        of.close(deadline::at(until));
        of.silence(until);
        return;
    }
    // P10: in the child of a fork nothing may tell a server anything, so nothing is destroyed.
    static std::atomic<unfinished*> all{nullptr};
    auto* const one = new unfinished{std::move(impl_), all.load()};
    while (!all.compare_exchange_weak(one->next, one)) {
    }
}

expected<lease> connection_manager::acquire(const request& wanted) {
    return impl_->of->acquire(wanted);
}

commit_result connection_manager::transact(
    const transaction_options& how, const std::function<expected<void>(lease&)>& work
) {
    return impl_->of->transact(how, work);
}

std::shared_ptr<const topology> connection_manager::view() const {
    return impl_->of->current()->view;
}

std::shared_ptr<void> connection_manager::subscribe(listener to) {
    auto made = impl_->of->subscribe(std::move(to));
    return {made.get(), [of = impl_->of, made](void*) { of->unsubscribe(made); }};
}

metrics connection_manager::counters() const {
    return impl_->of->counted();
}

explanation connection_manager::explain(hadr::intent wanted) const {
    return impl_->of->explain(wanted);
}

expected<operation_plan> connection_manager::plan(const operation& wanted) const {
    return impl_->of->consider(wanted);
}

expected<void> connection_manager::execute(const operation_plan& what, deadline until) {
    return impl_->of->operate(what, until);
}

expected<void> connection_manager::offline(const endpoint& which) {
    return impl_->of->rule(which, ruled::verdict::offline);
}

expected<void> connection_manager::online(const endpoint& which) {
    return impl_->of->rule(which, ruled::verdict::online);
}

expected<void> connection_manager::accept_lineage(const endpoint& which) {
    return impl_->of->rule(which, ruled::verdict::accept_lineage);
}

expected<void> connection_manager::reconfigure(std::string_view connection_string) {
    auto made = choose(connection_string, impl_->options, impl_->of->through());
    if (!made)
        return made.error();
    return impl_->of->reconfigure(made->spec, made->by, made->through);
}

expected<void> connection_manager::drain(deadline until) {
    return impl_->of->drain(until);
}

std::size_t connection_manager::close(deadline until) {
    return impl_->of->close(until);
}

store_specification connection_manager::specification() const {
    return *impl_->of->current()->spec;
}

namespace {

/// Descriptors may have run out (F48).
expected<std::shared_ptr<runtime_handle>> enter_runtime(const std::shared_ptr<world>& in) {
    std::string why;
    try {
        return enter_shared_runtime(in);
    } catch (const std::system_error& error) {
        why = error.what();
    }
    auto made = make_failure(errc::unreachable, advice::retry, "the store cannot be begun: " + why);
    made.native = local_cause;
    return made;
}

}

struct manager_access {
    static expected<std::unique_ptr<connection_manager>>
    open(std::string_view connection_string, open_options options) {
        const auto in = options.world ? options.world : real_world();
        if (in->alive().load() == 0)
            return runtime::in_a_child();
        auto made = choose(connection_string, options, *in);
        if (!made)
            return made.error();
        const bool own = options.runtime != nullptr;
        auto where =
            own ? expected<std::shared_ptr<runtime_handle>>(options.runtime) : enter_runtime(in);
        if (!where)
            return where.error();
        auto of = std::make_shared<runtime::store>(runtime::store::parts{
            *std::move(where),
            !own,
            made->through,
            made->by,
            made->spec,
            options.on_event,
            options.log});
        of->warn(made->warnings);
        if (const auto begun = of->begin(); !begun) {
            of->close({});
            return begun.error();
        }
        auto state = std::make_shared<connection_manager::impl>(connection_manager::impl{
            std::move(of), std::move(options)});
        return std::unique_ptr<connection_manager>(new connection_manager(std::move(state)));
    }
};

expected<std::unique_ptr<connection_manager>>
open(std::string_view connection_string, open_options options) {
    return manager_access::open(connection_string, std::move(options));
}

}

// SPDX-License-Identifier: Apache-2.0
#include "runtime/blocking.hpp"

#include "core/mark.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace hadr::inline v0 {

namespace {

struct ending final : completion {
    std::optional<expected<void>> how;

    void completed(expected<void> ended) noexcept override { how = std::move(ended); }
};

}

bool world::wait_for(int descriptor, readiness wanted, duration& left) noexcept {
    const auto begun = now();
    const auto how = wait(descriptor, wanted, deadline::in(left).resolve(begun, {}));
    left -= std::min(now() - begun, left);
    return how != readiness::none;
}

expected<void> session::run(const statement& what, answer& into, patience& with) {
    ending end;
    start(what, into, end);
    advance();
    while (!end.how) {
        const bool over = !with.wait(waits_for());
        if (over)
            sever();
        advance();
        if (over && !end.how)
            return make_failure(errc::outcome_unknown, advice::verify, {});
    }
    return *std::move(end.how);
}

namespace runtime {

bool attention::wait_on(waiting what) noexcept {
    const auto now = through_.now();
    if (is_ == stage::fresh) {
        begun_ = now - spent_;
        end_ = until_.resolve(begun_, otherwise_);
        is_ = stage::dated;
    }
    if ((waited_ || spent_ != duration::zero()) && now >= end_) {
        is_ = stage::over;
        return false;
    }
    waited_ = true;
    if (slow_.call != nullptr && now >= begun_ + suspicion_age) {
        core::mark<"statement older than suspicion">();
        std::exchange(slow_.call, nullptr)(slow_.self);
    }
    const auto look = slow_.call == nullptr ? end_ : std::min(end_, begun_ + suspicion_age);
    if (what.descriptor >= 0)
        through_.wait(what.descriptor, what.wanted, look);
    else
        through_.park(through_.self(), look);
    return true;
}

expected<void> late(const expected<void>& how) {
    core::mark<"deadline passed during a statement">();
    if (how)
        return how;
    auto why = how.error();
    why.message = why.message.empty() ? "no answer by the deadline"
                                      : "no answer by the deadline; " + why.message;
    return why;
}

}

}

// SPDX-License-Identifier: Apache-2.0
#include "runtime/blocking.hpp"

#include "core/mark.hpp"

#include <algorithm>
#include <optional>

namespace hadr::inline v0::runtime {

namespace {

struct ending final : completion {
    std::optional<expected<void>> how;

    void completed(expected<void> ended) noexcept override { how = std::move(ended); }
};

void wait_for(world& through, const session& on, time_point until) {
    const auto wanted = on.waits_for();
    if (wanted.descriptor >= 0)
        through.wait(wanted.descriptor, wanted.wanted, until);
    else
        through.park(through.self(), until);
}

}

expected<void> run_blocking(world& through, session& on, const blocking_call& made, answer& into) {
    ending end;
    on.start(made.what, into, end);
    on.advance();
    if (end.how)
        return *std::move(end.how);
    const auto begun = through.now();
    const auto until = made.until.resolve(begun, made.otherwise);
    bool told = made.slow.call == nullptr;
    for (;;) {
        wait_for(through, on, told ? until : std::min(until, begun + suspicion_age));
        on.advance();
        if (end.how)
            return *std::move(end.how);
        const auto now = through.now();
        if (now >= until)
            break;
        if (!told && now >= begun + suspicion_age) {
            core::mark<"statement older than suspicion">();
            told = true;
            made.slow.call(made.slow.self, made.slow.member);
        }
    }
    core::mark<"deadline passed during a statement">();
    on.sever();
    on.advance();
    auto how =
        end.how ? *std::move(end.how) : make_failure(errc::outcome_unknown, advice::verify, {});
    if (how)
        return how;
    auto why = how.error();
    why.message = why.message.empty() ? "no answer by the deadline"
                                      : "no answer by the deadline; " + why.message;
    return why;
}

}

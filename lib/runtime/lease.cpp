// SPDX-License-Identifier: Apache-2.0
#include "runtime/hand_out.hpp"

#include <hadr/lease.hpp>

#include <utility>

namespace hadr::inline v0 {

namespace {

failure no_session() {
    return make_failure(errc::closed, advice::give_up, "the lease holds no session");
}

[[gnu::noinline]] expected<void> executed_nowhere() {
    return no_session();
}

const endpoint nowhere{};

}

lease& lease::operator=(lease&& from) noexcept {
    if (this != &from) {
        release();
        slot_ = std::exchange(from.slot_, nullptr);
    }
    return *this;
}

void lease::release() noexcept {
    if (auto* const held = std::exchange(slot_, nullptr))
        held->home->of.give_back(*held);
}

expected<answer>
lease::execute(std::string_view text, std::span<const parameter> with, deadline until) {
    answer into;
    auto how = execute(statement{text, with}, into, until);
    if (!how)
        return how.error();
    return into;
}

expected<void> lease::execute(const statement& what, answer& into, deadline until) {
    return slot_ != nullptr ? runtime::store::execute(*slot_, what, into, until)
                            : executed_nowhere();
}

commit_result lease::commit(deadline until) {
    if (slot_ == nullptr)
        return {outcome::not_committed, no_session()};
    return slot_->home->of.commit(*slot_, until);
}

void lease::sever() noexcept {
    if (slot_ != nullptr)
        slot_->home->of.sever_held(*slot_);
}

expected<void> lease::request_cancel(deadline until) {
    return slot_ != nullptr ? slot_->home->of.request_cancel(*slot_, until)
                            : expected<void>(no_session());
}

const endpoint& lease::server() const noexcept {
    return slot_ != nullptr ? slot_->home->at : nowhere;
}

std::size_t lease::member() const noexcept {
    return slot_ != nullptr ? slot_->home->member : 0;
}

std::uint64_t lease::acceptance() const noexcept {
    return slot_ != nullptr ? slot_->acceptance.load() : 0;
}

std::uint64_t lease::generation() const noexcept {
    return slot_ != nullptr ? slot_->generation : 0;
}

bool lease::current() const noexcept {
    return slot_ != nullptr && !slot_->broken && !slot_->hung_up.load() && slot_->wire->usable() &&
           slot_->home->of.current_stamp(*slot_);
}

std::optional<time_point> lease::as_of() const {
    return slot_ != nullptr ? slot_->home->of.current()->view->as_of : std::nullopt;
}

transaction_status lease::transaction() const noexcept {
    return slot_ != nullptr ? slot_->wire->transaction() : transaction_status::unknown;
}

std::string_view lease::driver() const noexcept {
    return slot_ != nullptr ? slot_->through->name() : std::string_view{};
}

void* lease::native() noexcept {
    if (slot_ == nullptr || slot_->home->of.through().alive().load() == 0)
        return nullptr;
    slot_->dirty = true;
    slot_->native_in = slot_->lending();
    return slot_->wire->native();
}

}

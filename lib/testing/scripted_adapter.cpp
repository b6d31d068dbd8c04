// SPDX-License-Identifier: Apache-2.0
#include <hadr/testing/scripted_adapter.hpp>

namespace hadr::inline v0::testing {

namespace {

constexpr duration ask_limit = std::chrono::seconds(1);

}

struct scripted_adapter::impl {
    topology view;
    record seen;
};

scripted_adapter::scripted_adapter(topology view)
    : impl_(std::make_unique<impl>(impl{std::move(view), {}})) {}

scripted_adapter::~scripted_adapter() = default;

void scripted_adapter::set_view(topology view) {
    impl_->view = std::move(view);
}

const topology& scripted_adapter::view() const noexcept {
    return impl_->view;
}

const scripted_adapter::record& scripted_adapter::recorded() const noexcept {
    return impl_->seen;
}

belief scripted_adapter::begin() const {
    return {impl_->view, nullptr};
}

plan scripted_adapter::next(const belief& known, time_point now) const {
    ++impl_->seen.plans;
    plan made{{}, now + ask_every};
    for (std::size_t i = 0; i < known.is.members.size(); ++i)
        made.ask.push_back(
            {{subject::kind::member, i},
             std::string(proof()),
             {},
             std::max(now, known.is.members[i].seen + ask_every),
             ask_limit}
        );
    return made;
}

belief scripted_adapter::apply(
    const belief& known, const event_seen& event, time_point /*now*/
) const {
    impl_->seen.events.push_back(event);
    belief made{impl_->view, nullptr};
    made.is.version = known.is.version;
    made.is.level = known.is.level;
    for (std::size_t i = 0; i < made.is.members.size() && i < known.is.members.size(); ++i)
        made.is.members[i].seen = known.is.members[i].seen;
    const auto* const heard = std::get_if<answered>(&event);
    if (heard != nullptr && heard->of.what == subject::kind::member &&
        heard->of.index < made.is.members.size())
        made.is.members[heard->of.index].seen = heard->asked;
    return made;
}

std::string_view scripted_adapter::proof() const noexcept {
    return "SELECT pg_is_in_recovery()";
}

session_standing
scripted_adapter::judge(const belief& known, std::size_t member, const answer& proof) const {
    impl_->seen.judged.push_back(member);
    if (judges)
        return judges(member, proof);
    const auto& one = known.is.members[member];
    const bool writes = known.is.writer == member;
    session_standing made;
    made.may_write = writes;
    made.may_read = writes || (one.plays == role::standby && !one.refused && !one.offline);
    made.reign = known.is.accepted;
    if (!made.may_read)
        made.refused = make_failure(errc::wrong_role, advice::retry, "the script gives it no role");
    return made;
}

epoch_order scripted_adapter::compare(const epoch& a, const epoch& b) const noexcept {
    if (a.lineage != b.lineage)
        return epoch_order::foreign;
    if (!a.term || !b.term)
        return epoch_order::unordered;
    return *a.term == *b.term  ? epoch_order::same
           : *a.term < *b.term ? epoch_order::older
                               : epoch_order::newer;
}

expected<operation_plan> scripted_adapter::consider(
    const belief& /*known*/, const operation& wanted, time_point /*now*/
) const {
    impl_->seen.considered.push_back(wanted.what);
    return make_failure(
        errc::configuration_invalid, advice::give_up, "a scripted mode carries nothing out"
    );
}

}

// SPDX-License-Identifier: Apache-2.0
#include "runtime/store.hpp"

// Sessions that wait on a standby for its promotion (rulings 6). Where the standby refuses its
// database they wait in another, and proof() moves them.
namespace hadr::inline v0::runtime {

target store::target_of(const server_pool& pool, session_use use) const {
    const bool waits = use == session_use::warm;
    return {
        pool.at,
        {},
        pool.with,
        waits ? purpose::warm : purpose::lend,
        waits ? std::string(adapter_->waits_in().database) : std::string()};
}

reactor::asked store::proof_of(const slot& which, time_point until) const {
    const auto room = adapter_->waits_in();
    const bool waits = which.use == session_use::warm && routed_ != which.home->member;
    // Planned while the session waits for its promotion; what moves a session cannot be.
    const bool kept = spec_->proxy.empty() && room.database.empty();
    return {
        std::string(waits && !room.proof.empty() ? room.proof : adapter_->proof()),
        statement_kind::text,
        until,
        kept ? preparation::kept : preparation::none};
}

bool store::stays(const slot& which, const session_standing& by) const noexcept {
    const bool fit = by.may_read || (by.may_wait && which.use == session_use::warm);
    return fit && which.use != session_use::write && routed_ != which.home->member;
}

}

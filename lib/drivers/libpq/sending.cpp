// SPDX-License-Identifier: Apache-2.0
#include "drivers/libpq/session.hpp"

#include <algorithm>
#include <vector>

namespace hadr::inline v0::libpq {

namespace {

constexpr std::size_t parameters_max = 65535;

/// Parameters as libpq wants them: with an end mark, NULL as a null pointer.
class c_parameters {
public:
    explicit c_parameters(std::span<const parameter> from) {
        values_.reserve(from.size());
        pointers_.reserve(from.size());
        for (const auto& one : from) {
            values_.emplace_back(one.value_or(std::string_view()));
            pointers_.push_back(one ? values_.back().c_str() : nullptr);
        }
    }

    int count() const noexcept { return static_cast<int>(pointers_.size()); }
    const char* const* get() const noexcept { return pointers_.data(); }

private:
    std::vector<std::string> values_;
    std::vector<const char*> pointers_;
};

}

failure libpq_session::not_sent() const {
    if (PQstatus(of_.get()) != CONNECTION_OK)
        return lost_before();
    return make_failure(
        errc::unreachable,
        advice::retry,
        "the session is busy with what was begun on its native handle"
    );
}

failure libpq_session::lost_before() {
    return make_failure(
        errc::unreachable, advice::retry, "the session was lost before the statement was sent"
    );
}

// Why the statement cannot be sent, if so. Known: this very text was sent before.
std::optional<failure> libpq_session::unfit(const statement& what, bool known) {
    const auto holds_nul = [](std::string_view text) {
        return text.find('\0') != std::string_view::npos;
    };
    if ((!known && holds_nul(what.text)) ||
        std::any_of(what.parameters.begin(), what.parameters.end(), [&](const parameter& one) {
            return one && holds_nul(*one);
        }))
        return make_failure(
            errc::rejected_by_server,
            advice::give_up,
            "a text with a zero byte is not sent: PostgreSQL has none"
        );
    if (what.parameters.size() > parameters_max)
        return make_failure(
            errc::rejected_by_server, advice::give_up, "PostgreSQL takes 65,535 parameters at most"
        );
    if (severed_.load())
        return lost_before();
    auto open = ending::open;
    if (what.kind == statement_kind::commit &&
        !ending_.compare_exchange_strong(open, ending::commit_left))
        return make_failure(
            errc::unreachable,
            advice::retry,
            "COMMIT was not sent, since a cancel request under way might hit it (C6)"
        );
    return std::nullopt;
}

bool libpq_session::send(const statement& what) {
    const std::string text(what.text); // libpq wants an end mark.
    if (what.parameters.empty())
        return sent(PQsendQuery(of_.get(), text.c_str()));
    const c_parameters with(what.parameters);
    return sent(PQsendQueryParams(
        of_.get(), text.c_str(), with.count(), nullptr, with.get(), nullptr, nullptr, 0
    ));
}

bool libpq_session::send_kept(const statement& what, const std::string* name) {
    if (name == nullptr && prepared_.full())
        return send(what);
    is_.by_name = true;
    kept_ = what;
    if (name != nullptr)
        return run_prepared(*name);
    is_.preparing = true;
    new_name_ = prepared_.new_name();
    return sent(
        PQsendPrepare(of_.get(), new_name_.c_str(), std::string(what.text).c_str(), 0, nullptr)
    );
}

bool libpq_session::run_prepared(const std::string& name) {
    auto* const to = of_.get();
    if (kept_.parameters.empty())
        return sent(PQsendQueryPrepared(to, name.c_str(), 0, nullptr, nullptr, nullptr, 0));
    const c_parameters with(kept_.parameters);
    return sent(PQsendQueryPrepared(to, name.c_str(), with.count(), with.get(), nullptr, nullptr, 0)
    );
}

bool libpq_session::sent(int how) {
    is_.first = true;
    if (how == 0)
        return false;
    if (limits_.rows_max != 0)
        PQsetSingleRowMode(of_.get());
    is_.flushing = true;
    return true;
}

}

// SPDX-License-Identifier: Apache-2.0
#include "core/service_level.hpp"

namespace hadr::inline v0::core {

standing
next(const standing& was, bool writable, time_point now, const level_rules& rules) noexcept {
    if (writable) {
        if (was.level != service_level::resiliency)
            return {};
        const auto back = was.back_since.value_or(now);
        if (now - back >= rules.hold)
            return {};
        return {service_level::resiliency, was.away_since, back};
    }
    const auto away = was.away_since.value_or(now);
    const bool over = was.level == service_level::resiliency || now - away >= rules.ride_out;
    return {over ? service_level::resiliency : service_level::riding_out, away, std::nullopt};
}

std::optional<time_point> wake_at(const standing& is, const level_rules& rules) noexcept {
    if (is.level == service_level::riding_out && is.away_since)
        return *is.away_since + rules.ride_out;
    if (is.level == service_level::resiliency && is.back_since)
        return *is.back_since + rules.hold;
    return std::nullopt;
}

}

// SPDX-License-Identifier: Apache-2.0
#include "support/named_hosts.hpp"

#include <utility>

namespace hadr::test {

namespace {

bool numeric(const std::string& host) {
    return host.find_first_not_of("0123456789.") == std::string::npos;
}

}

std::optional<std::string> named_hosts::address_of(const std::string& host) {
    if (numeric(host))
        return host;
    const std::lock_guard guard(mutex_);
    const auto found = all_.find(host);
    if (found != all_.end())
        return found->second;
    ++unknown_;
    return std::nullopt;
}

void named_hosts::resolve(
    std::string host, time_point until, std::function<void(addresses)> completion
) {
    if (const auto address = address_of(host)) {
        real_->resolve(*address, until, std::move(completion));
        return;
    }
    auto why = make_failure(errc::unreachable, advice::retry, host + " does not resolve");
    why.native = local_cause;
    // The promise is that it runs on an agent of the world's.
    const auto answered = real_->spawn("no-name", [completion, why] { completion(why); });
    if (!answered)
        completion(why);
}

}

// SPDX-License-Identifier: Apache-2.0
#include "core/connection_string.hpp"

#include "fuzz/target.hpp"

#include <memory>
#include <utility>

namespace hadr::test {

namespace {

std::shared_ptr<const profile> without_secret(const std::shared_ptr<const profile>& with) {
    auto copy = *with;
    if (!copy.password.empty())
        copy.password = secret("[redacted]");
    return std::make_shared<const profile>(std::move(copy));
}

store_specification redacted(store_specification of) {
    of.with = without_secret(of.with);
    if (of.witness)
        of.witness->with = without_secret(of.witness->with);
    return of;
}

void round_trip(std::string_view text) {
    const auto made = parse(text);
    if (!made) {
        must(!made.error().message.empty(), "an error has a message");
        must(made.error().code == make_error_code(errc::configuration_invalid), "and this code");
        return;
    }
    const auto printed = print(*made);
    const auto again = parse(printed);
    must(again.has_value(), "what is printed parses");
    must(core::same(*again, redacted(*made)), "to the same but for secrets");
    must(print(*again) == printed, "and prints the same");
}

}

}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    hadr::test::round_trip(std::string(bytes, bytes + count));
    return 0;
}

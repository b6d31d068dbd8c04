// SPDX-License-Identifier: Apache-2.0
#include "support/vectors.hpp"

#include "fuzz/target.hpp"

namespace hadr::test {

namespace {

void read_and_run(std::string_view text) {
    const auto all = read_vectors("fuzzed.json", text);
    if (!all) {
        must(all.error().message.starts_with("fuzzed.json"), "an error names the file");
        must(all.error().code == make_error_code(errc::configuration_invalid), "and has this code");
        return;
    }
    must(!all->empty(), "a file has a vector");
    for (const auto& one : *all) {
        must(!one.name.empty() && !one.rules.empty(), "a vector has a name and a rule");
        for (const auto& line : one.differences())
            must(!line.empty(), "a difference is said");
    }
}

}

}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    hadr::test::read_and_run(std::string(bytes, bytes + count));
    return 0;
}

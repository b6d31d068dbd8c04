// SPDX-License-Identifier: Apache-2.0
#include "runtime/state_file.hpp"

#include "fuzz/target.hpp"

namespace hadr::test {

namespace {

void round_trip(std::string_view text) {
    const auto read = runtime::read_state(text);
    if (!read)
        return;
    must(!read->highest.lineage.empty(), "an epoch has a lineage");
    const auto written = runtime::write_state(*read);
    const auto again = runtime::read_state(written);
    must(again.has_value(), "what is written reads");
    must(again->highest == read->highest, "to the same epoch");
    must(again->members == read->members, "and the same members");
    must(runtime::write_state(*again) == written, "and writes the same");
#ifdef HADR_PLANTED_CRASH
    must(read->highest.fork.value_or("").size() <= 3, "planted");
#endif
}

}

}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    hadr::test::round_trip(std::string(bytes, bytes + count));
    return 0;
}

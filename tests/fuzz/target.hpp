// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count);

namespace hadr::test {

/// What must hold for every input, in every build.
inline void must(bool holds, std::string_view claim) {
    if (holds)
        return;
    std::cerr << "broken: " << claim << std::endl;
    std::abort();
}

/// Takes choices and texts from the fuzzer's bytes; zeros once they are used up.
class byte_reader {
public:
    byte_reader(const std::uint8_t* bytes, std::size_t count) : text_(bytes, bytes + count) {}

    bool empty() const noexcept { return at_ >= text_.size(); }

    std::uint8_t byte() { return empty() ? std::uint8_t{0} : text_[at_++]; }

    std::size_t below(std::size_t end) { return byte() % end; }

    std::string text() {
        std::string made;
        auto left = below(256);
        left = left < 224 ? left % 32 : (left - 224) * 32; // Long ones now and then.
        for (; left > 0 && !empty(); --left)
            made += static_cast<char>(byte());
        return made;
    }

private:
    std::vector<std::uint8_t> text_;
    std::size_t at_ = 0;
};

}

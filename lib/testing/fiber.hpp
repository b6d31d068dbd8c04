// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

namespace hadr::inline v0::testing {

/// A function with a stack of its own; announces its switches to the sanitizers. The body must not
/// throw.
class fiber {
public:
    explicit fiber(std::function<void()> body);
    fiber(const fiber&) = delete;
    ~fiber();

    /// From outside: runs it until it yields or ends.
    void resume();
    /// From inside: back to whoever resumed it.
    void yield();

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}

// SPDX-License-Identifier: Apache-2.0
#include "testing/fiber.hpp"

#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>

#include <mutex>
#include <vector>

// The build defines HADR_FIBER_ASAN.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HADR_FIBER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define HADR_FIBER_TSAN 1
#endif

#ifdef HADR_FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef HADR_FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace hadr::inline v0::testing {

namespace {

constexpr std::size_t stack_size = 256 * 1024;

/// Stacks of ended fibers, for those to come: a simulation makes millions.
class stack_shelf {
public:
    ~stack_shelf() {
        for (auto& one : shelved_)
            boost::context::fixedsize_stack(stack_size).deallocate(one);
    }

    boost::context::stack_context take() {
        {
            const std::lock_guard guard(mutex_);
            if (!shelved_.empty()) {
                const auto one = shelved_.back();
                shelved_.pop_back();
                return one;
            }
        }
        return boost::context::fixedsize_stack(stack_size).allocate();
    }

    void put(const boost::context::stack_context& old) {
        const std::lock_guard guard(mutex_);
        shelved_.push_back(old);
    }

private:
    std::mutex mutex_; // Guards shelved_.
    std::vector<boost::context::stack_context> shelved_;
};

stack_shelf& shelf() {
    static stack_shelf all;
    return all;
}

/// Remembers the last stack taken, whose bounds the address sanitizer wants to know.
struct known_stack {
    boost::context::stack_context* last;

    boost::context::stack_context allocate() {
        *last = shelf().take();
#ifdef HADR_FIBER_ASAN
        __asan_unpoison_memory_region(static_cast<char*>(last->sp) - last->size, last->size);
#endif
        return *last;
    }

    void deallocate(boost::context::stack_context& old) noexcept {
        shelf().put(old);
    }
};

}

struct fiber::impl {
    std::function<void()> body;
    boost::context::stack_context stack{};
    boost::context::fiber inside;
    boost::context::fiber outside;
#ifdef HADR_FIBER_ASAN
    void* outer_fake = nullptr;
    void* inner_fake = nullptr;
    const void* outer_bottom = nullptr;
    std::size_t outer_size = 0;
#endif
#ifdef HADR_FIBER_TSAN
    void* own = __tsan_create_fiber(0);
    void* outer = nullptr;
#endif

    void entering() {
#ifdef HADR_FIBER_ASAN
        const auto* const bottom = static_cast<const char*>(stack.sp) - stack.size;
        __sanitizer_start_switch_fiber(&outer_fake, bottom, stack.size);
#endif
#ifdef HADR_FIBER_TSAN
        outer = __tsan_get_current_fiber();
        __tsan_switch_to_fiber(own, 0);
#endif
    }

    void left() {
#ifdef HADR_FIBER_ASAN
        __sanitizer_finish_switch_fiber(outer_fake, nullptr, nullptr);
#endif
    }

    void entered() {
#ifdef HADR_FIBER_ASAN
        __sanitizer_finish_switch_fiber(inner_fake, &outer_bottom, &outer_size);
#endif
    }

    void leaving(bool for_good) {
        static_cast<void>(for_good);
#ifdef HADR_FIBER_ASAN
        __sanitizer_start_switch_fiber(for_good ? nullptr : &inner_fake, outer_bottom, outer_size);
#endif
#ifdef HADR_FIBER_TSAN
        __tsan_switch_to_fiber(outer, 0);
#endif
    }

    ~impl() {
#ifdef HADR_FIBER_TSAN
        __tsan_destroy_fiber(own);
#endif
    }
};

fiber::fiber(std::function<void()> body) : impl_(std::make_unique<impl>()) {
    auto* const own = impl_.get();
    own->body = std::move(body);
    own->inside = boost::context::fiber(
        std::allocator_arg,
        known_stack{&own->stack},
        [own](boost::context::fiber&& outside) {
            own->outside = std::move(outside);
            own->entered();
            own->body();
            own->body = nullptr;
            own->leaving(true);
            return std::move(own->outside);
        }
    );
}

fiber::~fiber() = default;

void fiber::resume() {
    impl_->entering();
    impl_->inside = std::move(impl_->inside).resume();
    impl_->left();
}

void fiber::yield() {
    impl_->leaving(false);
    impl_->outside = std::move(impl_->outside).resume();
    impl_->entered();
}

}

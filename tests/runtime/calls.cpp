// SPDX-License-Identifier: Apache-2.0
#include <hadr/driver.hpp>
#include <hadr/testing/manual_world.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <vector>

namespace hadr::test {

using namespace std::chrono_literals;
namespace utf = boost::unit_test;

namespace {

/// A call of a client library that lasts as long as it says, and tells what became of it.
class slow_call final : public executor::job {
public:
    slow_call(testing::manual_world& in, duration length) : in_(in), length_(length) {}
    ~slow_call() override { ++destroyed; }

    void run() noexcept override {
        ++begun;
        const auto end = in_.now() + length_;
        while (in_.now() < end)
            in_.park(in_.self(), end);
        ++ended;
    }

    int begun = 0;
    int ended = 0;
    static inline int destroyed = 0;

private:
    testing::manual_world& in_;
    const duration length_;
};

struct an_executor {
    std::shared_ptr<testing::manual_world> world = std::make_shared<testing::manual_world>(1);
    std::shared_ptr<executor> by = make_executor(world);

    std::shared_ptr<slow_call> call(duration length) const {
        return std::make_shared<slow_call>(*world, length);
    }

    std::vector<std::shared_ptr<slow_call>> calls(int count, duration length) const {
        std::vector<std::shared_ptr<slow_call>> made;
        for (int i = 0; i < count; ++i) {
            made.push_back(call(length));
            BOOST_TEST_REQUIRE(by->run(made.back()));
        }
        return made;
    }

    // What is stuck comes back, and all agents end.
    ~an_executor() {
        by.reset();
        world->advance(2h);
    }
};

constexpr int cap = 256;
constexpr int stuck_cap = 128;

}

BOOST_AUTO_TEST_SUITE(blocking_calls)

BOOST_AUTO_TEST_CASE(reuse_one_agent_and_leave_none, *utf::label("F50") * utf::label("P9")) {
    const an_executor all;
    const auto one = all.call(1ms);
    for (int i = 1; i <= 100; ++i) {
        BOOST_TEST_REQUIRE(all.by->run(one));
        all.world->advance(2ms);
        BOOST_TEST(one->ended == i);
        BOOST_TEST(all.world->agents() == 1U);
    }
    all.world->advance(1min);
    BOOST_TEST(all.world->agents() == 0U);
    BOOST_TEST_REQUIRE(all.by->run(one));
    all.world->advance(1s);
    BOOST_TEST(one->ended == 101);
}

BOOST_AUTO_TEST_CASE(that_hang_keep_no_other_waiting, *utf::label("F50") * utf::label("P4")) {
    const an_executor all;
    const auto hung = all.call(1h);
    BOOST_TEST_REQUIRE(all.by->run(hung));
    all.world->advance(1s);
    all.by->abandon(hung);
    const auto next = all.call(1ms);
    BOOST_TEST_REQUIRE(all.by->run(next));
    all.world->advance(1s);
    BOOST_TEST(next->ended == 1);
    BOOST_TEST(hung->ended == 0);
    all.world->advance(2h);
    BOOST_TEST(hung->ended == 1);
    BOOST_TEST(all.world->agents() == 0U);
}

BOOST_AUTO_TEST_CASE(are_capped_and_the_rest_wait, *utf::label("F48") * utf::label("P9")) {
    const an_executor all;
    const auto some = all.calls(cap + 10, 10s);
    all.world->advance(5s);
    BOOST_TEST(all.world->agents() == std::size_t{cap});
    BOOST_TEST(some.back()->begun == 0);
    all.world->advance(20s);
    for (const auto& one : some)
        BOOST_TEST_REQUIRE(one->ended == 1);
}

BOOST_AUTO_TEST_CASE(never_begin_once_given_up, *utf::label("F50") * utf::label("C7")) {
    const an_executor all;
    const auto some = all.calls(cap, 10s);
    const auto late = all.call(1ms);
    BOOST_TEST_REQUIRE(all.by->run(late));
    all.by->abandon(late);
    all.world->advance(1min);
    BOOST_TEST(late->begun == 0);
    // One that was handed to an idle agent, and taken back before that has woken.
    const auto handed = all.call(1ms);
    BOOST_TEST_REQUIRE(all.by->run(late));
    all.world->advance(1s);
    BOOST_TEST_REQUIRE(all.by->run(handed));
    all.by->abandon(handed);
    all.world->advance(1s);
    BOOST_TEST(handed->begun == 0);
    BOOST_TEST_REQUIRE(all.by->run(handed));
    all.world->advance(1s);
    BOOST_TEST(handed->ended == 1);
}

BOOST_AUTO_TEST_CASE(that_are_stuck_are_capped_too, *utf::label("F48") * utf::label("F50")) {
    const an_executor all;
    const auto some = all.calls(stuck_cap, 1h);
    all.world->advance(1s);
    for (const auto& one : some)
        all.by->abandon(one);
    const auto next = all.call(1ms);
    BOOST_TEST(!all.by->run(next));
    all.world->advance(2h);
    BOOST_TEST(all.by->run(next));
    all.world->advance(1s);
    BOOST_TEST(next->ended == 1);
}

BOOST_AUTO_TEST_CASE(that_wait_for_the_stuck_run_when_those_come_back, *utf::label("F50")) {
    const an_executor all;
    const auto some = all.calls(cap, 1h);
    const auto waits = all.call(1ms);
    BOOST_TEST_REQUIRE(all.by->run(waits));
    all.world->advance(1s);
    for (const auto& one : some)
        all.by->abandon(one);
    all.world->advance(2h);
    BOOST_TEST(waits->ended == 1);
    BOOST_TEST(all.world->agents() == 0U);
}

BOOST_AUTO_TEST_CASE(own_what_they_touch_until_they_end, *utf::label("F50") * utf::label("P8")) {
    an_executor all;
    auto hung = all.call(1h);
    slow_call::destroyed = 0;
    BOOST_TEST_REQUIRE(all.by->run(hung));
    all.world->advance(1s);
    all.by->abandon(hung);
    hung.reset();
    all.by.reset();
    BOOST_TEST(slow_call::destroyed == 0);
    BOOST_TEST(all.world->agents() == 1U);
    all.world->advance(2h);
    BOOST_TEST(slow_call::destroyed == 1);
    BOOST_TEST(all.world->agents() == 0U);
}

BOOST_AUTO_TEST_CASE(are_refused_where_there_is_no_agent, *utf::label("F48")) {
    const an_executor all;
    all.world->allow_agents(false);
    const auto one = all.call(1ms);
    BOOST_TEST(!all.by->run(one));
    all.world->allow_agents(true);
    BOOST_TEST(all.by->run(one));
    all.world->advance(1s);
    BOOST_TEST(one->ended == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}

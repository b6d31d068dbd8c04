// SPDX-License-Identifier: Apache-2.0
#include <hadr/time.hpp>

#include <boost/test/unit_test.hpp>

namespace hadr::test {

namespace utf = boost::unit_test;
using namespace std::chrono_literals;

namespace {

constexpr time_point now{5h};

}

BOOST_AUTO_TEST_SUITE(a_deadline)

BOOST_AUTO_TEST_CASE(is_the_stores_own_unless_chosen, *utf::label("T2")) {
    static_assert(deadline{}.defaulted());
    static_assert(!deadline::in(1s).defaulted());
    static_assert(!deadline::never().defaulted());
    BOOST_TEST((deadline{}.resolve(now, 15s) == now + 15s));
}

BOOST_AUTO_TEST_CASE(is_counted_from_the_moment_of_waiting, *utf::label("T2")) {
    BOOST_TEST((deadline::in(2s).resolve(now, 15s) == now + 2s));
    BOOST_TEST((deadline::in(2s).resolve(now + 1h, 15s) == now + 1h + 2s));
    BOOST_TEST((deadline::at(now + 3s).resolve(now + 1h, 15s) == now + 3s)
    ); // A budget survives several steps.
}

BOOST_AUTO_TEST_CASE(may_be_past_already, *utf::label("P4")) {
    BOOST_TEST((deadline::in(0s).resolve(now, 15s) == now));
    BOOST_TEST((deadline::in(-1s).resolve(now, 15s) < now));
    BOOST_TEST((deadline::in(duration::min()).resolve(now, 15s) < now));
    BOOST_TEST((deadline::at(time_point::min()).resolve(now, 15s) < now));
}

BOOST_AUTO_TEST_CASE(is_endless_by_name_only, *utf::label("C50") * utf::label("T2")) {
    BOOST_TEST((deadline::never().resolve(now, 15s) == time_point::max()));
    BOOST_TEST((deadline{}.resolve(now, 24h) < time_point::max()));
    BOOST_TEST((deadline{}.resolve(time_point{}, 0s) == time_point{}));
}

BOOST_AUTO_TEST_CASE(never_wraps_around, *utf::label("T2")) {
    for (const auto start : {time_point{}, now, time_point::max() - 1s, time_point::max()})
        for (const duration length :
             {duration(0), duration(1s), duration(9000h), duration::max()}) {
            BOOST_TEST((deadline::in(length).resolve(start, 1s) >= start));
            BOOST_TEST((deadline{}.resolve(start, length) >= start));
        }
}

BOOST_AUTO_TEST_SUITE_END()

}

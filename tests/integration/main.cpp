// SPDX-License-Identifier: Apache-2.0
#define BOOST_TEST_MODULE integration
#define BOOST_TEST_NO_MAIN
#include "support/guardian.hpp"

#include <boost/test/unit_test.hpp>

namespace {

int run(int count, char** words) {
    return boost::unit_test::unit_test_main(&init_unit_test, count, words);
}

}

int main(int count, char** words) {
    return hadr::test::guarded(&run, count, words);
}

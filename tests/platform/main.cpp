// SPDX-License-Identifier: Apache-2.0
#define BOOST_TEST_MODULE platform
#include <boost/test/unit_test.hpp>

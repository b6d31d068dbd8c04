// SPDX-License-Identifier: Apache-2.0
#include "conformance/server.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include <sys/mount.h>
#include <unistd.h>

namespace hadr::test {

namespace utf = boost::unit_test;

namespace {

/// A file system of a few megabytes for the servers.
class small_disk {
public:
    explicit small_disk(const temporary_folder& in) : path_(in.path() + "/small") {
        std::filesystem::create_directory(path_);
        mounted_ = mount("none", path_.c_str(), "tmpfs", 0, "size=4m") == 0 &&
                   chown(path_.c_str(), servers_uid(), servers_gid()) == 0;
    }
    small_disk(const small_disk&) = delete;
    ~small_disk() { umount2(path_.c_str(), MNT_DETACH); }

    bool mounted() const noexcept { return mounted_; }
    const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
    bool mounted_ = false;
};

}

BOOST_AUTO_TEST_SUITE(a_full_disk)

BOOST_AUTO_TEST_CASE(is_told_to_the_caller_and_is_no_failover, *utf::label("F36")) {
    const temporary_folder folder("hadr-disk");
    const small_disk disk(folder);
    if (!disk.mounted()) {
        std::cout << "skipped: mounting a small file system takes root\n" << std::flush;
        std::exit(77);
    }
    postgres_server server(folder, "server");
    server.start();
    must(server.port(), fmt::format("create tablespace small location '{}'", disk.path()));
    must(server.port(), "create table filled (t text) tablespace small");
    const auto store = open_store(server.port());
    auto held = need(store->acquire({.until = deadline::in(20s)}));
    const auto full = held.execute(
        "insert into filled select repeat(md5(i::text), 20) from generate_series(1, 100000) i"
    );
    BOOST_TEST_REQUIRE(!full.has_value());
    BOOST_TEST(full.error().code == errc::rejected_by_server);
    BOOST_TEST((full.error().next == advice::retry));
    BOOST_TEST(full.error().sqlstate == "53100");
    BOOST_TEST(held.current());
    BOOST_TEST(held.execute("select count(*) from filled").has_value());
    BOOST_TEST((store->view()->writer == 0U));
    held.release();
    server.stop(SIGQUIT);
}

BOOST_AUTO_TEST_SUITE_END()

}

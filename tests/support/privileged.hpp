// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace hadr::test {

/// Ends the program as skipped (77), saying why: each suite is a ctest test of its own.
[[noreturn]] void skip(std::string_view why);

/// From its making on, this process and the children that it starts have a network of their own, a
/// loopback interface whose packets can be dropped. Needs root, ip and nft; skips without. Make it
/// before any thread is started.
class own_network {
public:
    own_network();

    /// One rule of nftables for packets that are sent; insert puts it before the others.
    void add(std::string_view rule);
    void insert(std::string_view rule);
    /// Takes all rules away.
    void heal();
};

/// A file system of a few MiB at a path, seen by this process and its children alone. Needs root;
/// skips without.
class small_disk {
public:
    small_disk(std::string path, int mib);
    small_disk(const small_disk&) = delete;
    ~small_disk();

private:
    const std::string path_;
};

}

// SPDX-License-Identifier: Apache-2.0
#include "support/odbc_logins.hpp"

#include <algorithm>
#include <fstream>
#include <mutex>
#include <string_view>

#include <dlfcn.h>
#include <sql.h>
#include <sqlext.h>

namespace hadr::test {

namespace {

constexpr char mask = '\x5a';

std::mutex mutex; // Guards seen.
std::vector<odbc_login> seen;

char masked(char plain) noexcept {
    return static_cast<char>(plain ^ mask);
}

struct same {
    bool operator()(char in_memory, char sought) const noexcept {
        return masked(in_memory) == sought;
    }
};

std::size_t copies_within(const char* from, const char* to, const std::string& of) {
    std::size_t made = 0;
    for (; (from = std::search(from, to, of.begin(), of.end(), same())) != to; ++from)
        ++made;
    return made;
}

}

hidden_text::hidden_text(std::string_view plain) {
    for (const char c : plain)
        masked_ += masked(c);
}

std::size_t hidden_text::copies_in_memory() const {
    std::ifstream maps("/proc/self/maps");
    std::ifstream memory("/proc/self/mem", std::ios::binary);
    std::size_t made = 0;
    std::vector<char> bytes;
    for (std::string line; std::getline(maps, line);) {
        std::size_t dash = 0;
        const auto from = std::stoull(line, &dash, 16);
        const auto to = std::stoull(line.substr(dash + 1), nullptr, 16);
        if (line.find(" rw") == std::string::npos)
            continue;
        bytes.resize(to - from);
        memory.clear();
        memory.seekg(static_cast<std::streamoff>(from));
        memory.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        made += copies_within(bytes.data(), bytes.data() + memory.gcount(), masked_);
    }
    return made;
}

std::vector<odbc_login> odbc_logins() {
    const std::lock_guard guard(mutex);
    return seen;
}

}

extern "C" {

SQLRETURN SQLDriverConnect(
    SQLHDBC on,
    SQLHWND window,
    SQLCHAR* text,
    SQLSMALLINT length,
    SQLCHAR* completed,
    SQLSMALLINT room,
    SQLSMALLINT* needed,
    SQLUSMALLINT completion
) {
    using namespace hadr::test;
    static auto* const real =
        reinterpret_cast<decltype(SQLDriverConnect)*>(dlsym(RTLD_NEXT, "SQLDriverConnect"));
    odbc_login one{
        hidden_text({reinterpret_cast<const char*>(text), static_cast<std::size_t>(length)}),
        completed != nullptr || room != 0 || needed != nullptr,
        completion != SQL_DRIVER_NOPROMPT,
        false};
    const auto how = real(on, window, text, length, completed, room, needed, completion);
    one.connected = SQL_SUCCEEDED(how);
    const std::lock_guard guard(mutex);
    seen.push_back(std::move(one));
    return how;
}
}

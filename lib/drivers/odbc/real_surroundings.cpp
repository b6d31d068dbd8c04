// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/trace.hpp"

#include <array>

#include <odbcinst.h>
#include <sql.h>
#include <sqlext.h>

namespace hadr::inline v0::odbc {

std::string
real_surroundings::setting(std::string_view file, std::string_view section, std::string_view key) {
    std::array<char, 1024> value{};
    SQLGetPrivateProfileString(
        std::string(section).c_str(),
        std::string(key).c_str(),
        "",
        value.data(),
        static_cast<int>(value.size()) - 1,
        std::string(file).c_str()
    );
    return value.data();
}

std::optional<std::string> real_surroundings::variable(std::string_view name) {
    auto found = through_.environment(std::string(name));
    if (!found)
        return std::nullopt;
    return *std::move(found);
}

bool real_surroundings::traced() {
    SQLUINTEGER value = SQL_OPT_TRACE_OFF;
    const auto how = SQLGetConnectAttr(connection_, SQL_ATTR_TRACE, &value, sizeof value, nullptr);
    return SQL_SUCCEEDED(how) && value != SQL_OPT_TRACE_OFF;
}

}

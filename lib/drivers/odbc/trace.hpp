// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/odbc/profiles.hpp"

#include <hadr/driver.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace hadr::inline v0::odbc {

/// What lies around a login and is not said in its connection string.
class surroundings {
public:
    virtual ~surroundings() = default;

    /// Of ODBC's own files, "odbcinst.ini" or "odbc.ini"; empty if it is not there.
    virtual std::string
    setting(std::string_view file, std::string_view section, std::string_view key) = 0;
    virtual std::optional<std::string> variable(std::string_view name) = 0;
    /// Whether the driver manager writes down the calls of this process, whoever told it to.
    virtual bool traced() = 0;
};

/// Nothing around would write the login into a file (X4), keep it in a pool of the driver
/// manager's, or lead the session elsewhere than its connection string says (X2). Errors:
/// configuration_invalid, naming file and setting, or the variable. A driver's own files are not
/// looked into: freetds.conf counts only for a data source with a Servername.
expected<void> unobserved(const driver_profile& of, const target& to, surroundings& around);

/// The real ones of a connection handle (SQLHDBC).
class real_surroundings final : public surroundings {
public:
    real_surroundings(void* connection, world& through) noexcept
        : connection_(connection)
        , through_(through) {}

    std::string
    setting(std::string_view file, std::string_view section, std::string_view key) override;
    std::optional<std::string> variable(std::string_view name) override;
    bool traced() override;

private:
    void* const connection_;
    world& through_;
};

}

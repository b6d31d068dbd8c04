// SPDX-License-Identifier: Apache-2.0
#include "drivers/odbc/trace.hpp"

#include "drivers/odbc/words.hpp"

#include <fmt/format.h>

#include <array>

namespace hadr::inline v0::odbc {

namespace {

constexpr std::string_view drivers_file = "odbcinst.ini";
constexpr std::string_view sources_file = "odbc.ini";

// By which a data source makes one of the known drivers write a trace.
constexpr std::array<std::string_view, 5> tracing_keys = {
    "Debug", "CommLog", "DumpFile", "TraceFile", "Trace"};

// As the driver manager reads its own switches.
bool on(std::string_view value) {
    if (value.empty())
        return false;
    const char first = lower(value.front());
    return first == '1' || first == 'y' ||
           (first == 'o' && value.size() > 1 && lower(value[1]) == 'n');
}

// A driver may take any number for yes, and any name for that of a file.
bool set(std::string_view value) {
    return !value.empty() && value != "0" && lower(value.front()) != 'n';
}

failure in_file(
    std::string_view file, std::string_view section, std::string_view key, std::string_view what
) {
    return make_failure(
        errc::configuration_invalid,
        advice::give_up,
        fmt::format("{} in [{}] of {} {}; turn it off", key, section, file, what)
    );
}

constexpr std::string_view writes = "would write passwords and statements into a file";

std::optional<failure> of_the_manager(surroundings& around) {
    if (on(around.setting(drivers_file, "ODBC", "Trace")))
        return in_file(drivers_file, "ODBC", "Trace", writes);
    if (on(around.setting(drivers_file, "ODBC", "Pooling")))
        return in_file(
            drivers_file, "ODBC", "Pooling", "would keep passwords and give sessions to others"
        );
    if (around.traced())
        return make_failure(
            errc::configuration_invalid,
            advice::give_up,
            "SQL_ATTR_TRACE is on in this process and would write passwords and statements into a "
            "file; turn it off"
        );
    return std::nullopt;
}

std::optional<failure>
of_the_driver(const driver_profile& of, const target& to, surroundings& around) {
    for (const auto& [section, key] : of.traces)
        if (set(around.setting(drivers_file, section, key)))
            return in_file(drivers_file, section, key, writes);
    const auto& source = to.with->odbc_source;
    for (const auto key : tracing_keys)
        if (!source.empty() && set(around.setting(sources_file, source, key)))
            return in_file(sources_file, source, key, writes);
    return std::nullopt;
}

std::optional<failure>
of_the_environment(const driver_profile& of, const target& to, surroundings& around) {
    for (const auto& [name, of_sockets_only] : of.variables)
        if ((!of_sockets_only || to.at.local_socket()) && around.variable(name))
            return make_failure(
                errc::configuration_invalid,
                advice::give_up,
                fmt::format(
                    "the environment variable {} would change or show this session, and {} does "
                    "not let it be overridden; unset it",
                    name,
                    of.name
                )
            );
    return std::nullopt;
}

}

expected<void> unobserved(const driver_profile& of, const target& to, surroundings& around) {
    if (auto why = of_the_manager(around))
        return *std::move(why);
    if (auto why = of_the_driver(of, to, around))
        return *std::move(why);
    if (auto why = of_the_environment(of, to, around))
        return *std::move(why);
    return {};
}

}

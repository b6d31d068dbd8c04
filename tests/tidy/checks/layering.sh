# SPDX-License-Identifier: Apache-2.0
# Who may include and call what (the layers of the library; see "Where to find what" in README.md).
std='<[a-z_0-9]+>'
threads='<(thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier)>'
clients='<(libpq-fe\.h|libpq/|postgres|sql\.h|sqlext\.h|sqltypes\.h)'

includes_but() {
    lines_with '^[ \t]*#[ \t]*include' "$2" | grep -vE "include[ \t]*($1)"
}

findings() {
    files_in '^include/.*\.hpp$' | includes_but "<hadr/|$std" 'public headers include std and hadr only'
    files_in '^include/.*\.hpp$' | forbid '\b(fmt::|PGconn\b|SQLHDBC\b)' 'a public header names a client library'

    files_in '^(lib/core|adapters)/' |
        forbid "include *($threads|$clients|<(fstream|filesystem|random)>|<hadr/(world|libpq|odbc|connection_manager)\.hpp>)" 'pure code includes this'
    files_in '^(lib/core|adapters)/' | forbid '(::|\.|->)now\(' 'pure code reads no clock: time is an argument'
    files_in '^lib/core/' | grep -E '\.(cpp|hpp)$' | includes_but "\"core/|<" 'core includes core only'
    for mode in standalone mirroring availability_group failover_cluster_instance failover_cluster; do
        files_in "^adapters/$mode/.*\.(cpp|hpp)$" |
            includes_but "\"$mode/|\"core/|<" 'an adapter includes itself and core only'
    done

    files_in '^lib/drivers/' |
        forbid 'include *<hadr/(adapters|ha_adapter|topology|store|event|operation|connection_manager|hadr|testing/.*)\.hpp>' 'a driver knows sessions only'
    for driver in libpq odbc; do
        files_in "^lib/drivers/$driver/.*\.(cpp|hpp)$" |
            includes_but "\"drivers/($driver|shared)/|<" 'a driver includes itself and what drivers share'
    done
    files_in '^lib/drivers/shared/.*\.(cpp|hpp)$' |
        includes_but '"drivers/shared/|<' 'what drivers share includes itself only'
    files_in '^lib/drivers/shared/' | forbid "include *$clients" 'what drivers share names no client library'
    files_in '^lib/' | grep -v '^lib/drivers/' | forbid "include *$clients" 'only a driver names its client library'
    files_in '^(include|lib|adapters)/.*\.(cpp|hpp)$' |
        grep -vE '^(include/hadr/engine\.hpp|lib/core/odbc_family\.cpp|lib/drivers/odbc/profiles\.cpp)$' |
        forbid '\bodbc_family::[a-np-z]' 'a profile says what an ODBC driver can do: nothing else names one'
    files_in '^lib/drivers/odbc/' | forbid 'include *<libpq' 'each driver its own client library'
    files_in '^lib/drivers/libpq/' | forbid 'include *<sql' 'each driver its own client library'

    files_in '^lib/runtime/.*\.(cpp|hpp)$' |
        includes_but '"(runtime|core)/|<' 'the runtime includes itself and core only'
    files_in '^(include|lib|adapters)/' | grep -v '^lib/platform/' |
        forbid "\b(jthread|condition_variable(_any)?|thread_local|this_thread|std::(thread|async)|pthread_[a-z]+)\b|include *<(thread|condition_variable|future)>" 'agents and waiting come from hadr::world'
    # Single words such as COMMIT are the protocol's; statements about tables and settings are not.
    files_in '^lib/runtime/.*\.(cpp|hpp)$' |
        lines_with '"[^"]*(\bselect\b[^"]*(\bfrom\b|\(|pg_)|\binsert into\b|\bupdate [a-z_.]+ set\b|\bdelete from\b|\bdiscard (all|plans|temp)\b|\b(create|drop|alter) (table|function|role)\b|\bset (session|local|transaction)\b|\bpg_[a-z]+_)' 'SQL text belongs to adapters and drivers' -i
}

proof() {
    plants include/hadr/a.hpp <<<'#include <fmt/core.h>'
    plants include/hadr/a.hpp <<<'#include <libpq-fe.h>'
    plants include/hadr/a.hpp <<<'#include "core/selection.hpp"'
    plants lib/core/a.cpp <<<'#include <mutex>'
    plants lib/core/a.cpp <<<'#include <fstream>'
    plants lib/core/a.cpp <<<'#include "runtime/pool.hpp"'
    plants lib/core/a.cpp <<<'auto now = std::chrono::steady_clock::now();'
    plants adapters/mirroring/a.cpp <<<'#include <hadr/world.hpp>'
    plants adapters/mirroring/a.cpp <<<'#include "standalone/standalone.hpp"'
    plants adapters/mirroring/a.cpp <<<'const auto at = clock.now();'
    plants lib/drivers/libpq/a.cpp <<<'#include <hadr/topology.hpp>'
    plants lib/drivers/libpq/a.cpp <<<'#include "runtime/pool.hpp"'
    plants lib/drivers/libpq/a.cpp <<<'#include <sql.h>'
    plants lib/drivers/libpq/a.cpp <<<'#include "drivers/odbc/words.hpp"'
    plants lib/drivers/shared/a.cpp <<<'#include "drivers/libpq/errors.hpp"'
    plants lib/drivers/shared/a.cpp <<<'#include <libpq-fe.h>'
    plants lib/drivers/odbc/a.cpp <<<'if (which == odbc_family::freetds)'
    plants lib/core/a.cpp <<<'return of == odbc_family::sqlite;'
    innocent lib/drivers/odbc/a.cpp <<<'return odbc_family::other;'
    innocent lib/drivers/odbc/a.cpp <<<'#include "drivers/shared/login.hpp"'
    plants lib/runtime/a.cpp <<<'#include <libpq-fe.h>'
    plants lib/runtime/a.cpp <<<'std::jthread watcher;'
    plants lib/runtime/a.cpp <<<'std::condition_variable changed;'
    plants lib/testing/a.cpp <<<'thread_local int depth = 0;'
    plants lib/runtime/a.cpp <<<'#include "mirroring/mirroring.hpp"'
    plants lib/runtime/a.cpp <<<'run("SELECT pg_is_in_recovery()");'
    plants lib/runtime/a.cpp <<<'run("discard all");'
    innocent lib/runtime/a.cpp <<<'run("COMMIT"); // Never a std::jthread here.'
    innocent lib/runtime/a.cpp <<<'auto at = world->now(); say("select another member");'
    innocent lib/platform/a.cpp <<<'thread_local int depth = 0;'
    innocent lib/core/a.cpp <<<'auto text = "steady_clock::now()"; // clock.now()'
    innocent adapters/mirroring/a.cpp <<<'#include "core/epoch_order.hpp"'
}

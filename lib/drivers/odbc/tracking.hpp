// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/odbc/ways.hpp"

#include <hadr/answer.hpp>

#include <string_view>

namespace hadr::inline v0::odbc {

/// What a text does to the transaction of its session, by its words alone.
struct statement_sort {
    enum class kind {
        data, ///< A query, or rows changed.
        begin,
        commit,
        rollback,
        rollback_to, ///< A savepoint.
        other,
    };

    kind is = kind::other;
    std::string_view tag;      ///< The first word in capitals, of static duration, or empty.
    bool several = false;      ///< Statements, or one that begins the next transaction at once.
    bool query = false;        ///< Brings rows and nothing else.
    bool leaves_state = false; ///< Perhaps, in the session, although it is about data.
    bool unsettles = false;    ///< May change how transactions begin from now on.
};

statement_sort sort_of(std::string_view text) noexcept;

/// Whether a text is one INSERT, UPDATE or DELETE and nothing else, be it in a batch that needs no
/// ';'. In doubt it is not.
bool writes_once(std::string_view text) noexcept;

/// What is known of the transaction of a session.
struct tracked {
    transaction_status is = transaction_status::idle;
    bool in_doubt = false;  ///< The session must be asked.
    bool unsettled = false; ///< It must be asked after every statement.

    friend bool operator==(const tracked&, const tracked&) = default;
};

/// After a statement that ended well or was refused while the session lives on.
tracked after_statement(
    const tracked& was, const statement_sort& what, bool ended_well, const engine_ways& of
) noexcept;

}

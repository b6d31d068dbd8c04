// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hadr/error.hpp>

#include <string>
#include <string_view>

namespace hadr::inline v0::libpq {

/// The server's ERROR in answer to a statement: the definite failures, by SQLSTATE alone (C7).
failure rejected(std::string_view sqlstate, std::string_view server_text);

/// The session was lost while a statement was under way.
failure lost(std::string_view last_words);

/// A FATAL in answer to a login, by SQLSTATE.
failure
login_rejected(std::string_view sqlstate, std::string_view server_text, const std::string& where);

/// The SQLSTATE and text in a message of PQERRORS_VERBOSE, whatever the language of its words;
/// empty if the server sent none.
struct server_words {
    std::string sqlstate;
    std::string text;
};
server_words words_in(std::string_view verbose_message);

/// How a login ended that libpq gave up without a word of the server's.
struct ending {
    bool unsent = false;      ///< Nothing of it had reached the server.
    bool gone_before = false; ///< The peer had hung up before libpq's last step.
    bool gone = false;        ///< It has now.
    bool reset = false;       ///< Both ways.
    bool secured = false;     ///< In an encrypted session.
};

/// Whether it was the wire that failed, and not what came over it: a verdict on the server would
/// hold for the next login as well. The words of libpq may be in any language.
bool wire_failed(const ending& how, std::string_view message) noexcept;

}

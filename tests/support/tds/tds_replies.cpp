// SPDX-License-Identifier: Apache-2.0
#include "support/tds/tds_connection.hpp"
#include "support/tds/tds_text.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <sys/socket.h>

namespace hadr::test::tds {

namespace {

constexpr duration frozen_look = std::chrono::milliseconds(1);
constexpr std::string_view garbage = "\x17 no token begins like this";

// "INSERT 0 1" is a row; what is no change of data counts none.
std::optional<std::uint64_t> rows_of(std::string_view tag) noexcept {
    if (!tag.starts_with("INSERT") && !tag.starts_with("UPDATE") && !tag.starts_with("DELETE"))
        return std::nullopt;
    const auto digits = tag.substr(tag.rfind(' ') + 1);
    std::uint64_t made = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), made);
    return made;
}

// As the script has it, where the store is asked for it.
answer with_names(const answer& of, const place& at) {
    const auto scripted = [&at](std::string_view column) -> const std::optional<std::string>* {
        return column == "partner_instance" ? &at.partner_name
               : column == "server_name"    ? &at.server_name
                                            : nullptr;
    };
    answer made;
    for (std::size_t column = 0; column < of.columns(); ++column)
        made.add_column(of.column_name(column));
    for (std::size_t row = 0; row < of.rows(); ++row)
        for (std::size_t column = 0; column < of.columns(); ++column) {
            auto value = of.at(row, column);
            if (const auto* const name = scripted(of.column_name(column));
                value && name != nullptr && *name)
                value = (*name)->empty() ? std::nullopt : std::optional<std::string_view>(**name);
            made.add_value(value);
        }
    return made;
}

}

reply connection::reply_with(const request& what, outcome& of) {
    reply made;
    made.add(of.head);
    if (of.errors.empty())
        put_answer(made, what, of);
    else
        put_errors(made, what, of);
    if (!what.procedure)
        return made;
    made.status(of.errors.empty() ? 0 : of.errors.back().number);
    if (what.handle)
        made.handle(*what.handle);
    made.end({.token = done_token::procedure, .failed = !of.errors.empty()});
    return made;
}

// Without the more bit of what a procedure did, FreeTDS would lose the handle behind it.
void connection::put_errors(reply& into, const request& what, const outcome& of) const {
    for (const auto& one : of.errors)
        into.say(one, with_.called());
    into.end(
        {.token = what.procedure ? done_token::in_procedure : done_token::batch,
         .more = what.procedure,
         .failed = true}
    );
}

void connection::put_answer(reply& into, const request& what, const outcome& of) {
    const auto token = what.procedure ? done_token::in_procedure : done_token::batch;
    if (auto used = used_database(what.text); used && !what.procedure) {
        into.change(environment::database, *used, database_)
            .say({5701, 10, "Changed database context to '" + *used + "'."}, with_.called());
        database_ = std::move(*used);
        if (of.rows.columns() > 0)
            into.end({.token = token, .more = true});
    }
    for (const auto& one : of.rows.notices())
        into.say({0, 0, one.text}, with_.called());
    done how{.token = token, .more = what.procedure};
    if (of.rows.columns() > 0) {
        into.rows(with_names(of.rows, with_));
        how.rows = of.rows.rows();
    } else {
        how.rows = rows_of(of.rows.tag());
    }
    into.end(how);
}

bool connection::say_error(int number, std::string text, bool procedure) {
    outcome of;
    of.errors.push_back({number, severity_of(number), std::move(text)});
    return send_reply(reply_with({.text = {}, .procedure = procedure}, of).take());
}

bool connection::send_reply(std::string tokens) {
    while (!gone() && loop_.store.state(with_.which).frozen)
        if (!wait_alive(loop_.world.now() + frozen_look))
            return false;
    const auto bytes = packets(packet_kind::reply, tokens, packet_size_);
    if (script_ && script_->what == effect::cut) {
        send(std::string_view(bytes).substr(0, script_->bytes));
        close(true);
        return false;
    }
    if (script_ && script_->what == effect::stall) {
        ++with_.count.stalled;
        if (send(std::string_view(bytes).substr(0, script_->bytes)))
            be_silent();
        return false;
    }
    if (script_ && script_->what == effect::slow)
        return send_slowly(bytes, std::max<std::size_t>(script_->bytes, 1));
    return send(bytes);
}

bool connection::send(std::string_view bytes) {
    while (!bytes.empty() && !gone()) {
        const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            if (!wait_alive())
                return false;
        } else if (errno != EINTR) {
            lost();
        }
    }
    return bytes.empty();
}

bool connection::send_slowly(std::string_view bytes, std::size_t each_millisecond) {
    while (!bytes.empty()) {
        const auto part = bytes.substr(0, each_millisecond);
        bytes.remove_prefix(part.size());
        if (!send(part))
            return false;
        const auto until = loop_.world.now() + std::chrono::milliseconds(1);
        while (loop_.world.now() < until)
            if (!wait_alive(until))
                return false;
    }
    return true;
}

connection::how_ended connection::suffer(const fault& what) {
    switch (what.what) {
    case effect::mute: return be_silent();
    case effect::reset: close(true); return how_ended::over;
    case effect::half_close: shutdown(socket_, SHUT_WR); return be_silent();
    case effect::garbage:
        send(packets(packet_kind::reply, garbage, packet_size_));
        return be_silent();
    case effect::hold: return hold();
    case effect::cut:
    case effect::stall:
    case effect::slow:
    case effect::refuse:
    case effect::deaf: break;
    }
    return how_ended::finished;
}

connection::how_ended connection::hold() {
    const auto ticket = with_.releases;
    auto ended = how_ended::finished;
    ++with_.held;
    while (with_.releases == ticket && ended == how_ended::finished) {
        if (attention_came())
            ended = how_ended::cancelled;
        else if (!wait_alive())
            ended = how_ended::over;
    }
    --with_.held;
    return ended;
}

// Until the client has gone, or the place is shut.
connection::how_ended connection::be_silent() {
    if (session_)
        events_->forget(session_->waits_for().descriptor);
    while (!gone())
        wait();
    return how_ended::over;
}

}

// SPDX-License-Identifier: Apache-2.0
#include "support/tds/tds_connection.hpp"

#include "support/tds/tds_text.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <span>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

namespace hadr::test::tds {

namespace {

constexpr std::size_t early_max = 4;
constexpr std::string_view transaction_question = "SELECT @@TRANCOUNT, XACT_STATE()";
constexpr std::size_t prepared_max = 1024;
constexpr unsigned fatal_severity = 20;
constexpr std::size_t held_max = message_reader::message_max + (64U << 10U);

// Of a store of the other engine, what stands nearest.
int statement_error(const failure& why) noexcept {
    if (why.native > 0)
        return why.native;
    if (why.sqlstate == "25006")
        return 3906;
    if (why.sqlstate == "23505")
        return 2627;
    if (why.sqlstate == "25P02")
        return 3930;
    return why.sqlstate == "57P01" ? 596 : 50'000;
}

using kind = tds_double::request_kind;

kind kind_of(std::string_view procedure) noexcept {
    constexpr std::pair<std::string_view, kind> known[] = {
        {"sp_executesql", kind::executesql},
        {"sp_prepare", kind::prepare},
        {"sp_prepexec", kind::prepexec},
        {"sp_execute", kind::execute},
        {"sp_unprepare", kind::unprepare},
    };
    for (const auto& [name, is] : known)
        if (name == procedure)
            return is;
    return kind::other;
}

}

connection::connection(double_loop& in, place& with, int socket, std::uint64_t id)
    : loop_(in)
    , with_(with)
    , socket_(socket)
    , id_(id) {}

void connection::serve() {
    fiber_ = loop_.world.self();
    events_ = loop_.world.descriptors();
    if (greet())
        while (const auto one = receive())
            if (!handle(*one))
                break;
    session_.reset();
    events_.reset();
    close(false);
    loop_.forget(*this);
}

void connection::take_bytes() {
    char bytes[16'384];
    while (socket_ >= 0) {
        const auto count = recv(socket_, bytes, sizeof bytes, 0);
        if (count <= 0) {
            if (count == 0 || (errno != EAGAIN && errno != EINTR))
                lost();
            if (count == 0 || errno != EINTR)
                return;
            continue;
        }
        reader_.feed({bytes, static_cast<std::size_t>(count)});
        if (reader_.held() > held_max)
            lost();
    }
}

void connection::lost() noexcept {
    if (!gone_ && socket_ >= 0)
        --with_.count.open;
    gone_ = true;
}

void connection::drop() noexcept {
    close(true);
}

void connection::close(bool reset) noexcept {
    if (socket_ < 0)
        return;
    lost();
    if (reset) {
        const linger at_once{1, 0};
        setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    ::close(socket_);
    socket_ = -1;
}

void connection::wait(time_point until) {
    descriptor_set::event one[1];
    if (!gone())
        events_->wait(one, until);
}

// While no statement is under way: false once there is nobody to wait for.
bool connection::wait_alive(time_point until) {
    wait(until);
    return !gone() && !session_lost();
}

bool connection::session_lost() {
    if (!session_)
        return false;
    session_->advance();
    if (session_->usable())
        return false;
    close(!loop_.store.state(with_.which).running);
    return true;
}

std::optional<message> connection::receive() {
    while (!gone() && !session_lost()) {
        if (!early_.empty()) {
            auto one = std::move(early_.front());
            early_.pop_front();
            return one;
        }
        if (auto one = reader_.next())
            return one;
        if (reader_.broken())
            break;
        wait();
    }
    return std::nullopt;
}

bool connection::attention_came() {
    while (auto one = reader_.next()) {
        if (one->kind != packet_kind::attention) {
            early_.push_back(std::move(*one));
            if (early_.size() > early_max)
                close(true);
            continue;
        }
        ++with_.count.attentions;
        if (!with_.script.deaf())
            return true;
    }
    return false;
}

bool connection::handle(const message& one) {
    switch (one.kind) {
    case packet_kind::attention:
        ++with_.count.attentions;
        return with_.script.deaf() || send_reply(reply().end({.attention = true}).take());
    case packet_kind::batch:
        if (auto text = read_batch(one.body)) {
            count(kind::batch);
            return serve_request({.text = model_text(*text)});
        }
        break;
    case packet_kind::rpc:
        if (const auto call = read_rpc(one.body))
            return handle_rpc(*call);
        break;
    case packet_kind::transaction:
        if (const auto what = read_transaction(one.body))
            return handle_transaction(*what);
        break;
    case packet_kind::login:
    case packet_kind::prelogin:
    case packet_kind::reply: break;
    }
    return false;
}

void connection::count(kind what) noexcept {
    if (database_ != "master")
        ++with_.count.requests[static_cast<std::size_t>(what)];
}

bool connection::handle_rpc(const rpc& call) {
    count(kind_of(call.procedure));
    const auto& given = call.parameters;
    const auto text_at = [&](std::size_t which) {
        return which < given.size() ? given[which].value.value_or(std::string()) : std::string();
    };
    if (call.procedure == "sp_executesql")
        return serve_request(
            {.text = model_text(with_parameters(
                 text_at(0), std::span(given).subspan(std::min<std::size_t>(2, given.size()))
             )),
             .procedure = true}
        );
    if (call.procedure == "sp_prepexec" || call.procedure == "sp_prepare") {
        if (prepared_.size() == prepared_max)
            return say_error(701, "There is insufficient system memory to run this query.", true);
        prepared_[++last_handle_] = text_at(2);
        if (call.procedure == "sp_prepexec")
            return call_prepared(call, last_handle_, 3);
        reply made;
        made.status(0).handle(last_handle_).end({.token = done_token::procedure});
        return send_reply(made.take());
    }
    const auto handle_text = text_at(0);
    std::int32_t handle = 0;
    std::from_chars(handle_text.data(), handle_text.data() + handle_text.size(), handle);
    if (call.procedure == "sp_execute")
        return call_prepared(call, handle, 1);
    if (call.procedure != "sp_unprepare")
        return say_error(2812, "Could not find stored procedure.", true);
    prepared_.erase(handle);
    return send_reply(reply().status(0).end({.token = done_token::procedure}).take());
}

bool connection::call_prepared(const rpc& call, std::int32_t handle, std::size_t first_value) {
    const auto found = prepared_.find(handle);
    if (found == prepared_.end())
        return say_error(8179, "Could not find prepared statement with that handle.", true);
    const std::span all(call.parameters);
    request what;
    what.text =
        model_text(with_parameters(found->second, all.subspan(std::min(first_value, all.size()))));
    what.procedure = true;
    if (call.procedure == "sp_prepexec")
        what.handle = handle;
    return serve_request(what);
}

bool connection::handle_transaction(const transaction_request& what) {
    using verb = transaction_request::verb;
    count(kind::transaction);
    if (what.what == verb::begin)
        return serve_request({.text = "BEGIN TRANSACTION"});
    const bool commits = what.what == verb::commit;
    request made{.text = commits ? "COMMIT" : "ROLLBACK"};
    made.kind = commits ? statement_kind::commit : statement_kind::text;
    made.begins_another = what.begins_another;
    return serve_request(made);
}

bool connection::serve_request(const request& what) {
    ++with_.count.statements;
    outcome of;
    auto ended = run(what, of);
    if (ended == how_ended::finished && of.errors.empty() && what.begins_another) {
        const request next{.text = "BEGIN TRANSACTION"};
        ended = run_model(next, of);
    }
    // What a procedure changes of the database ends with it.
    if (ended == how_ended::finished && of.errors.empty() && what.procedure &&
        used_database(what.text)) {
        outcome back;
        ended = run_model({.text = "USE [" + database_ + "]"}, back);
    }
    if (ended == how_ended::over)
        return false;
    if (ended == how_ended::cancelled)
        return send_reply(reply().add(of.head).end({.attention = true}).take());
    return send_reply(reply_with(what, of).take()) && !of.ends;
}

connection::how_ended connection::run(const request& what, outcome& into) {
    const bool commits = what.text == "COMMIT";
    script_ = with_.script.next(commits ? point::commit : point::statement, {}, what.text);
    if (script_ && script_->what == effect::refuse) {
        for (const int number : script_->numbers) {
            into.errors.push_back({number, severity_of(number), "Refused by the script."});
            into.ends = into.ends || into.errors.back().severity >= fatal_severity;
        }
        return how_ended::finished;
    }
    if (what.text == transaction_question) {
        tell_transaction(into);
        return how_ended::finished;
    }
    auto ended = how_ended::finished;
    if (script_ && script_->when == moment::before)
        ended = suffer(*script_);
    if (const auto delay = delay_of(what.text); delay && ended == how_ended::finished)
        ended = pass_time(*delay);
    if (ended == how_ended::finished)
        ended = run_model(what, into);
    if (ended == how_ended::finished && script_ && script_->when == moment::after)
        ended = suffer(*script_);
    return ended;
}

connection::how_ended connection::run_model(const request& what, outcome& into) {
    const statement asked{.text = what.text, .kind = what.kind};
    bool cancelled = false;
    ended_.reset();
    session_->start(asked, into.rows, *this);
    for (;;) {
        if (gone())
            session_->sever();
        session_->advance();
        if (ended_)
            break;
        if (!attention_came()) {
            wait();
            continue;
        }
        cancelled = true;
        static_cast<void>(session_->request_cancel(loop_.world.now()));
    }
    if (gone())
        return how_ended::over;
    const auto how = *std::exchange(ended_, std::nullopt);
    if (!how && take_failure(how.error(), into) == how_ended::over)
        return how_ended::over;
    note_transaction(what.text, into);
    return cancelled ? how_ended::cancelled : how_ended::finished;
}

// A server that ends a session says so, if it still can.
connection::how_ended connection::take_failure(const failure& why, outcome& into) {
    const bool lost = !session_->usable();
    if (lost && why.native <= 0 && why.sqlstate.empty()) {
        close(true);
        return how_ended::over;
    }
    const int number = statement_error(why);
    into.errors.push_back(
        {number, severity_of(number), why.server_text.empty() ? why.message : why.server_text}
    );
    into.ends = lost || severity_of(number) >= fatal_severity;
    return how_ended::finished;
}

// What the model knows and its statements do not tell.
void connection::tell_transaction(outcome& into) const {
    const auto state = session_->transaction();
    const bool failed = state == transaction_status::failed;
    const bool open = failed || state == transaction_status::open;
    into.rows.clear();
    into.rows.add_column("");
    into.rows.add_column("");
    into.rows.add_value(open ? "1" : "0");
    into.rows.add_value(failed ? "-1" : open ? "1" : "0");
}

void connection::note_transaction(std::string_view text, outcome& into) {
    const auto state = session_->transaction();
    const bool open = state == transaction_status::open || state == transaction_status::failed;
    if (state == transaction_status::unknown || open == (transaction_ != 0))
        return;
    const auto before = std::exchange(transaction_, open ? ++transactions_ : 0);
    const auto what = open               ? environment::begun
                      : text == "COMMIT" ? environment::committed
                                         : environment::rolled_back;
    into.head.change_transaction(what, transaction_, before);
}

connection::how_ended connection::pass_time(duration length) {
    const auto until = loop_.world.now() + length;
    while (loop_.world.now() < until) {
        if (attention_came())
            return how_ended::cancelled;
        if (!wait_alive(until))
            return how_ended::over;
    }
    return how_ended::finished;
}

}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/tds/tds_loop.hpp"
#include "support/tds/tds_requests.hpp"
#include "support/tds/tds_tokens.hpp"

#include <hadr/driver.hpp>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hadr::test::tds {

/// One client: a fiber of the world that answers its requests by a session of the simulated store.
class connection final : private completion {
public:
    connection(double_loop& in, place& with, int socket, std::uint64_t id);
    connection(const connection&) = delete;

    /// The fiber.
    void serve();

    // The loop's side.
    void take_bytes();
    void lost() noexcept;
    void drop() noexcept; ///< RST, at once.

    std::uint64_t id() const noexcept { return id_; }
    const place& with() const noexcept { return with_; }
    agent* served_by() const noexcept { return fiber_; }

private:
    enum class how_ended {
        finished,
        cancelled, ///< By an attention.
        over,      ///< The connection is.
    };

    struct outcome {
        std::vector<server_message> errors; ///< Empty if all went well.
        answer rows;
        reply head;        ///< What changed for the transaction.
        bool ends = false; ///< The server closes the connection behind it.
    };

    /// What is asked, and how the reply to it looks: of a batch, or of a procedure.
    struct request {
        std::string text;
        statement_kind kind = statement_kind::text;
        bool procedure = false;
        std::optional<std::int32_t> handle = {}; ///< To be told.
        bool begins_another = false;             ///< A transaction, once this one is over.
    };

    bool gone() const noexcept { return socket_ < 0 || gone_ || loop_.stopping; }
    void wait(time_point until = time_point::max());
    bool wait_alive(time_point until = time_point::max());
    bool session_lost();
    std::optional<message> receive();
    bool attention_came();

    // tds_greeting.cpp
    bool greet();
    bool log_in(const login& one);
    expected<std::unique_ptr<session>> open_session(const login& one);
    bool refuse(std::vector<server_message> why);
    reply welcome(const login& one) const;

    bool handle(const message& one);
    void count(tds_double::request_kind what) noexcept;
    bool handle_rpc(const rpc& call);
    bool call_prepared(const rpc& call, std::int32_t handle, std::size_t first_value);
    bool handle_transaction(const transaction_request& what);
    bool serve_request(const request& what);
    bool say_error(int number, std::string text, bool procedure);
    how_ended run(const request& what, outcome& into);
    how_ended run_model(const request& what, outcome& into);
    how_ended take_failure(const failure& why, outcome& into);
    void tell_transaction(outcome& into) const;
    void note_transaction(std::string_view text, outcome& into);
    how_ended pass_time(duration length);

    // tds_replies.cpp
    reply reply_with(const request& what, outcome& of);
    void put_errors(reply& into, const request& what, const outcome& of) const;
    void put_answer(reply& into, const request& what, const outcome& of);
    bool send_reply(std::string tokens);
    bool send(std::string_view bytes);
    bool send_slowly(std::string_view bytes, std::size_t each_millisecond);

    how_ended suffer(const fault& what);
    how_ended hold();
    how_ended be_silent();
    void close(bool reset) noexcept;
    void completed(expected<void> how) noexcept override { ended_ = std::move(how); }

    double_loop& loop_;
    place& with_;
    int socket_;
    const std::uint64_t id_;
    agent* fiber_ = nullptr;
    bool gone_ = false;
    message_reader reader_;
    std::deque<message> early_; // Came while a request was under way.
    std::size_t packet_size_ = packet_default;
    std::unique_ptr<descriptor_set> events_;
    std::unique_ptr<session> session_;
    std::string database_;
    std::optional<expected<void>> ended_;
    std::optional<fault> script_; // Of the request under way.
    std::uint64_t transaction_ = 0;
    std::uint64_t transactions_ = 0;
    std::map<std::int32_t, std::string> prepared_;
    std::int32_t last_handle_ = 0;
};

}

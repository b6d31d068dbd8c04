// SPDX-License-Identifier: Apache-2.0
#include "fuzz/target.hpp"
#include "support/tds/tds_login.hpp"
#include "support/tds/tds_packets.hpp"
#include "support/tds/tds_requests.hpp"
#include "support/tds/tds_text.hpp"
#include "support/tds/tds_tokens.hpp"

namespace hadr::test {

namespace {

using namespace tds;

void read_text(const std::string& text) {
    answer into;
    const auto how = answer_of(text, into);
    must(how || into.columns() == 0, "what is not answered has no columns");
    must(into.bytes() <= 16U << 20U, "an answer is bounded");
    if (how && *how)
        must(reply().rows(into).made().size() <= 64U << 20U, "and so are its tokens");
    static_cast<void>(used_database(text));
    const auto delay = delay_of(text);
    must(!delay || (*delay >= duration::zero() && *delay <= std::chrono::hours(60)), "a delay");
    const auto once = model_text(text);
    must(model_text(once) == once, "the model's form is its own");
}

void read_message(const message& one) {
    static_cast<void>(read_prelogin(one.body));
    if (const auto who = read_login(one.body))
        must(who->user.size() <= 128 * 4 && who->password.size() <= 128 * 4, "a login is bounded");
    static_cast<void>(read_transaction(one.body));
    if (const auto text = read_batch(one.body))
        read_text(*text);
    if (const auto call = read_rpc(one.body)) {
        must(call->parameters.size() <= rpc::parameters_max, "parameters are bounded");
        if (!call->parameters.empty())
            read_text(with_parameters(call->parameters[0].value.value_or(""), call->parameters));
    }
    const auto again = packets(one.kind, one.body, 600);
    message_reader reader;
    reader.feed(again);
    must(reader.next() == one, "what is written reads the same");
}

// The first byte says in what pieces the rest comes.
void in_pieces(std::string_view bytes) {
    const auto piece = bytes.empty() ? std::size_t{1} : std::size_t{1} + (bytes[0] & 0x7F);
    bytes.remove_prefix(std::min<std::size_t>(1, bytes.size()));
    message_reader whole;
    whole.feed(bytes);
    message_reader cut;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        cut.feed(bytes.substr(at, piece));
        while (const auto one = cut.next()) {
            must(whole.next() == one, "the same messages, however they are cut");
            read_message(*one);
        }
    }
    must(!whole.next(), "and no others");
    must(whole.broken() == cut.broken(), "broken or not");
}

}

}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
    const std::string text(bytes, bytes + count);
    hadr::test::in_pieces(text);
    hadr::test::read_text(text);
    return 0;
}

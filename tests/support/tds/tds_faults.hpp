// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hadr::test::tds {

/// Where a script interferes with a connection.
enum class point : unsigned char {
    accept,   ///< Before anything is read.
    prelogin, ///< Before or after the answer to PRELOGIN.
    login,
    statement, ///< All requests behind the login but commits.
    commit,    ///< By a request of the transaction manager or as text.
};

enum class effect : unsigned char {
    mute,       ///< Nothing comes any more.
    reset,      ///< RST.
    half_close, ///< FIN, and nothing more is answered.
    garbage,    ///< A reply of bytes that mean nothing.
    hold,       ///< Until release(), or an attention that is heeded.
    cut,        ///< RST behind so many bytes of the reply.
    stall,      ///< Nothing more comes behind so many bytes of the reply.
    slow,       ///< The reply comes at so many bytes each millisecond.
    refuse,     ///< With errors of these numbers, in this order.
    deaf,       ///< Attentions have no effect.
};

enum class moment : unsigned char {
    before, ///< The model is not asked: a statement has not run.
    after,  ///< It has run, and only the answer suffers.
};

struct fault {
    point at = point::statement;
    effect what = effect::mute;
    moment when = moment::before;
    std::size_t bytes = 0; ///< Of cut, stall and slow.
    std::vector<int> numbers = {};
    std::size_t skip = 0;                ///< So often it passes over.
    std::size_t times = ~std::size_t{0}; ///< So often it then strikes.
    std::string database = {};           ///< Of a login: only to this one.
    std::string about = {};              ///< Of a statement: only one with this in its text.
};

/// The faults of one place, in the order they were set.
class fault_script {
public:
    void set(fault what) { all_.push_back(std::move(what)); }
    void clear() noexcept { all_.clear(); }

    /// What happens to who comes to that point now; of several the first.
    std::optional<fault>
    next(point at, std::string_view database = {}, std::string_view text = {}) {
        std::optional<fault> made;
        for (auto& one : all_) {
            if (one.at != at || one.what == effect::deaf || one.times == 0 ||
                (!one.database.empty() && one.database != database) ||
                text.find(one.about) == std::string_view::npos)
                continue;
            if (one.skip > 0) {
                --one.skip;
            } else if (!made) {
                made = one;
                --one.times;
            }
        }
        return made;
    }

    bool deaf() const noexcept {
        for (const auto& one : all_)
            if (one.what == effect::deaf)
                return true;
        return false;
    }

private:
    std::vector<fault> all_;
};

}

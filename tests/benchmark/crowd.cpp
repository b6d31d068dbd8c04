// SPDX-License-Identifier: Apache-2.0
#include "benchmark/crowd.hpp"

namespace hadr::benchmark {

namespace {

constexpr std::uint64_t warm_commits = 5;
constexpr std::size_t reasons_most = 3;

}

crowd::crowd(route& through, int writers, duration pause)
    : through_(through)
    , writers_(writers)
    , pause_(pause) {
    for (int i = 0; i < writers; ++i)
        threads_.emplace_back([this, i] { write(i); });
}

crowd::~crowd() {
    stopping_ = true;
}

bool crowd::warm() const {
    return warm_.load() == writers_;
}

void crowd::expect(int port) {
    failed_before_ = through_.connects_failed();
    expected_ = port;
}

bool crowd::await_all(moment until) {
    std::unique_lock lock(mutex_);
    return arrived_.wait_until(lock, until, [&] {
        return found_.first.size() == static_cast<std::size_t>(writers_);
    });
}

void crowd::write(int which) {
    writer mine;
    while (!stopping_) {
        const auto what = through_.append(which);
        if (note(mine, what, std::chrono::steady_clock::now()))
            return;
        if (what.how == attempt::end::committed && pause_ != duration::zero())
            std::this_thread::sleep_for(pause_);
    }
}

// True once the writer has arrived.
bool crowd::note(writer& mine, const attempt& what, moment when) {
    const int port = expected_.load();
    if (what.how == attempt::end::committed) {
        if (++mine.committed == warm_commits)
            ++warm_;
        if (port == 0 || what.port != port)
            return false;
        const std::lock_guard guard(mutex_);
        found_.first.push_back(when);
        arrived_.notify_all();
        return true;
    }
    if (port == 0 || stopping_)
        return false;
    const std::lock_guard guard(mutex_);
    switch (what.how) {
    case attempt::end::committed: break;
    case attempt::end::cut:
        ++found_.cut;
        found_.twice_cut += mine.cut++ != 0 ? 1U : 0U;
        break;
    case attempt::end::refused: ++found_.refused; break;
    case attempt::end::unexplained: ++found_.unexplained; break;
    }
    if (found_.reasons.size() < reasons_most)
        found_.reasons.push_back(what.why);
    return false;
}

crowd::report crowd::stop() {
    stopping_ = true;
    const auto failed = through_.connects_failed() - failed_before_;
    threads_.clear();
    const std::lock_guard guard(mutex_);
    found_.connects_failed = failed;
    std::sort(found_.first.begin(), found_.first.end());
    return found_;
}

}

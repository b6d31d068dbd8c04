// SPDX-License-Identifier: Apache-2.0
#include <hadr/answer.hpp>

#include <stdexcept>

namespace hadr::inline v0 {

std::string_view to_string(transaction_status state) noexcept {
    switch (state) {
    case transaction_status::idle: return "idle";
    case transaction_status::open: return "open";
    case transaction_status::failed: return "failed";
    case transaction_status::unknown: return "unknown";
    }
    return "unknown";
}

// A copy outlives the driver's result.
answer::answer(const answer& other)
    : filled_(true)
    , tag_(other.tag())
    , affected_(other.affected())
    , notices_(other.notices_)
    , transaction_(other.transaction_) {
    if (other.kept_ != nullptr && other.bytes() >= null_bit)
        throw std::length_error("an answer of 2 GiB or more cannot be copied");
    for (std::size_t c = 0; c < other.columns(); ++c)
        add_column(other.column_name(c));
    for (std::size_t r = 0; r < other.rows(); ++r)
        for (std::size_t c = 0; c < other.columns(); ++c)
            add_value(other.at(r, c));
}

answer::answer(answer&& other) noexcept {
    swap(other);
}

answer& answer::operator=(const answer& other) {
    answer(other).swap(*this);
    return *this;
}

answer& answer::operator=(answer&& other) noexcept {
    answer(std::move(other)).swap(*this);
    return *this;
}

void answer::swap(answer& other) noexcept {
    std::swap(kept_, other.kept_);
    std::swap(by_, other.by_);
    std::swap(kept_rows_, other.kept_rows_);
    std::swap(columns_, other.columns_);
    std::swap(filled_, other.filled_);
    bytes_.swap(other.bytes_);
    name_ends_.swap(other.name_ends_);
    ends_.swap(other.ends_);
    tag_.swap(other.tag_);
    std::swap(affected_, other.affected_);
    notices_.swap(other.notices_);
    std::swap(transaction_, other.transaction_);
}

std::optional<std::string_view> answer::copied(std::size_t row, std::size_t column) const noexcept {
    const auto index = row * columns_ + column;
    const auto end = ends_[index];
    if ((end & null_bit) != 0)
        return std::nullopt;
    const auto begin = (index == 0 ? name_ends_.back() : ends_[index - 1]) & ~null_bit;
    return std::string_view(bytes_).substr(begin, end - begin);
}

std::string_view answer::column_name(std::size_t column) const noexcept {
    assert(column < columns_);
    if (kept_ != nullptr)
        return by_->column_name(kept_, column);
    const auto begin = column == 0 ? 0 : name_ends_[column - 1];
    return std::string_view(bytes_).substr(begin, name_ends_[column] - begin);
}

std::size_t answer::bytes() const noexcept {
    if (kept_ == nullptr)
        return bytes_.size();
    std::size_t sum = 0;
    for (std::size_t c = 0; c < columns(); ++c)
        sum += column_name(c).size();
    for (std::size_t r = 0; r < rows(); ++r)
        for (std::size_t c = 0; c < columns(); ++c)
            sum += at(r, c).value_or(std::string_view()).size();
    return sum;
}

std::string_view answer::tag() const noexcept {
    if (tag_)
        return *tag_;
    return kept_ != nullptr ? by_->tag(kept_) : std::string_view();
}

std::uint64_t answer::affected() const noexcept {
    return kept_ != nullptr && !tag_ ? by_->affected(kept_) : affected_;
}

void answer::empty() noexcept {
    filled_ = false;
    bytes_.clear();
    name_ends_.clear();
    ends_.clear();
    tag_.reset();
    affected_ = 0;
    notices_.clear();
}

void answer::add_column(std::string_view name) {
    assert(ends_.empty() && kept_ == nullptr);
    filled_ = true;
    bytes_ += name;
    name_ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
    ++columns_;
}

void answer::add_value(std::optional<std::string_view> text) {
    assert(columns_ > 0);
    if (text)
        bytes_ += *text;
    assert(bytes_.size() < null_bit);
    const auto end = static_cast<std::uint32_t>(bytes_.size());
    ends_.push_back(text ? end : end | null_bit);
}

void answer::finish(std::string_view tag, std::uint64_t affected, transaction_status state) {
    filled_ = true;
    tag_ = tag;
    affected_ = affected;
    transaction_ = state;
}

}

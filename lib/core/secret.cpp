// SPDX-License-Identifier: Apache-2.0
#include <hadr/secret.hpp>

#include <ostream>

namespace hadr::inline v0 {

secret::secret(std::string_view text) : text_(text) {}

secret::secret(const secret& from) = default;

secret::secret(secret&& from) noexcept : text_(std::move(from.text_)) {
    from.wipe();
}

secret& secret::operator=(const secret& from) {
    if (this != &from) {
        wipe();
        text_ = from.text_;
    }
    return *this;
}

secret& secret::operator=(secret&& from) noexcept {
    if (this != &from) {
        wipe();
        text_ = std::move(from.text_);
        from.wipe();
    }
    return *this;
}

secret::~secret() {
    wipe();
}

void secret::wipe() noexcept {
    // Up to the capacity, since a moved-from short string keeps its bytes behind size(). Volatile,
    // or the compiler drops stores to memory that is about to be freed.
    text_.resize(text_.capacity());
    volatile char* bytes = text_.data();
    for (std::size_t i = 0; i < text_.size(); ++i)
        bytes[i] = '\0';
    text_.clear();
}

bool operator==(const secret& a, const secret& b) noexcept {
    return a.text_ == b.text_;
}

std::ostream& operator<<(std::ostream& out, const secret& /*hidden*/) {
    return out << "[redacted]";
}

}

/// What goes into C: texts, lists of texts, bytes. They borrow what they are made from, so they are
/// for parameters only.

#ifndef CONSUL_FFI_ARGUMENTS_HPP
#define CONSUL_FFI_ARGUMENTS_HPP

#include "error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

CONSUL_FFI_NAMESPACE_BEGIN
namespace detail {

/// C would cut a text at a NUL, and take one key for another.
inline consul::error refuse_nul(bool has_nul) {
    return has_nul ? consul::error(consul::status::err_argument,
                                   "a text may not have a NUL in it: C would cut it there")
                   : consul::error();
}

} // namespace detail

/// A text for C, from a literal, a `std::string` or a `std::string_view`, of which the last is
/// copied. `nullptr` where a text may be left out. One with a NUL in it is refused.
class c_text {
public:
    c_text(std::nullptr_t = nullptr) noexcept {}
    c_text(const char *text) noexcept : text_(text) {}
    c_text(const std::string &text) noexcept
        : text_(text.c_str()), has_nul_(text.find('\0') != std::string::npos) {}
    c_text(std::string_view text)
        : copy_(text), text_(copy_.c_str()), has_nul_(text.find('\0') != text.npos) {}

    c_text(const c_text &) = delete;
    c_text &operator=(const c_text &) = delete;

    consul::error refused() const { return detail::refuse_nul(has_nul_); }
    const char *c_value() const noexcept { return text_; }

private:
    std::string copy_;
    const char *text_ = nullptr;
    bool has_nul_ = false;
};

namespace detail {

/// A text that is not what its call is about.
struct aside {
    const c_text &text;

    consul::error refused() const { return text.refused(); }
    const char *c_value() const noexcept { return text.c_value(); }
};

/// What a call is about, such as its key: the text that comes first. Null where that is none.
inline const char *subject() noexcept { return nullptr; }
template <class First, class... Rest>
const char *subject([[maybe_unused]] const First &first, const Rest &...rest) noexcept {
    if constexpr (std::is_same_v<First, c_text>) {
        return first.c_value();
    } else if constexpr (std::is_same_v<First, aside>) {
        return subject(rest...);
    } else {
        return nullptr;
    }
}

} // namespace detail

/// Texts for C, from `{"a", "b"}` or any range of them; copied. One with a NUL in it is refused.
class c_texts {
public:
    /// The array as it is passed.
    struct array {
        const char *const *data;
        bool has_nul;

        consul::error refused() const { return detail::refuse_nul(has_nul); }
        const char *const *c_value() const noexcept { return data; }
    };

    c_texts() = default;
    c_texts(std::initializer_list<std::string_view> texts) { add_all(texts); }
    template <class Range, class = std::enable_if_t<std::is_convertible_v<
                               decltype(*std::begin(std::declval<const Range &>())),
                               std::string_view>>>
    c_texts(const Range &texts) { add_all(texts); }

    c_texts(const c_texts &) = delete;
    c_texts &operator=(const c_texts &) = delete;

    array data() const noexcept { return {pointers_.data(), has_nul_}; }
    std::size_t size() const noexcept { return pointers_.size(); }

private:
    template <class Range>
    void add_all(const Range &texts) {
        for (std::string_view text : texts) {
            texts_.emplace_back(text);
            has_nul_ = has_nul_ || text.find('\0') != text.npos;
        }
        for (const std::string &text : texts_) {
            pointers_.push_back(text.c_str());
        }
    }

    std::vector<std::string> texts_;
    std::vector<const char *> pointers_;
    bool has_nul_ = false;
};

/// Bytes for C, from a text or from anything contiguous whose elements are bytes.
class bytes {
public:
    bytes(const void *data, std::size_t size) noexcept
        : data_(static_cast<const std::uint8_t *>(data)), size_(size) {}
    bytes(std::string_view text) noexcept : bytes(text.data(), text.size()) {}
    bytes(const char *text) noexcept : bytes(text, text == nullptr ? 0 : std::strlen(text)) {}
    template <class Container, class Byte = std::remove_pointer_t<decltype(
                                   std::declval<const Container &>().data())>,
              class = std::enable_if_t<sizeof(Byte) == 1 &&
                                       !std::is_convertible_v<const Container &, std::string_view>>>
    bytes(const Container &container) noexcept : bytes(container.data(), container.size()) {}
    bytes(const std::string &text) noexcept : bytes(text.data(), text.size()) {}

    const std::uint8_t *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }

private:
    const std::uint8_t *data_;
    std::size_t size_;
};

CONSUL_FFI_NAMESPACE_END

#endif

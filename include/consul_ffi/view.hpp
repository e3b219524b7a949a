/// What the views of rows are made of: texts, durations, ranges over C's arrays.

#ifndef CONSUL_FFI_VIEW_HPP
#define CONSUL_FFI_VIEW_HPP

#include "../consul_ffi.h"
#include "namespace.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

CONSUL_FFI_NAMESPACE_BEGIN
namespace detail {

template <class Row>
inline constexpr Row empty_row{};

/// A row of an answer; an empty one where there is none, so that no view points nowhere.
template <class Row>
class row {
public:
    row() noexcept = default;
    explicit row(const Row *borrowed) noexcept
        : row_(borrowed == nullptr ? &empty_row<Row> : borrowed) {}

    /// The row as C has it. Borrowed.
    const Row *c_row() const noexcept { return row_; }

protected:
    const Row *row_ = &empty_row<Row>;
};

/// A copy of a row that points nowhere.
template <class Row>
class copy {
public:
    copy() noexcept = default;
    explicit copy(const Row *borrowed) noexcept : row_(borrowed == nullptr ? Row{} : *borrowed) {}

protected:
    Row row_{};
};

inline std::string_view text(const char *data, std::size_t size) noexcept {
    return data == nullptr ? std::string_view() : std::string_view(data, size);
}

inline std::string_view text(const std::uint8_t *data, std::size_t size) noexcept {
    return text(reinterpret_cast<const char *>(data), size);
}

/// One that needs more than the signed 64 bits of std::chrono lasts for ever.
template <class Duration>
constexpr Duration duration(std::uint64_t count) noexcept {
    using rep = typename Duration::rep;
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<rep>::max());
    return count >= most ? (Duration::max)() : Duration(static_cast<rep>(count));
}

/// Lets `->` reach into a view that is made on the spot.
template <class View>
struct arrow {
    View view;
    const View *operator->() const noexcept { return &view; }
};

/// Goes through a range that has `operator[]` and is small: it is kept in here, so that an iterator
/// outlives it.
template <class Range>
class iterator {
public:
    using value_type = typename Range::value_type;
    using reference = value_type;
    using pointer = arrow<value_type>;
    using difference_type = std::ptrdiff_t;
    // By its operators it is one of random access, but for C++17 such a one gives references.
    using iterator_category = std::input_iterator_tag;
#if __cplusplus >= 202002L
    using iterator_concept = std::random_access_iterator_tag;
#endif

    iterator() noexcept = default;
    iterator(Range range, std::size_t index) noexcept
        : range_(range), index_(static_cast<difference_type>(index)) {}

    reference operator*() const noexcept { return range_[static_cast<std::size_t>(index_)]; }
    pointer operator->() const noexcept { return {**this}; }
    reference operator[](difference_type n) const noexcept { return *(*this + n); }

    iterator &operator++() noexcept { return *this += 1; }
    iterator &operator--() noexcept { return *this -= 1; }
    iterator operator++(int) noexcept { return std::exchange(*this, *this + 1); }
    iterator operator--(int) noexcept { return std::exchange(*this, *this - 1); }
    iterator &operator+=(difference_type n) noexcept { index_ += n; return *this; }
    iterator &operator-=(difference_type n) noexcept { index_ -= n; return *this; }

    friend iterator operator+(iterator it, difference_type n) noexcept { return it += n; }
    friend iterator operator+(difference_type n, iterator it) noexcept { return it += n; }
    friend iterator operator-(iterator it, difference_type n) noexcept { return it -= n; }
    friend difference_type operator-(const iterator &a, const iterator &b) noexcept {
        return a.index_ - b.index_;
    }
    friend bool operator==(const iterator &a, const iterator &b) noexcept { return a - b == 0; }
    friend bool operator!=(const iterator &a, const iterator &b) noexcept { return a - b != 0; }
    friend bool operator<(const iterator &a, const iterator &b) noexcept { return a - b < 0; }
    friend bool operator>(const iterator &a, const iterator &b) noexcept { return a - b > 0; }
    friend bool operator<=(const iterator &a, const iterator &b) noexcept { return a - b <= 0; }
    friend bool operator>=(const iterator &a, const iterator &b) noexcept { return a - b >= 0; }

private:
    Range range_{};
    difference_type index_ = 0;
};

/// The part that all ranges share. `Range` has `value_type`, `operator[]` and `size()`.
template <class Range>
class range {
public:
    detail::iterator<Range> begin() const noexcept { return {self(), 0}; }
    detail::iterator<Range> end() const noexcept { return {self(), self().size()}; }
    bool empty() const noexcept { return self().size() == 0; }

private:
    const Range &self() const noexcept { return static_cast<const Range &>(*this); }
};

/// A C array of strings.
class texts : public range<texts> {
public:
    using value_type = std::string_view;

    texts() noexcept = default;
    texts(const char *const *data, std::size_t size) noexcept : data_(data), size_(size) {}

    std::size_t size() const noexcept { return size_; }

    /// Empty past the end.
    value_type operator[](std::size_t index) const noexcept {
        return index < size_ ? value_type(data_[index]) : value_type();
    }

    bool contains(std::string_view text) const noexcept {
        for (std::string_view known : *this) {
            if (known == text) {
                return true;
            }
        }
        return false;
    }

private:
    const char *const *data_ = nullptr;
    std::size_t size_ = 0;
};

/// Two C arrays of strings, one beside the other.
class pairs : public range<pairs> {
public:
    using value_type = std::pair<std::string_view, std::string_view>;

    pairs() noexcept = default;
    pairs(const char *const *firsts, const char *const *seconds, std::size_t size) noexcept
        : firsts_(firsts, size), seconds_(seconds, size) {}

    std::size_t size() const noexcept { return firsts_.size(); }

    /// Empty past the end.
    value_type operator[](std::size_t index) const noexcept {
        return {firsts_[index], seconds_[index]};
    }

    /// What stands beside the first one of this name.
    std::optional<std::string_view> find(std::string_view name) const noexcept {
        for (const value_type pair : *this) {
            if (pair.first == name) {
                return pair.second;
            }
        }
        return std::nullopt;
    }

private:
    texts firsts_;
    texts seconds_;
};

/// A C array of pointers to rows.
template <class View>
class views : public range<views<View>> {
public:
    using value_type = View;
    using row_type = std::remove_pointer_t<decltype(std::declval<View>().c_row())>;

    views() noexcept = default;
    views(row_type *const *rows, std::size_t size) noexcept : rows_(rows), size_(size) {}

    std::size_t size() const noexcept { return size_; }

    /// Empty past the end.
    View operator[](std::size_t index) const noexcept {
        return View(index < size_ ? rows_[index] : nullptr);
    }

private:
    row_type *const *rows_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace detail
CONSUL_FFI_NAMESPACE_END

#endif

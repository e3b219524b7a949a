/// What every call returns.

#ifndef CONSUL_FFI_RESULT_HPP
#define CONSUL_FFI_RESULT_HPP

#include "error.hpp"

#include <optional>
#include <type_traits>
#include <utility>

CONSUL_FFI_NAMESPACE_BEGIN
namespace detail {

template <class T, class = void>
struct has_arrow : std::false_type {};
template <class T>
struct has_arrow<T, std::void_t<decltype(std::declval<T &>().operator->())>> : std::true_type {};

/// The part of a result that does not depend on what it holds.
class outcome {
public:
    /// It worked.
    bool ok() const noexcept { return error_.status() == consul::status::ok; }
    explicit operator bool() const noexcept { return ok(); }

    /// It failed: neither `ok` nor an honest answer (not found, conflict, held, no change), nor
    /// pending.
    bool failed() const noexcept { return error_.is_error(); }

    consul::status status() const noexcept { return error_.status(); }

    /// What went wrong; the bare status where nothing did. Of a result that is gone at the end of the
    /// line, a copy.
    const consul::error &error() const & noexcept { return error_; }
    consul::error error() const && noexcept { return error_; }

    /// Throws an error, and lets all else pass: for calls of which nothing more is asked, such as
    /// those that end in a queue.
    void throw_if_failed() const {
        if (failed()) {
            fail(error_);
        }
    }

protected:
    outcome() noexcept = default;
    explicit outcome(consul::error error) noexcept : error_(std::move(error)) {}

    void must_be_ok() const {
        if (!ok()) {
            fail(error_);
        }
    }

private:
    consul::error error_;
};

} // namespace detail

/// A `T`, or how the call ended otherwise. `value()`, `or_throw()` and `throw_if_failed()` throw a
/// `consul::error`; without exceptions they print it and end the process, so ask `ok()` or
/// `failed()` first there.
template <class T>
class [[nodiscard]] result : public detail::outcome {
public:
    result(T value) : answer_(std::move(value)) {}
    result(consul::error error) : outcome(std::move(error)) {}
    /// An honest answer that has something to say, such as the index to wait on, or an error that has.
    result(consul::error error, T answer) : outcome(std::move(error)), answer_(std::move(answer)) {}

    /// What was asked for; throws for everything but `ok`.
    T &value() & { must_be_ok(); return *answer_; }
    const T &value() const & { must_be_ok(); return *answer_; }
    T value() && { must_be_ok(); return std::move(*answer_); }

    T &operator*() & { return value(); }
    const T &operator*() const & { return value(); }
    T operator*() && { return std::move(*this).value(); }

    // What it borrows would be gone at the end of the line: name the result first.
    decltype(auto) operator->() & { return reach(value()); }
    decltype(auto) operator->() const & { return reach(value()); }
    void operator->() && = delete;

    /// Throws an error, and lets an honest answer pass.
    const result &or_throw() const & { throw_if_failed(); return *this; }
    result or_throw() && { throw_if_failed(); return std::move(*this); }

    /// What came with `ok`, with an honest answer, or with a transaction's error; null where nothing did.
    T *answer() & noexcept { return answer_ ? &*answer_ : nullptr; }
    const T *answer() const & noexcept { return answer_ ? &*answer_ : nullptr; }
    void answer() && = delete;

    /// What the answer's headers say, with `ok` and with "not found"; all 0 after a failure.
    auto meta() const {
        return answer_ ? answer_->meta() : decltype(answer_->meta())();
    }

private:
    template <class U>
    static decltype(auto) reach(U &value) {
        if constexpr (detail::has_arrow<U>::value) {
            return (value);
        } else {
            return &value;
        }
    }

    std::optional<T> answer_;
};

/// How a call ended that gives nothing.
template <>
class [[nodiscard]] result<void> : public detail::outcome {
public:
    result() noexcept = default;
    result(consul::error error) noexcept : outcome(std::move(error)) {}

    /// Throws for everything but `ok`.
    void value() const { must_be_ok(); }

    /// Throws an error, and lets an honest answer pass.
    const result &or_throw() const & { throw_if_failed(); return *this; }
    result or_throw() && { throw_if_failed(); return std::move(*this); }
};

CONSUL_FFI_NAMESPACE_END

#endif

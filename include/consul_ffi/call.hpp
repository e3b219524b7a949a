/// The one way into C: arguments are looked at, the function is called, its status becomes an
/// error.

#ifndef CONSUL_FFI_CALL_HPP
#define CONSUL_FFI_CALL_HPP

#include "arguments.hpp"
#include "handles.hpp"
#include "result.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>

CONSUL_FFI_NAMESPACE_BEGIN
namespace detail {

/// Owns a handle. C checks handles, so calls on an empty one answer `err_handle`.
template <class Handle>
using owned = std::unique_ptr<Handle, free_handle>;

template <class Argument>
inline constexpr bool is_duration = std::is_same_v<Argument, std::chrono::milliseconds>;

template <class Argument, class = void>
struct is_ours : std::false_type {};
template <class Argument>
struct is_ours<Argument, std::void_t<decltype(std::declval<const Argument &>().c_value())>>
    : std::true_type {};

/// Why an argument cannot be passed.
template <class Argument>
consul::error refused(const Argument &argument) {
    if constexpr (is_ours<Argument>::value) {
        return argument.refused();
    } else if constexpr (is_duration<Argument>) {
        if (argument < Argument::zero()) {
            return consul::error(consul::status::err_argument, "a duration may not be below 0");
        }
    }
    return consul::error();
}

/// An argument as C takes it.
template <class Argument>
auto pass(const Argument &argument) noexcept {
    if constexpr (is_ours<Argument>::value) {
        return argument.c_value();
    } else if constexpr (is_duration<Argument>) {
        // The longest duration is C's "for ever".
        return argument == (Argument::max)() ? (std::numeric_limits<std::uint64_t>::max)()
                                             : static_cast<std::uint64_t>(argument.count());
    } else if constexpr (std::is_enum_v<Argument>) {
        return static_cast<std::underlying_type_t<Argument>>(argument);
    } else {
        return argument;
    }
}

/// How long to wait, where C's number is signed and -1 means for ever.
class patience {
public:
    explicit patience(std::chrono::milliseconds timeout) noexcept : timeout_(timeout) {}

    consul::error refused() const { return detail::refused(timeout_); }
    std::int64_t c_value() const noexcept {
        return timeout_ == (std::chrono::milliseconds::max)() ? -1 : timeout_.count();
    }

private:
    std::chrono::milliseconds timeout_;
};

/// Calls a C function, whose first argument is a handle or what one is made from; nothing is called
/// when an argument is refused.
template <class Function, class First, class... Rest>
consul::error invoke(Function function, const First &first, const Rest &...rest) {
    consul::error refusal = refused(first);
    const bool good =
        !refusal.is_error() && ((refusal = refused(rest), !refusal.is_error()) && ...);
    return good ? consul::error::of(function(pass(first), pass(rest)...)).about(subject(rest...))
                : refusal;
}

/// Calls a C function that gives a `T` through its last parameter.
template <class T, class Function, class... Arguments>
result<T> fetch(Function function, const Arguments &...arguments) {
    typename T::handle_type *out = nullptr;
    consul::error outcome = invoke(function, arguments..., &out);
    if (out == nullptr) {
        return outcome;
    }
    return {std::move(outcome), T(out)};
}

/// The same for a text, which is copied.
template <class Function, class... Arguments>
result<std::string> fetch_text(Function function, const Arguments &...arguments) {
    consul_text *out = nullptr;
    consul::error outcome = invoke(function, arguments..., &out);
    const owned<consul_text> text(out);
    if (out == nullptr) {
        return outcome;
    }
    return {std::move(outcome), std::string(consul_text_data(out), consul_text_len(out))};
}

} // namespace detail
CONSUL_FFI_NAMESPACE_END

#endif

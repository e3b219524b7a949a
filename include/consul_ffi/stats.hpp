/// How sessions, locks, services and watches that the library keeps up are getting on, and the library.

#ifndef CONSUL_FFI_STATS_HPP
#define CONSUL_FFI_STATS_HPP

#include "answers.hpp"

#include <cstdint>

CONSUL_FFI_NAMESPACE_BEGIN
namespace detail {

template <>
struct answer<consul_stats> {
    using view = progress;
    static view at(const consul_stats *handle, std::size_t) noexcept {
        return view(consul_stats_row(handle));
    }
};

} // namespace detail

/// As it was when it was asked for, reached by `->`. Asking makes no request and never blocks.
using stats = single<consul_stats>;

/// How many threads the library runs in this process now: 0 before the first use and once the last
/// client is closed.
inline std::uint32_t library_threads() noexcept { return consul_library_threads(); }

CONSUL_FFI_NAMESPACE_END

#endif

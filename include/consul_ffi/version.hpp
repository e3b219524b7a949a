/// The library in use: whether it fits this header, its version, what it has not freed.

#ifndef CONSUL_FFI_VERSION_HPP
#define CONSUL_FFI_VERSION_HPP

#include "result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

CONSUL_FFI_NAMESPACE_BEGIN
namespace detail {

/// The same major version, and no smaller minor one.
inline consul::error check_abi(std::uint32_t library, std::uint32_t major, std::uint32_t minor) {
    if (library >> 16 == major && (library & 0xffff) >= minor) {
        return consul::error();
    }
    return consul::error(consul::status::err_unsupported,
                         "libconsul_ffi has ABI " + std::to_string(library >> 16) + '.' +
                             std::to_string(library & 0xffff) +
                             ", and this program was compiled for ABI " + std::to_string(major) +
                             '.' + std::to_string(minor));
}

} // namespace detail

/// Whether the library that the program runs with fits the header that it was compiled with: else
/// `err_unsupported`. All that makes a handle asks this by itself.
inline result<void> check_library() {
    return detail::check_abi(consul_abi_version(), CONSUL_ABI_MAJOR, CONSUL_ABI_MINOR);
}

/// The version of the library in use, such as `1.2.3`.
inline std::string_view version() noexcept { return consul_version(); }

/// How many handles of a type are not freed yet.
inline std::size_t live_handles(handle_type type = handle_type::all) noexcept {
    return consul_live_handles(static_cast<std::int32_t>(type));
}

CONSUL_FFI_NAMESPACE_END

#endif

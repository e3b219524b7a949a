/// Where everything lives, and whether a failure can be thrown.

#ifndef CONSUL_FFI_NAMESPACE_HPP
#define CONSUL_FFI_NAMESPACE_HPP

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 201703L
#error "consul_ffi.hpp needs C++17; consul_ffi.h does with C++11"
#endif

/// 1 where the compiler has exceptions, 0 with -fno-exceptions.
#ifndef CONSUL_FFI_EXCEPTIONS
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
#define CONSUL_FFI_EXCEPTIONS 1
#else
#define CONSUL_FFI_EXCEPTIONS 0
#endif
#endif

// Everything is inline. Where files with and without exceptions are linked together, the linker
// must not take one's `value()` for the other's.
#if CONSUL_FFI_EXCEPTIONS
#define CONSUL_FFI_NAMESPACE_BEGIN namespace consul {
#define CONSUL_FFI_NAMESPACE_END }
#else
#define CONSUL_FFI_NAMESPACE_BEGIN namespace consul { inline namespace no_exceptions {
#define CONSUL_FFI_NAMESPACE_END } }
#endif

#endif

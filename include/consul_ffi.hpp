/// consul_ffi for C++17 and newer: consul_ffi.h with ownership, ranges and results, header-only.
///
///     #include <consul_ffi.hpp>            c++ -std=c++17 program.cpp -lconsul_ffi
///
///     auto client = consul::client::create().value();
///     auto limit = client.kv().get("app/limit");
///     if (limit)
///         std::cout << limit->value() << '\n';
///     else if (limit.status() == consul::status::not_found)
///         std::cout << "no limit\n";
///     else
///         std::cerr << limit.error().what() << '\n';
///
/// Results. Every call returns a `consul::result<T>`: a `T`, an honest answer (not found, conflict,
/// held), or an error. `value()` gives the `T` or throws a `consul::error`; `or_throw()` throws for
/// errors only. Everything else works with -fno-exceptions and -fno-rtti too.
///
/// Ownership. Whatever owns a handle is move-only, and its end never throws. A guard's end releases what
/// it holds, a client's gives back what lives on it, for a second at most; nothing else's end waits.
/// Moved from it is empty, and what is empty answers `err_handle`: no misuse ends in undefined behaviour, but
/// for views that outlive their answer. Views and `std::string_view`s are borrowed from the answer
/// they came from; where that would be gone at the end of the line they do not compile.
///
/// Asynchronous. Every call blocks; `client.on(queue, tag)` and `lock.on(queue, tag)` have the same
/// ones without: they give `pending`, and the event that arrives in the queue has the result.
///
/// Threads. As in C: any call from any thread; what is being changed is for one thread at a time.

#ifndef CONSUL_FFI_HPP
#define CONSUL_FFI_HPP

#include "consul_ffi/client.hpp"
#include "consul_ffi/log.hpp"
#include "consul_ffi/ring.hpp"
#include "consul_ffi/version.hpp"

#endif

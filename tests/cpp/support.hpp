/// What the C++ tests stand on: the C tests' checks, results that are as wanted, names, a client.

#ifndef SUPPORT_HPP
#define SUPPORT_HPP

#include <consul_ffi.hpp> // first: it needs nothing before it

#include "../c/check.h"

#include <cstdlib>
#include <string>

using namespace std::chrono_literals;

template <class T>
consul::result<T> check_is(const char *file, int line, const char *call, consul::result<T> got,
                           consul::status wanted) {
    if (got.status() != wanted) {
        fail(file, line, "%s\n    gave %s, not %s", call, got.error().what(),
             consul_status_name(static_cast<consul_status>(wanted)));
    }
    return got;
}

/// The call ends with this status; gives its result.
#define IS(wanted, ...) check_is(__FILE__, __LINE__, #__VA_ARGS__, (__VA_ARGS__), consul::status::wanted)

/// The call works; gives what it gave.
#define GET(...) IS(ok, __VA_ARGS__).value()
#define OK(...) ((void)IS(ok, __VA_ARGS__))

/// A number or a comparison of the one row that a call gives: ROW(client.kv().get(key), flags() == 5)
#define ROW(call, ...) ([&] { const auto row = GET(call); return row->__VA_ARGS__; }())
#define FIRST(call, ...) ([&] { const auto rows = GET(call); return rows[0] __VA_ARGS__; }())

/// The call fails with this status, and its message holds this text.
#define FAILS(wanted, text, ...)                                                                   \
    do {                                                                                           \
        const auto failure = IS(wanted, __VA_ARGS__).error();                                      \
        if (failure.message().find(text) == std::string_view::npos)                                \
            fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", failure.what(), text);          \
    } while (0)

/// A client of the tests' Consul, which may be slow on a busy machine.
inline consul::client new_client() {
    consul::config config;
    config.set("timeout_ms", "30000");
    return GET(consul::client::create(config));
}

/// A name that no other test uses. Fit for keys and services.
inline std::string unique(const std::string &prefix) {
    static int count = 0;
    return "cpp-" + prefix + '-' + std::to_string(getpid()) + '-' + std::to_string(++count);
}

/// Everything that the test made is gone: the end of each test.
inline int finished() {
    CHECK(consul::live_handles() == 0);
    return 0;
}

#endif

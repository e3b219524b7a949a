// Writes a key and reads it back: shows that the C++ headers and the library fit together.

#if __has_include(<consul_ffi.hpp>)
#include <consul_ffi.hpp>
#include <iostream>

int main() try {
    const auto client = consul::client::create().value();
    client.kv().put("packages/cpp", "hello").value();
    const auto pair = client.kv().get("packages/cpp").value();
    const bool good = pair->value() == "hello";
    client.kv().delete_("packages/cpp").value();
    std::cout << (good ? "C++ " : "wrong answer ") << consul_version() << '\n';
    return good ? 0 : 1;
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
#else
// Of C++ there is the C header only.
#include "smoke.c"
#endif

// Writes a key, reads it back, deletes it.

#include <consul_ffi.hpp>
#include <iostream>

int main() try {
    // The settings of the environment, CONSUL_HTTP_ADDR and so on.
    const auto client = consul::client::create().value();

    client.kv().put("app/greeting", "hello").value();

    const auto pair = client.kv().get("app/greeting").or_throw();
    if (pair) {
        std::cout << pair->value() << ", modify index " << pair->modify_index() << '\n';
    } else {
        std::cout << "no such key\n";
    }

    client.kv().delete_("app/greeting").value();
} catch (const consul::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}

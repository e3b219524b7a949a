// Follows a key by blocking queries: each one is answered when something changes, or when its wait
// is over. Ends when the key's value is "stop".

#include <consul_ffi.hpp>
#include <iostream>
#include <thread>

using namespace std::chrono_literals;

// It works without exceptions, too: errors are asked for, not thrown.
static int follow(const consul::client &client, const char *key) {
    std::uint64_t index = 0;
    std::uint64_t shown = UINT64_MAX;
    consul::options options;
    options.wait(30s);
    for (;;) {
        // 0 is answered at once. The call's timeout grows with the wait by itself.
        options.index(index);
        const auto pair = client.kv().get(key, options);
        if (pair.failed()) {
            std::cerr << pair.error().what() << '\n';
            if (!pair.error().retryable()) {
                return 1;
            }
            std::this_thread::sleep_for(1s);
            continue;
        }
        // An index that went back tells of a Consul that was restored: begin anew.
        const auto news = pair.meta().index();
        index = news < index ? 0 : news;

        // A query can be answered although this key is as it was.
        const auto version = pair ? pair->modify_index() : 0;
        if (version == shown) {
            continue;
        }
        shown = version;
        if (!pair) {
            std::cout << key << " does not exist" << std::endl;
            continue;
        }
        std::cout << key << " = " << pair->value() << std::endl;
        if (pair->value() == "stop") {
            return 0;
        }
    }
}

int main() {
    const auto client = consul::client::create();
    if (!client) {
        std::cerr << client.error().what() << '\n';
        return 1;
    }
    return follow(*client, "app/limit");
}

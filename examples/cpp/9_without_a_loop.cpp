// Writes a hundred keys at once from one thread, which has no event loop: it takes the answers as they
// come.

#include <consul_ffi.hpp>
#include <iostream>
#include <string>

static const std::uint64_t count = 100;

static void write_all(const consul::client &client, const consul::queue &queue) {
    for (std::uint64_t number = 1; number <= count; number++) {
        const auto text = std::to_string(number);
        client.on(queue, number).kv().put("app/many/" + text, text).throw_if_failed();
    }
    // All are on their way; what comes first is taken first.
    std::uint64_t written = 0;
    for (std::uint64_t left = count; left > 0; left--) {
        auto event = queue.next().value();
        const auto done = event.take<void>();
        if (done) {
            written++;
        } else {
            std::cerr << "key " << event.tag() << ": " << done.error().what() << '\n';
        }
    }
    std::cout << written << " keys written, " << count << " calls in flight at most\n";
}

int main() try {
    const auto client = consul::client::create().value();
    const auto queue = consul::queue::create().value();
    write_all(client, queue);

    const auto keys = client.kv().keys("app/many/").value();
    std::cout << "app/many/ has " << keys.size() << " keys\n";
    client.kv().delete_prefix("app/many/").value();
} catch (const consul::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}

// What can go wrong, and what a program does about it.

#include <consul_ffi.hpp>
#include <iostream>
#include <string_view>

using namespace std::chrono_literals;

// Honest answers are not errors: or_throw() lets them pass.
static void not_found(const consul::client &client) {
    const auto pair = client.kv().get("app/none").or_throw();
    if (!pair) {
        std::cout << "not found: take the default\n";
    }
}

static void conflict(const consul::client &client) {
    client.kv().put("app/counter", "1").value();
    // 0: only if the key does not exist.
    if (client.kv().cas("app/counter", "1", 0).status() == consul::status::conflict) {
        std::cout << "conflict: read it again, then try again\n";
    }
    client.kv().delete_("app/counter").value();
}

static void denied(const consul::client &client) {
    consul::options options;
    options.token("11111111-2222-3333-4444-555555555555");
    const auto pair = client.kv().get("app/none", options);
    if (pair.status() == consul::status::err_denied) {
        std::cout << "denied: another token is needed (HTTP " << pair.error().http_status() << ")\n";
    } else {
        std::cout << "denied: not here, this Consul asks for no token\n";
    }
}

static void connect_fails() {
    consul::config config;
    config.set("address", "http://127.0.0.1:1"); // nobody listens there
    const auto client = consul::client::create(config).value();
    try {
        (void)client.kv().get("app/none").value();
    } catch (const consul::error &error) {
        if (error.status() == consul::status::err_connect) {
            std::cout << "connect: " << (error.retryable() ? "try again later" : "give up") << '\n';
        }
    }
}

static void timeout(const consul::client &client) {
    consul::options options;
    options.timeout(200ms);
    // Consul answers this after a minute.
    const auto response = client.request(
        "GET", "/v1/kv/app/none?index=1000000000&wait=60s", "", nullptr, options);
    if (response.status() == consul::status::err_timeout) {
        std::cout << "timeout: the deadline passed\n";
    }
}

// A change that was sent and not answered may have been applied, so it is not simply done again.
static void outcome_unknown(const consul::client &client) {
    const char *key = "app/payment";
    const std::string_view value = "payment 4711";
    consul::options options;
    options.timeout(30s);
    const auto written = client.kv().cas(key, value, 0, 0, options);
    if (!written.failed()) {
        std::cout << "outcome: " << (written ? "written" : "it was there already") << '\n';
    } else if (!written.error().outcome_unknown()) {
        std::cout << "outcome: not written\n";
    } else {
        const auto pair = client.kv().get(key).or_throw();
        std::cout << "outcome: no answer, "
                  << (pair && pair->value() == value ? "but it was written\n" : "and not written so far\n");
    }
    client.kv().delete_(key).value();
}

int main() try {
    const auto client = consul::client::create().value();
    not_found(client);
    conflict(client);
    denied(client);
    connect_fails();
    timeout(client);
    outcome_unknown(client);
} catch (const consul::error &error) {
    // Its name, and one line for people.
    std::cerr << error.what() << '\n';
    return 1;
}

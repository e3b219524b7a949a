// Registers a service with a TTL check, keeps it alive, finds it, deregisters it.

#include <consul_ffi.hpp>
#include <iostream>
#include <thread>

using namespace std::chrono_literals;

static consul::service_spec web() {
    // It turns critical when nobody reports on it for 15 s. What was critical for 10 minutes is gone:
    // a program that crashed leaves nothing behind.
    consul::check_spec check;
    check.ttl(15s).deregister_after(10min);
    consul::service_spec service("web");
    service.address("127.0.0.1").port(8080).add_check(check);
    return service;
}

// Waits for healthy instances, by blocking queries.
static consul::instance_list find(const consul::client &client, const char *name) {
    consul::options options;
    for (;;) {
        auto instances = client.health().service(name, consul::only::passing, {}, options).value();
        if (!instances.empty()) {
            return instances;
        }
        options.index(instances.meta().index());
    }
}

int main() try {
    const auto client = consul::client::create().value();
    const auto agent = client.agent();
    agent.service_register(web()).value();
    agent.check_pass("service:web").value();

    for (const auto instance : find(client, "web")) {
        std::cout << instance.service().id() << " at " << instance.address() << ':'
                  << instance.service().port() << " is " << instance.status() << '\n';
    }

    // A program that lives longer reports every few seconds, well within the TTL.
    for (int beat = 0; beat < 3; beat++) {
        auto passed = agent.check_pass("service:web");
        if (passed.status() == consul::status::not_found) {
            // The agent forgot the service.
            passed = agent.service_register(web());
        }
        if (passed.failed()) {
            std::cerr << passed.error().what() << '\n'; // the next one may work
        }
        std::this_thread::sleep_for(100ms);
    }

    agent.service_deregister("web").value();
    std::cout << "deregistered\n";
} catch (const consul::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}

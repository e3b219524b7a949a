// Follows a service and picks one of its instances for each request.

#include <consul_ffi.hpp>
#include <iostream>
#include <string>

static const int instances = 2;

static void register_instance(const consul::client &client, int number) {
    consul::service_spec service("example-web");
    service.id("example-web-" + std::to_string(number)).port(static_cast<std::uint16_t>(8000 + number));
    client.agent().service_register(service).value();
}

static void use(consul::view &view) {
    while (view.size() < instances) { // until the catalog knows them
        view.wait(std::chrono::seconds(30)).value();
    }
    for (int request = 0; request < 4; request++) {
        view.refresh().throw_if_failed(); // asks nobody: moves to the newest state that was found
        if (const auto instance = view.pick(consul::pick::round_robin)) {
            std::cout << "a request to " << instance->address() << ':' << instance->service().port() << '\n';
        }
    }
    // When Consul is away the last instances stay, and the view says how old that is.
    const bool is_fresh = view.state() == consul::view_state::fresh;
    std::cout << (is_fresh ? "the list is fresh\n" : "the list is stale\n");
}

int main() try {
    const auto client = consul::client::create().value();
    for (int number = 1; number <= instances; number++) {
        register_instance(client, number);
    }
    const consul::watch_spec service(consul::watch_kind::service, "example-web");
    const auto watch = client.watch(service).value();
    watch.wait_ready(std::chrono::seconds(30)).value();
    auto view = watch.view().value();
    use(view);
    for (int number = 1; number <= instances; number++) {
        client.agent().service_deregister("example-web-" + std::to_string(number)).value();
    }
} catch (const consul::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}

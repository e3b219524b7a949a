// Reads settings in place: a watch keeps asking Consul, and a view has what it found, so that reading
// costs no request.

#include <consul_ffi.hpp>
#include <iostream>

// What was found stays when Consul is away; the view says how old it is.
static void show(const consul::view &view) {
    if (view.state() == consul::view_state::stale) {
        std::cout << "as of " << view.age().count() << " ms ago: ";
    }
    const auto limit = view.find_pair("app/view/limit");
    std::cout << (limit ? "limit = " : "no limit") << (limit ? limit->value() : "") << '\n';
}

int main() try {
    const auto client = consul::client::create().value();
    client.kv().put("app/view/limit", "10").value();

    const consul::watch_spec settings(consul::watch_kind::prefix, "app/view/");
    const auto watch = client.watch(settings).value();
    watch.wait_ready(std::chrono::seconds(30)).value();
    auto view = watch.view().value();
    show(view);

    // Somebody changes a setting. Who has nothing else to do waits for the news.
    client.kv().put("app/view/limit", "20").value();
    view.wait().value();
    show(view);

    // Who has refreshes the view before each piece of work: nothing is asked, no lock is taken.
    std::uint64_t sum = 0;
    for (int request = 0; request < 100000; request++) {
        view.refresh().throw_if_failed();
        sum += view.find_pair("app/view/limit")->value().size();
    }
    std::cout << sum / 2 << " requests served\n";

    client.kv().delete_prefix("app/view/").value();
    view.wait().value();
    show(view);
} catch (const consul::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}

// Services that the library keeps registered: life, status, changes, asynchronous calls.

#include "support.hpp"

static consul::service_spec web(const std::string &name, int port) {
    consul::service_spec spec(name);
    spec.port(static_cast<std::uint16_t>(port));
    return spec;
}

/// Waits until the service's check says so.
static void until_status(const consul::client &client, const std::string &name,
                         std::string_view status) {
    consul::options settings;
    settings.wait(1s);
    for (;;) {
        const auto checks = GET(client.health().checks(name, settings));
        if (checks.size() == 1 && checks[0].status() == status) {
            return;
        }
        settings.index(checks.meta().index());
    }
}

static void life(const consul::client &client, const std::string &name) {
    consul::options settings;
    settings.timeout(30s);
    consul::kept_service_spec spec(web(name, 80));
    spec.ttl(60s).must_pat(true).status("warning").note("starting").deregister_after(10min);
    spec.options(settings);
    auto made = GET(client.kept_service(spec));
    const auto service = std::move(made);
    CHECK(made.id().empty() && made.status().empty() && made.registrations() == 0);
    (void)IS(err_handle, made.start());
    CHECK(service.id() == name && service.check_id() == "service:" + name + ":ttl");
    CHECK(!service.is_registered());
    (void)IS(not_found, service.maintenance(true, "too soon"));

    OK(service.start());
    CHECK(service.is_registered() && service.registrations() == 1 && service.status() == "warning");
    until_status(client, name, "warning");
    OK(service.set_status("passing", "warm"));
    OK(service.pat());
    until_status(client, name, "passing");
    FAILS(err_argument, "passing, warning or critical", service.set_status("fine"));
    CHECK(ROW(service.stats(), state() == "registered"));

    OK(service.set_spec(web(name, 81)));
    while (!ROW(client.agent().service(name), port() == 81)) {
        CHECK(service.is_registered());
    }
    consul::service_spec other("another");
    FAILS(err_argument, "id", service.set_spec(other));
    OK(service.set_token(nullptr));

    OK(service.stop());
    OK(service.close());
    (void)IS(not_found, client.agent().service(name));
    (void)IS(err_closed, service.start());
}

static void asynchronous(const consul::client &client, const std::string &name) {
    const auto queue = GET(consul::queue::create());
    const auto service = GET(client.kept_service(consul::kept_service_spec(web(name, 80))));
    const auto later = service.on(queue, 7);
    const auto ended = [&](const consul::result<void> &started) {
        CHECK(started.status() == consul::status::pending);
        auto event = GET(queue.next(30s));
        CHECK(event.tag() == 7);
        return event.take<void>();
    };
    OK(ended(later.start()));
    OK(ended(later.maintenance(true, "repairs")));
    OK(ended(later.maintenance(false)));
    OK(ended(later.close()));
}

static void refused(const consul::client &client) {
    FAILS(err_argument, "below 1 s", client.kept_service(
                                    consul::kept_service_spec(web("a", 80)).ttl(1ms)));
    FAILS(err_argument, "NUL", client.kept_service(consul::kept_service_spec(
                                   consul::service_spec(std::string("a\0b", 3)))));
}

int main() {
    {
        const auto client = new_client();
        life(client, unique("kept"));
        asynchronous(client, unique("kept"));
        refused(client);
        OK(client.close(30s));
    }
    return finished();
}

// Watches and their views: what was found, news of it, what stays; picking instances.

#include "support.hpp"

#include <fstream>
#include <set>
#include <thread>

static consul::watch_spec of(consul::watch_kind kind, const std::string &name) {
    return consul::watch_spec(kind, name);
}

static consul::view ready_view(const consul::watch &watch) {
    OK(watch.wait_ready(30s));
    return GET(watch.view());
}

/// What a watch of this kind has found first.
static consul::view found(const consul::client &client, consul::watch_kind kind,
                          const std::string &name) {
    return ready_view(GET(client.watch(of(kind, name))));
}

static void pairs(const consul::client &client) {
    const auto prefix = unique("watch") + '/';
    const auto watch = GET(client.watch(of(consul::watch_kind::prefix, prefix)));
    auto view = ready_view(watch);
    CHECK(view.state() == consul::view_state::empty && view.empty() && view.version() == 1);
    CHECK(!view.find_pair(prefix + "a") && view.pairs().empty());

    OK(client.kv().put(prefix + "a", "1"));
    OK(view.wait(30s));
    OK(client.kv().put(prefix + "b", "2"));
    const auto pair = view.find_pair(std::string_view(prefix + "a"));
    CHECK(pair && pair->value() == "1" && view.size() == 1);
    OK(view.wait());
    CHECK(view.state() == consul::view_state::fresh && view.version() == watch.version());
    CHECK(view.index() > 0 && view.index() == watch.index() && view.age() < 1h);
    std::string keys;
    for (const auto row : view.pairs()) {
        keys += row.key().substr(prefix.size());
    }
    CHECK(keys == "ab" && view.pairs()[1].value() == "2" && view.pairs()[2].key().empty());
    CHECK(!view.find_pair(std::string("a\0b", 3)));
    CHECK(view.instances().empty() && view.nodes().empty() && view.body().empty());
    (void)IS(no_change, view.refresh());
    (void)IS(no_change, view.wait(0ms));
    (void)IS(err_argument, view.wait(-1ms));

    // A view of another reader stands where it stands.
    auto other = GET(watch.view());
    OK(client.kv().delete_prefix(prefix));
    OK(view.wait(30s));
    CHECK(view.empty() && other.size() == 2);
    OK(other.refresh());
    CHECK(other.empty());

    CHECK(watch.requests() >= 3 && watch.consecutive_failures() == 0);
    CHECK(watch.last_success_age() < 1h);
    const auto stats = GET(watch.stats());
    CHECK(stats->state() == "empty" && stats->version() == watch.version());
    CHECK(stats->index() == watch.index() && stats->requests() >= 3 && stats->last_success() < 1h);
    CHECK(!stats->is_holding_back() && !stats->last_good_error().is_error());
    CHECK(stats->is_in_flight() || stats->next_try() < 1h);
    CHECK(!watch.last_error().is_error() && !watch.is_holding_back());
    (void)watch.is_in_flight();
    OK(watch.stop());
    OK(watch.stop());
    (void)IS(err_cancelled, view.wait());
    CHECK(view.state() == consul::view_state::stale);
}

static void news(const consul::client &client) {
    const auto key = unique("watch");
    const auto queue = GET(consul::queue::create());
    const auto watch = GET(client.on(queue, 9).watch(of(consul::watch_kind::key, key)));
    auto event = GET(queue.next(30s));
    CHECK(event.type() == consul::event_type::watch_ready && event.tag() == 9);
    CHECK(event.version() == 1 && event.age() < 1h && event.status() == consul::status::ok);
    FAILS(err_argument, "no result", event.take<consul::kv_list>());
    OK(client.kv().put(key, "1"));
    event = GET(queue.next(30s));
    CHECK(event.type() == consul::event_type::watch_changed && event.version() == 2);
    OK(queue.cancel(9));
    event = GET(queue.next(30s));
    CHECK(event.type() == consul::event_type::watch_ended);
    CHECK(event.status() == consul::status::err_cancelled);
    const auto view = GET(watch.view());
    CHECK(view.pairs()[0].key() == key && view.state() == consul::view_state::stale);
    OK(client.kv().delete_(key));
}

static void every_kind(const consul::client &client) {
    const auto services = found(client, consul::watch_kind::services, "");
    CHECK(services.service_names()[0].name() == "consul" && services.pairs().empty());
    const auto nodes = found(client, consul::watch_kind::nodes, "");
    const std::string node(nodes.nodes()[0].name());
    CHECK(nodes.nodes().size() == 1);
    const auto checks = found(client, consul::watch_kind::node_checks, node);
    CHECK(checks.checks()[0].node() == node && checks.service_names().empty());
    CHECK(!found(client, consul::watch_kind::state_checks, "any").empty());
    CHECK(found(client, consul::watch_kind::service_checks, "none").empty());
    const auto path = found(client, consul::watch_kind::path, "/v1/catalog/datacenters");
    CHECK(path.body().find("dc1") != std::string_view::npos && path.size() == 1);

    const auto name = unique("event");
    OK(client.request("PUT", "/v1/event/fire/" + name, "payload"));
    const auto watch = GET(client.watch(of(consul::watch_kind::events, name)));
    auto view = ready_view(watch);
    while (view.user_events().empty()) {
        OK(view.wait(30s));
    }
    const auto event = view.user_events()[0];
    CHECK(event.name() == name && event.payload() == "payload" && !event.id().empty());
    CHECK(event.node_filter().empty() && event.service_filter().empty());
    CHECK(event.tag_filter().empty() && event.ltime() > 0 && view.checks().empty());
}

static consul::view instances(const consul::watch &watch, std::size_t count) {
    auto view = ready_view(watch);
    while (view.size() != count) {
        OK(view.wait(30s));
    }
    return view;
}

static void picked(const consul::client &client) {
    const auto name = unique("picked");
    for (const char *id : {"-1", "-2"}) {
        consul::service_spec spec(name);
        spec.id(name + id).address(std::string("127.0.0") + id).add_tag("v1");
        OK(client.agent().service_register(spec));
    }
    auto spec = of(consul::watch_kind::service, name);
    spec.add_tag("v1").policy(consul::policy::passing_or_warning);
    const auto view = instances(GET(client.watch(spec)), 2);
    CHECK(view.find_instance(name + "-2")->service().id() == name + "-2");
    CHECK(!view.find_instance(name) && view.instances()[0].service().tags().contains("v1"));

    std::set<std::string> ids;
    for (int i = 0; i < 2; i++) {
        ids.emplace(view.pick(consul::pick::round_robin)->service().id());
    }
    CHECK(ids.size() == 2);
    const std::string owner(view.pick(consul::pick::hash, "user")->service().id());
    CHECK(view.pick(consul::pick::hash, "user")->service().id() == owner);
    CHECK(view.pick(consul::pick::random) && view.pick(consul::pick::weighted));
    CHECK(!view.pick(consul::pick::nearest));
    FAILS(err_argument, "near", view.lease(consul::pick::nearest));

    // Each use counts, as long as it lasts.
    {
        const auto first = GET(view.lease(consul::pick::least_connections));
        auto second = GET(view.lease(consul::pick::least_connections));
        CHECK(first->service().id() != second->service().id());
        const std::string free(second->service().id());
        second = GET(view.lease(consul::pick::hash, "user"));
        CHECK(second->service().id() == owner);
        if (first->service().id() == owner) {
            CHECK(view.pick(consul::pick::least_connections)->service().id() == free);
        }
    }
    for (const char *id : {"-1", "-2"}) {
        OK(client.agent().service_deregister(name + id));
    }
    const auto none = instances(GET(client.watch(of(consul::watch_kind::service, name))), 0);
    (void)IS(not_found, none.lease(consul::pick::random));
    CHECK(!none.pick(consul::pick::random));
}

/// What was found is kept in a file, and is where the next watch begins.
static void last_good(const consul::client &client) {
    const auto key = unique("kept");
    const auto path = "/tmp/" + key;
    OK(client.kv().put(key, "1"));
    auto spec = of(consul::watch_kind::prefix, key);
    spec.last_good_file(path);
    {
        const auto watch = GET(client.watch(spec));
        OK(watch.wait_ready(30s));
        while (!std::ifstream(path).good()) {
            std::this_thread::sleep_for(1ms);
        }
        CHECK(!watch.last_good_error().is_error());
    }
    consul::config config;
    config.set("address", "http://127.0.0.1:1");
    const auto nowhere = GET(consul::client::create(config));
    const auto watch = GET(nowhere.watch(spec));
    const auto view = ready_view(watch);
    CHECK(view.state() == consul::view_state::stale && view.pairs()[0].value() == "1");
    CHECK(view.index() == 0);
    OK(client.kv().delete_(key));
    CHECK(std::remove(path.c_str()) == 0);
}

static void away() {
    consul::config config;
    config.set("address", "http://127.0.0.1:1");
    const auto nowhere = GET(consul::client::create(config));
    const auto queue = GET(consul::queue::create());
    const auto watch = GET(nowhere.on(queue, 3).watch(of(consul::watch_kind::key, "a")));
    auto event = GET(queue.next(30s));
    CHECK(event.type() == consul::event_type::watch_health);
    CHECK(event.error().status() == consul::status::err_connect);
    FAILS(err_timeout, "refused", watch.wait_ready(0ms));
    CHECK(watch.last_error().status() == consul::status::err_connect);
    CHECK(watch.consecutive_failures() > 0);
    CHECK(watch.last_success_age() == std::chrono::milliseconds::max());
    const auto view = GET(watch.view());
    CHECK(view.state() == consul::view_state::pending && view.version() == 0 && view.empty());
    CHECK(view.age() == std::chrono::milliseconds::max());
    OK(nowhere.close(30s));
    (void)IS(err_closed, watch.wait_ready());
}

static void refused(const consul::client &client) {
    FAILS(err_argument, "", client.watch(of(consul::watch_kind::key, "")));
    consul::options settings;
    settings.consistency("stale");
    auto spec = of(consul::watch_kind::prefix, "a");
    spec.options(settings).settle(10ms, 100ms).floor(50, 1min).ignore_check_output(true);
    spec.last_seen_index(1).max_rate(5);
    OK(client.watch(spec));
    spec.max_rate(0);
    (void)IS(err_argument, client.watch(spec));
    FAILS(err_argument, "below 0", client.watch(of(consul::watch_kind::key, "a").settle(-1ms, 1s)));

    const consul::watch empty;
    (void)IS(err_handle, empty.wait_ready());
    (void)IS(err_handle, empty.view());
    consul::view nothing;
    (void)IS(err_handle, nothing.refresh());
    CHECK(nothing.pairs().empty() && !nothing.pick(consul::pick::random));
    (void)IS(err_handle, nothing.lease(consul::pick::random));
}

/// While Consul cannot be asked a view may refuse to be read.
static void too_old() {
    consul::config config;
    config.set("address", "embedded:").set("wait_ms", "50");
    const auto client = GET(consul::client::create(config));
    OK(client.kv().put("a", "1"));
    const auto queue = GET(consul::queue::create());
    auto spec = of(consul::watch_kind::key, "a");
    spec.max_age(0ms);
    const auto watch = GET(client.on(queue).watch(spec));
    auto view = ready_view(watch);
    OK(view.readable());
    CHECK(view.state() == consul::view_state::fresh && view.size() == 1);
    OK(client.embedded().fail_next(1000000, 500, "No cluster leader"));
    for (auto &event : queue.events(30s)) {
        if (event.type() == consul::event_type::watch_health) {
            break;
        }
    }
    CHECK(view.state() == consul::view_state::expired && view.empty() && !view.find_pair("a"));
    FAILS(err_no_leader, "older than", view.readable());
    CHECK(ROW(watch.stats(), state() == "expired"));
}

int main() {
    {
        const auto client = new_client();
        pairs(client);
        news(client);
        every_kind(client);
        picked(client);
        last_good(client);
        away();
        too_old();
        refused(client);
    }
    return finished();
}

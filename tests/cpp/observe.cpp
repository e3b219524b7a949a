// How things are getting on, a program's own health, the log, and the agent in memory.

#include "support.hpp"

#include <fstream>

static consul::client nowhere() {
    consul::config config;
    config.set("address", "http://127.0.0.1:1").set("token", "a-secret");
    return GET(consul::client::create(config));
}

static void stats() {
    auto client = new_client();
    const auto session = GET(client.session().start());
    const auto kept = GET(session.stats());
    CHECK(kept->state() == "kept" && kept->consecutive_failures() == 0);
    CHECK(kept->last_success() < 15s && kept->next_try() < 15s);
    CHECK(kept->last_error().status() == consul::status::ok);

    consul::lock_spec spec(unique("lock"));
    spec.session(session);
    const auto lock = GET(client.lock(spec));
    const auto free = GET(lock.stats());
    CHECK(free->state() == "free" && free->last_success() == std::chrono::milliseconds::max());
    OK(lock.try_acquire());
    CHECK(ROW(lock.stats(), state() == "held"));
    OK(lock.release());
    client = consul::client();
    CHECK(kept->state() == "kept");
    (void)IS(err_handle, consul::lock().stats());
}

static void failing_stats() {
    const auto client = nowhere();
    const consul::service_spec web("web");
    const auto service = GET(client.kept_service(consul::kept_service_spec(web)));
    (void)IS(err_connect, service.start());
    const auto stats = GET(service.stats());
    CHECK(stats->state() == "registering" && stats->consecutive_failures() > 0);
    CHECK(stats->last_error().status() == consul::status::err_connect);
    const auto last_error = stats->last_error();
    CHECK(last_error.endpoint() == "http://127.0.0.1:1" && stats->next_try() < 1min);
}

static void document(const consul::health_report &report, int status, std::string_view part) {
    const auto sent = GET(report.document());
    CHECK(sent.http_status == status && sent.body.find(part) != std::string::npos);
}

static void health() {
    const auto report = GET(consul::health_report::create());
    document(report, 200, "\"status\":\"passing\"");
    OK(report.set("cache", "warning", "cold"));
    document(report, 429, "\"note\":\"cold\"");
    OK(report.set("worker", "critical", nullptr, 1min));
    document(report, 503, "\"max_age_ms\":60000");
    OK(report.remove("worker"));
    (void)IS(not_found, report.remove("worker"));
    FAILS(err_argument, "passing, warning or critical", report.set("cache", "fine"));
    FAILS(err_argument, "below 0", report.set("cache", "passing", nullptr, -1ms));
    (void)IS(err_handle, consul::health_report().document());

    const auto client = nowhere();
    const auto wide = GET(client.health_report());
    document(wide, 200, "\"reachable\":null");
    (void)IS(err_connect, client.status().leader());
    document(wide, 200, "\"reachable\":false");
}

static void log() {
    (void)IS(no_change, consul::log::take(10));
    CHECK(consul::log::dropped() == 0);
    FAILS(err_argument, "error, warning, info or debug", consul::log::set_level("loud"));

    OK(consul::log::set_level("info"));
    nowhere();
    const auto records = GET(consul::log::take(1));
    CHECK(records.size() == 1 && records[1].message().empty());
    CHECK(records[0].level() == consul::log_level::info && records[0].level_name() == "info");
    CHECK(records[0].area() == "client" && records[0].time() > std::chrono::hours(400000));
    CHECK(records[0].message() == "opened for http://127.0.0.1:1");

    FAILS(err_io, "/no/such", consul::log::set_file("/no/such/folder/log"));
    const auto path = "/tmp/" + unique("log");
    OK(consul::log::take(10));
    OK(consul::log::set_file(path));
    nowhere();
    OK(consul::log::set_file(nullptr));
    std::string line;
    CHECK(std::getline(std::ifstream(path), line) && line.find("info client: opened") != line.npos);
    CHECK(std::remove(path.c_str()) == 0);

    consul::log::rotation rotation;
    rotation.max_files = 1;
    FAILS(err_argument, "max_files does nothing", consul::log::set_rotation(rotation));
    rotation.max_bytes = 1;
    OK(consul::log::set_rotation(rotation));
    OK(consul::log::set_file(path));
    nowhere();
    OK(consul::log::set_file(nullptr));
    OK(consul::log::set_rotation(consul::log::rotation()));
    CHECK(std::remove(path.c_str()) == 0 && std::remove((path + ".1").c_str()) == 0);

    const auto queue = GET(consul::queue::create());
    (void)IS(err_handle, consul::log::set_queue(consul::queue()));
    OK(consul::log::set_queue(queue, 5));
    nowhere();
    auto event = GET(queue.next(30s));
    CHECK(event.type() == consul::event_type::log && event.tag() == 5);
    CHECK(GET(event.take<consul::log_records>()).size() >= 1);
    OK(consul::log::unset_queue());

    OK(consul::log::set_level(nullptr));
    nowhere();
    (void)IS(no_change, consul::log::take(10));
}

static void embedded() {
    consul::config config;
    config.set("address", "embedded:");
    const auto client = GET(consul::client::create(config));
    const auto agent = client.embedded();
    const auto before = GET(agent.now());
    OK(agent.advance(1min));
    CHECK(GET(agent.now()) >= before + 1min);

    OK(agent.fail_next(1, 500, "No cluster leader", "/v1/kv/"));
    (void)IS(err_no_leader, client.kv().put("a", "1"));
    OK(agent.lose_answers(1));
    (void)IS(err_io, client.kv().put("a", "1"));
    OK(agent.no_leader(true, "/v1/session/"));
    CHECK(ROW(client.kv().get("a"), value() == "1"));
    OK(agent.set_latency(1h));
    OK(agent.reset_faults());
    CHECK(ROW(client.kv().get("a"), value() == "1"));

    const auto other = nowhere();
    FAILS(err_unsupported, "not embedded", other.embedded().now());
}

static std::string consul_address() {
    const auto client = new_client();
    return std::string(client.endpoint());
}

static void endpoints() {
    const auto here = consul_address();
    consul::config config;
    config.set("address", "http://127.0.0.1:1," + here);
    const auto client = GET(consul::client::create(config));
    CHECK(client.endpoint_count() == 2);
    (void)GET(client.status().peers());
    CHECK(client.endpoint() == here);
    const auto dead = GET(client.endpoint_stats(0));
    CHECK(dead->state() == "down" && dead->address() == "http://127.0.0.1:1");
    CHECK(dead->failures() >= 1 && !dead->is_in_use());
    CHECK(ROW(client.endpoint_stats(1), is_in_use()));
    (void)IS(not_found, client.endpoint_stats(2));
}

static void usage() {
    CHECK(consul::library_threads() == 0);
    const auto client = new_client();
    const auto queue = GET(consul::queue::create());
    CHECK(ROW(client.endpoint_stats(0), connections() == 0));
    // It waits at Consul till the client is closed.
    consul::options options;
    options.index(std::uint64_t(1) << 40);
    (void)IS(pending, client.on(queue, 1).kv().get(unique("usage"), options));
    CHECK(consul::library_threads() == 1);
    (void)GET(client.status().leader());
    CHECK(ROW(client.endpoint_stats(0), in_flight() == 1));
    // Its own connection may not stand yet.
    CHECK(ROW(client.endpoint_stats(0), connections() >= 1));
    OK(client.close(30s));
    CHECK(GET(queue.next(30s)).status() == consul::status::err_closed);
    CHECK(ROW(client.endpoint_stats(0), in_flight() == 0));
    CHECK(ROW(client.endpoint_stats(0), connections() == 0));
    CHECK(consul::library_threads() == 0);
}

static void endpoints_that_change() {
    const auto here = consul_address();
    const std::string dead = "http://127.0.0.1:1";
    consul::config config;
    config.set("address", dead + "," + here);
    const auto client = GET(consul::client::create(config));
    const auto queue = GET(consul::queue::create());
    (void)IS(err_handle, client.set_endpoint_queue(consul::queue()));
    OK(client.set_endpoint_queue(queue, 9));
    (void)GET(client.status().peers());
    auto event = GET(queue.next(30s));
    CHECK(event.type() == consul::event_type::endpoint_changed && event.tag() == 9);
    const auto changes = GET(event.take<consul::endpoint_change_list>());
    CHECK(changes.size() == 2 && changes[0].address() == dead && changes[1].address() == here);
    CHECK(changes[0].condition() == consul::endpoint_condition::down);
    CHECK(changes[0].condition_before() == consul::endpoint_condition::up);
    CHECK(changes[0].was_in_use() && !changes[0].is_in_use() && changes[0].changes() == 2);
    CHECK(changes[0].reason().status() == consul::status::err_connect);
    CHECK(changes[1].is_in_use() && !changes[1].was_in_use() && !changes[1].reason().is_error());
    OK(client.unset_endpoint_queue());
    OK(client.set_endpoint_queue(queue, 10));
    OK(client.close(30s));
    event = GET(queue.next(30s));
    CHECK(event.type() == consul::event_type::endpoint_ended && event.tag() == 10);
    CHECK(event.status() == consul::status::err_closed);
    (void)IS(err_closed, client.set_endpoint_queue(queue, 11));
}

static void reload() {
    const auto client = nowhere();
    (void)IS(err_connect, client.status().peers());
    consul::config config;
    config.set("address", consul_address());
    OK(client.reload(config));
    (void)GET(client.status().peers());
    OK(client.set_token("a-token"));
    OK(client.set_token(nullptr));
    FAILS(err_argument, "token", client.set_token("a\ntoken"));
}

int main() {
    usage();
    // Before a client ends amid what it gives back: that one tells of its end later.
    log();
    endpoints();
    endpoints_that_change();
    reload();
    stats();
    failing_stats();
    health();
    embedded();
    return finished();
}

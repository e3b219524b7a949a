// Services: registered with the agent, found by health, agent and catalog, every setter and field.

#include "support.hpp"

#include <vector>

static consul::service_spec described(const std::string &name) {
    consul::check_spec check("alive");
    check.id(name + ":alive").notes("for people").ttl(60s).status("passing").deregister_after(10min);
    consul::service_spec spec(name);
    spec.id(name + "-1").address("127.0.0.7").port(8080).add_tag("v1").add_tag("eu");
    spec.add_meta("zone", "a").add_tagged_address("wan", "192.0.2.7", 80).weights(3, 2);
    spec.enable_tag_override(true).replace_existing_checks(true).add_check(check);
    return spec;
}

/// The agent passes on what is registered; until then there is less of it.
static consul::instance_list found(const consul::client &client, const std::string &name) {
    auto instances = client.health().service(name, consul::only::passing, {"v1", "eu"});
    while (instances && instances->empty()) {
        consul::options settings;
        settings.index(instances.meta().index()).wait(1s);
        instances = client.health().service(name, consul::only::passing, {"v1", "eu"}, settings);
    }
    return std::move(instances).value();
}

static void of_health(const consul::client &client, const std::string &name) {
    const auto instances = found(client, name);
    CHECK(instances.size() == 1 && instances.meta().index() > 0);
    const auto entry = instances[0];
    CHECK(entry.address() == "127.0.0.7" && entry.status() == "passing");
    const auto service = entry.service();
    CHECK(service.id() == name + "-1" && service.name() == name && service.port() == 8080);
    CHECK(service.address() == "127.0.0.7" && service.kind().empty());
    CHECK(service.tags().size() == 2 && service.tags().contains("eu") && service.tags()[2].empty());
    CHECK(service.meta().find("zone") == "a" && !service.meta().find("none"));
    CHECK(service.tagged_addresses().size() >= 1);
    bool wan = false;
    for (const auto address : service.tagged_addresses()) {
        wan = wan || (address.name() == "wan" && address.address() == "192.0.2.7" && address.port() == 80);
    }
    CHECK(wan && service.weight_passing() == 3 && service.weight_warning() == 2);
    CHECK(service.enable_tag_override() && service.create_index() > 0 && service.modify_index() > 0);
    CHECK(service.proxy_json().find("connect-proxy") == std::string_view::npos);
    CHECK(service.content_hash().empty() && service.connect_json().size() < 1000);
    const auto node = entry.node();
    CHECK(!node.name().empty() && !node.id().empty() && node.datacenter() == "dc1");
    CHECK(node.address() == "127.0.0.1" && node.tagged_addresses().find("lan") == "127.0.0.1");
    CHECK(node.meta().size() > 0 && node.create_index() > 0 && node.modify_index() > 0);
    CHECK(entry.checks().size() == 2 && entry.checks()[2].name().empty());
    for (const auto check : entry.checks()) {
        CHECK(check.status() == "passing" && check.node() == node.name());
    }

    CHECK(GET(client.health().service(name, consul::only::all, {"v2"})).empty());
    CHECK(GET(client.health().connect(name)).empty());
    CHECK(GET(client.health().ingress(name)).empty());
    const auto checks = GET(client.health().checks(name));
    CHECK(checks.meta().index() > 0 && checks.size() == 1 && checks.aggregated_status() == "passing");
    const auto check = checks[0];
    CHECK(check.check_id() == name + ":alive" && check.name() == "alive");
    CHECK(check.notes() == "for people" && check.output().empty() && check.kind() == "ttl");
    CHECK(check.service_id() == name + "-1" && check.service() == name);
    CHECK(check.service_tags().contains("v1") && check.create_index() > 0 && check.modify_index() > 0);
    CHECK(GET(client.health().node(node.name())).size() >= 2);
    CHECK(GET(client.health().state("passing")).size() >= 2);
}

static void of_agent(const consul::client &client, const std::string &name) {
    const auto agent = client.agent();
    const auto service = GET(agent.service(name + "-1"));
    CHECK(service->name() == name && !service->content_hash().empty());
    consul::options brief;
    brief.wait(10ms);
    CHECK(ROW(agent.service(name + "-1", service->content_hash(), brief), port()) == 8080);
    (void)IS(not_found, agent.service(name));
    const auto services = GET(agent.services());
    CHECK(services.size() >= 1 && services.node().name().empty());
    CHECK(GET(agent.checks()).size() >= 1);

    const std::string check = name + ":alive";
    OK(agent.check_warn(check, "slow"));
    CHECK(ROW(agent.service_health(name + "-1"), status() == "warning"));
    OK(agent.check_fail(check));
    CHECK(FIRST(agent.services_health(name), .status() == "critical"));
    OK(agent.check_update(check, "warning", "output"));
    OK(agent.check_pass(check));
    (void)IS(not_found, agent.check_pass("none"));
    (void)IS(not_found, agent.service_health("none"));

    OK(agent.service_maintenance(name + "-1", true, "reason"));
    CHECK(ROW(agent.service_health(name + "-1"), status() == "maintenance"));
    OK(agent.service_maintenance(name + "-1", false));
    OK(agent.maintenance(true, "reason"));
    OK(agent.maintenance(false));

    const auto self = GET(agent.self());
    CHECK(!self->node_name().empty() && !self->node_id().empty() && self->datacenter() == "dc1");
    CHECK(self->version().size() > 2 && self->is_server() && self->json().front() == '{');
    const auto members = GET(agent.members());
    CHECK(members.size() == 1 && members[0].name() == self->node_name());
    CHECK(members[0].status() == consul::member_status::alive && members[0].status_name() == "alive");
    CHECK(members[0].tags().find("dc") == "dc1" && members[0].is_server());
    CHECK(members[0].address() == "127.0.0.1" && members[0].port() > 0);
    CHECK(GET(agent.members(consul::pool::wan)).size() <= 1);
}

/// Every setter takes what it is for; what does not fit together is refused together.
static void checks(const consul::client &client, const std::string &name) {
    const auto agent = client.agent();
    consul::check_spec http(name);
    http.http("http://127.0.0.1:1/").http_method("HEAD").add_http_header("X-A", "b").http_body("");
    http.interval(1h).timeout(1s).tls_skip_verify(true).success_before_passing(2);
    http.failures_before_critical(3);
    OK(agent.check_register(http));
    OK(agent.check_deregister(name));

    consul::check_spec tcp(name), grpc(name), alias(name), script(name), docker(name);
    tcp.tcp("127.0.0.1:1").interval(1h).service_id(name + "-1");
    OK(agent.check_register(tcp));
    OK(agent.check_deregister(name));
    grpc.grpc("127.0.0.1:1/x").grpc_use_tls(true).interval(1h);
    OK(agent.check_register(grpc));
    OK(agent.check_deregister(name));
    alias.alias_service(name + "-1");
    OK(agent.check_register(alias));
    OK(agent.check_deregister(name));
    // This agent runs no scripts.
    script.script({"/bin/true", "x"}).interval(1h);
    CHECK(agent.check_register(script).failed());
    docker.script({"/bin/true"}).docker("container").interval(1h);
    CHECK(agent.check_register(docker).failed());

    consul::check_spec both(name);
    both.ttl(10s).tcp("127.0.0.1:1").tls_server_name("x").alias_node("none");
    CHECK(!both.error().is_error());
    FAILS(err_argument, "kind", agent.check_register(both));

    consul::service_spec proxy(name);
    proxy.kind("connect-proxy").proxy_json(R"({"DestinationServiceName": "x"})").connect_json("{}");
    CHECK(!proxy.error().is_error());
    consul::service_spec port(name);
    port.port(70000);
    FAILS(err_argument, "65535", agent.service_register(port));
}

static void of_catalog(const consul::client &client, const std::string &name) {
    const auto catalog = client.catalog();
    const std::vector<std::string> tags{"v1", "eu"};
    CHECK(FIRST(catalog.service(name, tags), .service().port()) == 8080);
    CHECK(GET(catalog.connect(name)).empty());
    const auto names = GET(catalog.services());
    bool found = false;
    for (const auto known : names) {
        found = found || (known.name() == name && known.tags().contains("eu"));
    }
    CHECK(found && names.meta().index() > 0);
    const auto datacenters = GET(catalog.datacenters());
    CHECK(datacenters[0] == "dc1" && datacenters.meta().index() == 0);

    const std::string node = unique("node");
    consul::service_spec service(name);
    consul::registration what(node, "127.0.0.8");
    what.id("00000000-1111-2222-3333-" + std::to_string(100000000000 + getpid()));
    what.datacenter("dc1").add_tagged_address("wan", "192.0.2.8").add_node_meta("a", "b");
    what.service(service);
    what.add_check(nullptr, "up", "passing", name, "notes", "output");
    OK(catalog.register_(what));
    const auto services = GET(catalog.node(node));
    CHECK(services.meta().index() > 0);
    CHECK(services.size() == 1 && services.node().address() == "127.0.0.8");
    CHECK(services.node().meta().find("a") == "b");
    CHECK(GET(catalog.node_services(node)).size() == 1);
    const auto nodes = GET(catalog.nodes());
    found = false;
    for (const auto known : nodes) {
        found = found || known.name() == node;
    }
    CHECK(found && nodes.meta().index() > 0);
    OK(catalog.deregister_check(node, "up"));
    OK(catalog.deregister_service(node, name));
    OK(catalog.deregister_node(node));
    (void)IS(not_found, catalog.node(node));

    CHECK(!GET(client.status().leader()).empty());
    CHECK(GET(client.status().peers()).size() == 1);
}

static void events(const consul::client &client) {
    const auto name = unique("event");
    const auto heard = [&] {
        auto known = client.event().list(name);
        while (known && known->empty()) {
            consul::options settings;
            settings.index(known.meta().index()).wait(1s);
            known = client.event().list(name, settings);
        }
        return std::move(known).value();
    };
    consul::event_filters nobody, all;
    nobody.node("^nowhere$");
    all.node(".").service("").tag("");
    OK(client.event().fire(name, "", nobody));
    const auto fired = GET(client.event().fire(name, std::string_view("a\0b", 3), all));
    CHECK(fired->payload().size() == 3 && fired->node_filter() == "." && fired->ltime() == 0);
    const auto known = heard();
    CHECK(known.size() == 1 && known[0].id() == fired->id() && known[0].ltime() > 0);
    CHECK(!GET(client.event().list()).empty());
    const auto queue = GET(consul::queue::create());
    (void)IS(pending, client.on(queue).event().list(name));
    CHECK(GET(GET(queue.next(30s)).take<consul::user_event_list>()).size() == 1);
    nobody.tag("blue");
    FAILS(err_argument, "service filter", client.event().fire(name, "", nobody));
    (void)IS(err_too_large, client.event().fire(name, std::string(600, 'x')));
}

int main() {
    {
        const auto client = new_client();
        const auto name = unique("service");
        OK(client.agent().service_register(described(name)));
        of_health(client, name);
        of_agent(client, name);
        checks(client, name);
        of_catalog(client, name);
        events(client);
        OK(client.agent().service_deregister(name + "-1"));
    }
    return finished();
}

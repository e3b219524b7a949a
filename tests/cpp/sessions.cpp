// Sessions: every call, and those that are kept alive.

#include "support.hpp"

static void described(const consul::client &client) {
    const std::string name = unique("session");
    consul::session_spec spec;
    spec.name(name).ttl(20s).lock_delay(1500ms).behavior(consul::behavior::delete_);
    spec.node_checks({"serfHealth"});
    const std::string id = GET(client.session().create(spec));
    const auto session = GET(client.session().info(id));
    CHECK(session->id() == id && session->name() == name);
    CHECK(session->ttl() == 20s && session->lock_delay() == 1500ms);
    CHECK(session->behavior() == consul::behavior::delete_);
    CHECK(session->node_checks().size() == 1 && session->node_checks().contains("serfHealth"));
    CHECK(session->service_checks().empty());
    CHECK(session->create_index() > 0 && session->modify_index() > 0 && session.meta().index() > 0);
    CHECK(session->namespace_name().size() + session->partition().size() < 20);

    CHECK(ROW(client.session().renew(id), id() == id));
    const auto of_node = GET(client.session().node(session->node()));
    bool found = false;
    for (const auto each : of_node) {
        found = found || each.id() == id;
    }
    CHECK(found && GET(client.session().list()).size() >= of_node.size());

    OK(client.session().destroy(id));
    (void)IS(not_found, client.session().info(id));
    (void)IS(err_session_invalid, client.session().renew(id));
}

static void with_service_check(const consul::client &client) {
    const std::string name = unique("checked");
    consul::check_spec check;
    check.ttl(60s).status("passing");
    consul::service_spec service(name);
    service.add_check(check);
    OK(client.agent().service_register(service));
    consul::session_spec spec;
    spec.add_service_check("service:" + name);
    // The catalog gets the check a moment after the agent.
    auto id = client.session().create(spec);
    for (int i = 0; i < 600 && id.failed(); i++) {
        usleep(50000);
        id = client.session().create(spec);
    }
    CHECK(id.ok());
    const auto session = GET(client.session().info(*id));
    // Consul before 1.7 forgets them in its answers.
    CHECK(session->service_checks().size() <= 1);
    OK(client.session().destroy(*id));
    OK(client.agent().service_deregister(name));
}

static void kept(const consul::client &client) {
    consul::session_spec spec;
    spec.ttl(60s).lock_delay(0ms);
    auto session = GET(client.session().start(spec, consul::recreate::yes));
    CHECK(session.is_valid() && session.generation() == 1);
    CHECK(session.remaining() > 0ms && session.remaining() <= 60s);
    const std::string id(session.id());
    CHECK(ROW(client.session().info(id), ttl()) == 60s);
    OK(session.stop());
    OK(client.session().destroy(id));

    consul::session_spec elsewhere;
    elsewhere.node("no such node");
    CHECK(client.session().create(elsewhere).failed());

    consul::session_spec without_ttl;
    without_ttl.ttl(0s);
    auto for_ever = GET(client.session().start(without_ttl));
    CHECK(for_ever.remaining() == std::chrono::milliseconds::max());
    OK(client.session().destroy(for_ever.id()));
}

static void refused(const consul::client &client) {
    consul::session_spec negative;
    negative.ttl(-1ms);
    FAILS(err_argument, "below 0", client.session().create(negative));
    consul::session_spec wrong;
    wrong.behavior(static_cast<consul::behavior>(9));
    FAILS(err_argument, "behavior", client.session().create(wrong));
    consul::session_spec brief;
    brief.ttl(1ms);
    FAILS(err_argument, "TTL", client.session().create(brief));

    consul::session empty;
    CHECK(!empty.is_valid() && empty.id().empty() && empty.generation() == 0);
    (void)IS(err_handle, empty.stop());
}

int main() {
    {
        const auto client = new_client();
        described(client);
        with_service_check(client);
        kept(client);
        refused(client);
        OK(client.close(30s));
    }
    return finished();
}

// Configuration, options, generic requests.

#include "support.hpp"

static void configuration() {
    consul::config config;
    config.set("timeout_ms", "2500").set("token", "secret");
    CHECK(GET(config.get("timeout_ms")) == "2500");
    CHECK(GET(config.get("token")) == "<hidden>");
    CHECK(GET(config.dump()).find("secret") == std::string::npos);
    OK(consul::client::create(config));

    config.set("timeout_ms", "soon");
    CHECK(config.error().status() == consul::status::err_config);
    FAILS(err_config, "timeout_ms", consul::client::create(config));
    FAILS(err_config, "timeout_ms", config.dump());

    const auto plain = consul::config::without_environment();
    CHECK(GET(plain.get("address")) == "http://127.0.0.1:8500");
    FAILS(err_config, "no_such", plain.get("no_such"));
    const auto client = GET(consul::client::create(plain));
    CHECK(client.endpoint() == "http://127.0.0.1:8500");
}

static void options(const consul::client &client) {
    consul::options all;
    all.token("").datacenter("dc1").namespace_("").partition("").consistency("stale");
    all.timeout(5s).wait(1s).index(0).near("_agent").filter("").max_stale(1min).cached(true);
    all.stale_on_no_leader(true);
    all.add_node_meta("a", "b");
    CHECK(!all.error().is_error());
    CHECK(GET(client.catalog().nodes(all)).empty());

    consul::options wrong;
    wrong.consistency("sometimes").timeout(1s);
    FAILS(err_config, "consistent", client.kv().get("a", wrong));
    consul::options never;
    never.timeout(std::chrono::milliseconds::max());
    FAILS(err_config, "86400000", client.kv().get("a", never));
}

static void requests(const consul::client &client) {
    const auto key = unique("request");
    const auto written = GET(client.request("PUT", "/v1/kv/" + key, "value"));
    CHECK(written.http_status() == 200 && written.body() == "true\n");
    CHECK(written.content_type() == "application/json");
    const auto read = GET(client.request("GET", "/v1/kv/" + key + "?raw"));
    CHECK(read.body() == "value" && read.meta().index() > 0);
    OK(client.request("DELETE", "/v1/kv/" + key));
    const auto missing = IS(not_found, client.request("GET", "/v1/kv/" + key));
    CHECK(missing.answer()->http_status() == 404 && missing.meta().index() > 0);
    OK(client.request("PUT", "/v1/event/fire/x", "{}", "text/plain"));
    FAILS(err_argument, "BREW", client.request("BREW", "/v1/kv/a"));
}

int main() {
    {
        configuration();
        const auto client = new_client();
        options(client);
        requests(client);
    }
    return finished();
}

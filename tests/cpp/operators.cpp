// What operators do, beside an agent that denies by default and a management token: access control,
// Raft, autopilot, snapshots, exports.

#include "support.hpp"

/// The text of a name in JSON, which an agent in development mode indents.
static std::string field(const std::string &json, const std::string &name) {
    const std::size_t start = json.find('"' + name + '"');
    CHECK(start != std::string::npos);
    const std::size_t first = json.find('"', start + name.size() + 2) + 1;
    return json.substr(first, json.find('"', first) - first);
}

static bool has(const std::string &text, const std::string &part) {
    return text.find(part) != std::string::npos;
}

/// Reads what does not exist: "not found", and from Consul 1.8 for tokens and policies "denied".
template <class T>
static void is_gone(const consul::result<T> &read) {
    CHECK(read.status() == consul::status::not_found || read.status() == consul::status::err_denied);
}

static void auth_methods(const consul::client &client) {
    const auto acl = client.acl();
    const std::string method =
        R"({"Name":"jwt","Type":"jwt","Config":{"JWTValidationPubKeys":["-----BEGIN PUBLIC KEY-----\n)"
        R"(MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENE6uu9qnQp6KuNFawWqP+QTQxMR/\n)"
        R"(kjnyvYlQMy1IXKTrolUJaPKQ8EEbeLGz1upUSleKJjwlv9oypkFRd0Zu5A==\n-----END PUBLIC KEY-----\n"]}})";
    const std::string rule = R"({"AuthMethod":"jwt","BindType":"role","BindName":"readers"})";
    CHECK(field(GET(acl.auth_method_create(method)), "Name") == "jwt");
    CHECK(has(GET(acl.auth_method_read("jwt")), "JWTValidationPubKeys"));
    CHECK(has(GET(acl.auth_method_update("jwt", method)), "jwt"));
    CHECK(has(GET(acl.auth_method_list()), "jwt"));
    const auto id = field(GET(acl.binding_rule_create(rule)), "ID");
    CHECK(has(GET(acl.binding_rule_read(id)), "readers"));
    CHECK(field(GET(acl.binding_rule_update(id, rule)), "ID") == id);
    CHECK(has(GET(acl.binding_rule_list("jwt")), id) && has(GET(acl.binding_rule_list()), id));
    OK(acl.binding_rule_delete(id));
    (void)IS(not_found, acl.binding_rule_read(id));
    OK(acl.auth_method_delete("jwt"));
    (void)IS(not_found, acl.auth_method_read("jwt"));
}

static void access_control(const consul::client &client) {
    const auto acl = client.acl();
    const std::string name = unique("policy");
    FAILS(err_argument, "not a JSON object", acl.policy_create("[]"));
    const auto policy = GET(acl.policy_create("{\"Name\":\"" + name + "\",\"Rules\":\"\"}"));
    const auto id = field(policy, "ID");
    const auto rules = "{\"Name\":\"" + name +
                       "\",\"Rules\":\"key_prefix \\\"cpp-\\\" { policy = \\\"write\\\" }\"}";
    CHECK(has(GET(acl.policy_update(id, rules)), "key_prefix"));
    CHECK(GET(acl.policy_read(id)) == GET(acl.policy_read_by_name(name)));
    CHECK(has(GET(acl.policy_list()), name));

    const auto link = "\"Policies\":[{\"Name\":\"" + name + "\"}]";
    const auto role = GET(acl.role_create("{\"Name\":\"" + name + "\"," + link + "}"));
    const auto role_id = field(role, "ID");
    const auto described = "{\"Name\":\"" + name + "\"," + link + ",\"Description\":\"d\"}";
    CHECK(field(GET(acl.role_update(role_id, described)), "Description") == "d");
    CHECK(has(GET(acl.role_read(role_id)), name) && has(GET(acl.role_read_by_name(name)), role_id));
    CHECK(has(GET(acl.role_list()), role_id));

    const auto token = GET(acl.token_create("{\"Roles\":[{\"ID\":\"" + role_id + "\"}]}"));
    const auto accessor = field(token, "AccessorID");
    consul::options user;
    user.token(field(token, "SecretID"));
    const std::string key = unique("key");
    OK(client.kv().put(key, "v", 0, user));
    CHECK(client.kv().put("other", "v", 0, user).status() == consul::status::err_denied);
    consul::txn txn;
    txn.set("other", "v");
    const auto refused = IS(err_denied, client.commit(txn, user));
    CHECK(refused.failed() && refused.answer() != nullptr && refused.answer()->errors()[0].denied());
    CHECK(field(GET(acl.token_self(user)), "AccessorID") == accessor);
    const auto clone = field(GET(acl.token_clone(accessor, "second")), "AccessorID");
    CHECK(clone != accessor && has(GET(acl.token_list(nullptr, role_id)), clone));
    CHECK(has(GET(acl.token_update(accessor, "{\"Description\":\"empty\"}")), "empty"));
    CHECK(has(GET(acl.token_read(accessor)), "empty"));
    for (const auto &each : {accessor, clone}) {
        OK(acl.token_delete(each));
        is_gone(acl.token_read(each));
    }
    OK(acl.role_delete(role_id));
    is_gone(acl.role_read(role_id));
    OK(acl.policy_delete(id));
    is_gone(acl.policy_read(id));
    (void)IS(err_denied, acl.login("no-such-method", "jwt"));
    (void)IS(err_denied, acl.logout());
    (void)acl.bootstrap(); // works once, or was done by the agent itself
    (void)IS(err_denied, acl.bootstrap());
}

static void cluster(const consul::client &client) {
    const auto operators = client.operators();
    const auto peers = GET(operators.raft_peers());
    CHECK(peers.size() == 1 && peers[0].is_leader() && peers[0].is_voter());
    CHECK(peers[0].address() == GET(client.status().leader()));
    CHECK(!peers[0].id().empty() && !peers[0].node().empty() && !peers[0].protocol_version().empty());
    (void)IS(err_http, operators.raft_peer_remove("no-such-id"));
    (void)IS(err_http, operators.raft_address_remove("127.0.0.1:1"));
    const auto report = GET(operators.cluster_report());
    CHECK(has(report, std::string(peers[0].id())) && has(report, client.endpoint().data()));

    // It is there a moment after the first leader is.
    auto config = operators.autopilot_config();
    for (int tries = 0; config.failed() && tries < 3000; ++tries) {
        usleep(10000);
        config = operators.autopilot_config();
    }
    OK(operators.autopilot_config_set(GET(std::move(config))));
    (void)IS(conflict, operators.autopilot_config_cas("{\"CleanupDeadServers\":true}", 1));
    CHECK(has(GET(operators.autopilot_health()), "\"Servers\""));
    const auto state = operators.autopilot_state(); // since Consul 1.9
    CHECK(state || state.status() == consul::status::err_unsupported);

    // This agent's gossip is not encrypted.
    const std::string gossip = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    (void)IS(err_http, operators.keyring_list());
    FAILS(err_http, "keyring", operators.keyring_install(gossip));
    (void)IS(err_http, operators.keyring_use(gossip));
    (void)IS(err_http, operators.keyring_remove(gossip));

    (void)IS(err_http, client.agent().join("127.0.0.1:1"));
    (void)client.agent().force_leave("no-such-node", true); // newer versions do not mind
    consul::options stranger;
    stranger.token("11111111-2222-3333-4444-555555555555");
    (void)IS(err_denied, client.agent().leave(stranger));
}

static void backup(const consul::client &client) {
    const std::string key = unique("backup");
    const std::string path = "/tmp/" + unique("snapshot");
    OK(client.kv().put(key, "before", 7));
    const auto exported = GET(client.kv().export_(key));
    CHECK(has(exported, "YmVmb3Jl"));
    const auto saved = GET(client.snapshot().save(path));
    CHECK(GET(consul::inspect_snapshot(path)) == saved && has(saved, "\"Index\":"));
    OK(client.kv().put(key, "after"));
    CHECK(GET(client.snapshot().restore(path)) == saved);
    CHECK(ROW(client.kv().get(key), value() == "before"));
    OK(client.kv().delete_(key));
    OK(client.kv().import_(exported));
    OK(client.kv().import_(exported, "cpp-copy-"));
    CHECK(ROW(client.kv().get("cpp-copy-" + key), flags() == 7));
    FAILS(err_argument, "consul kv export", client.kv().import_("{}"));

    // In a queue, on a thread of its own.
    const auto queue = GET(consul::queue::create());
    (void)IS(pending, client.on(queue, 7).snapshot().save(path));
    (void)IS(pending, client.on(queue, 8).operators().raft_peers());
    for (int left = 2; left > 0; --left) {
        auto event = GET(queue.next(30s));
        if (event.tag() == 7)
            CHECK(has(GET(event.take<std::string>()), "\"Index\":"));
        else
            CHECK(GET(event.take<consul::raft_peer_list>()).size() == 1);
    }
    CHECK(unlink(path.c_str()) == 0);
    FAILS(err_io, path.c_str(), consul::inspect_snapshot(path));
}

int main() {
    {
        const auto client = new_client();
        access_control(client);
        auth_methods(client);
        cluster(client);
        backup(client);
    }
    return finished();
}

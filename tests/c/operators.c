/* What operators do, beside an agent that denies by default and a management token: access control,
 * Raft, autopilot, exports, snapshots; blocking, and in a queue. */

#include "queue.h"

/* The text of a name in JSON, which an agent in development mode indents; free() it. */
static char *field(consul_text *json, const char *name)
{
    char quoted[40];
    const char *start, *end;
    char *found;
    sprintf(quoted, "\"%s\"", name);
    start = strstr(consul_text_data(json), quoted);
    CHECK(start != NULL);
    start = strchr(start + strlen(quoted), '"') + 1;
    end = strchr(start, '"');
    found = calloc(1, (size_t)(end - start) + 1);
    CHECK(found != NULL);
    memcpy(found, start, (size_t)(end - start));
    consul_text_free(json);
    return found;
}

static void has(consul_text *text, const char *part)
{
    CHECK(strlen(consul_text_data(text)) == consul_text_len(text));
    CHECK(strstr(consul_text_data(text), part) != NULL);
    consul_text_free(text);
}

/* Does not exist: Consul 1.8 says so of tokens and policies as of an unknown token. */
static void gone(consul_status status, consul_text *out)
{
    CHECK((status == CONSUL_NOT_FOUND || status == CONSUL_ERR_DENIED) && out == NULL);
}

static consul_status put(const consul_client *client, const char *key, const consul_options *options)
{
    return consul_kv_put(client, key, (const uint8_t *)"v", 1, 0, options, NULL);
}

/* A denial is an error and no conflict, which would be tried again; it has the operations all the same. */
static void denied_transaction(const consul_client *client, const consul_options *user)
{
    consul_txn *txn = NULL;
    consul_txn_result *result = NULL;
    consul_queue *queue = NULL;
    consul_event *event = NULL;
    consul_async async;
    int i;
    CHECK_OK(consul_queue_new(&queue));
    async.queue = queue;
    async.tag = 1;
    CHECK_OK(consul_txn_new(&txn));
    CHECK_OK(consul_txn_set(txn, "c-key", (const uint8_t *)"w", 1, 0));
    CHECK_OK(consul_txn_set(txn, "other", (const uint8_t *)"v", 1, 0));
    for (i = 0; i < 2; i++) {
        if (i == 0) {
            CHECK_ERROR(CONSUL_ERR_DENIED, "operation 1: Permission denied",
                        consul_txn_commit(client, txn, user, NULL, &result));
        } else {
            CHECK_STATUS(CONSUL_PENDING, consul_txn_commit(client, txn, user, &async, NULL));
            CHECK_OK(consul_queue_next(queue, 10000, &event));
            CHECK(consul_event_status(event) == CONSUL_ERR_DENIED);
            CHECK(strstr(consul_event_error(event)->message, "Permission denied") != NULL);
            CHECK(consul_event_error(event)->http_status == 409);
            CHECK_OK(consul_event_take_txn_result(event, &result));
            consul_event_free(event);
        }
        CHECK(consul_txn_result_count(result) == 0 && consul_txn_result_error_count(result) > 0);
        CHECK(consul_txn_result_error_at(result, 0)->op_index == 1);
        CHECK(consul_txn_result_error_at(result, 0)->denied);
        consul_txn_result_free(result);
    }
    consul_txn_free(txn);
    consul_queue_free(queue);
}

/* How somebody without a token gets one: whom an agent believes, and what for. */
static void auth_methods(const consul_client *client)
{
    /* Nobody has the private key. */
    static const char method[] =
        "{\"Name\":\"jwt\",\"Type\":\"jwt\",\"Config\":{\"JWTValidationPubKeys\":[\"-----BEGIN PUBLIC KEY-----\\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENE6uu9qnQp6KuNFawWqP+QTQxMR/\\n"
        "kjnyvYlQMy1IXKTrolUJaPKQ8EEbeLGz1upUSleKJjwlv9oypkFRd0Zu5A==\\n"
        "-----END PUBLIC KEY-----\\n\"]}}";
    static const char rule[] = "{\"AuthMethod\":\"jwt\",\"BindType\":\"role\",\"BindName\":\"readers\"}";
    consul_text *text = NULL;
    char *id;
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "not a JSON object",
                consul_acl_auth_method_create(client, "[]", NULL, NULL, &text));
    CHECK_OK(consul_acl_auth_method_create(client, method, NULL, NULL, &text));
    has(text, "JWTValidationPubKeys");
    CHECK_OK(consul_acl_auth_method_read(client, "jwt", NULL, NULL, &text));
    has(text, "JWTValidationPubKeys");
    CHECK_OK(consul_acl_auth_method_update(client, "jwt", method, NULL, NULL, &text));
    has(text, "jwt");
    CHECK_OK(consul_acl_auth_method_list(client, NULL, NULL, &text));
    has(text, "jwt");
    CHECK_OK(consul_acl_binding_rule_create(client, rule, NULL, NULL, &text));
    id = field(text, "ID");
    CHECK_OK(consul_acl_binding_rule_read(client, id, NULL, NULL, &text));
    has(text, "readers");
    CHECK_OK(consul_acl_binding_rule_update(client, id, rule, NULL, NULL, &text));
    has(text, id);
    CHECK_OK(consul_acl_binding_rule_list(client, "jwt", NULL, NULL, &text));
    has(text, id);
    CHECK_OK(consul_acl_binding_rule_list(client, NULL, NULL, NULL, &text));
    has(text, id);
    CHECK(consul_acl_login(client, "jwt", "a.b.c", NULL, NULL, &text) < 0 && text == NULL);
    CHECK_OK(consul_acl_binding_rule_delete(client, id, NULL, NULL));
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_acl_binding_rule_read(client, id, NULL, NULL, &text));
    CHECK_OK(consul_acl_auth_method_delete(client, "jwt", NULL, NULL));
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_acl_auth_method_read(client, "jwt", NULL, NULL, &text));
    free(id);
}

static void access_control(const consul_client *client)
{
    static const char rules[] =
        "{\"Name\":\"c\",\"Rules\":\"key_prefix \\\"c-\\\" { policy = \\\"write\\\" }\"}";
    consul_text *text = NULL;
    consul_options *user = NULL;
    char *policy, *role, *token, *secret, *clone, json[200];
    consul_status status;

    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "not a JSON object",
                consul_acl_policy_create(client, "{\"SecretID\":\"s3cr3t\"", NULL, NULL, &text));
    CHECK(strstr(consul_last_error()->message, "s3cr3t") == NULL && text == NULL);
    CHECK_OK(consul_acl_policy_create(client, rules, NULL, NULL, &text));
    policy = field(text, "ID");
    CHECK_OK(consul_acl_policy_update(client, policy, rules, NULL, NULL, &text));
    has(text, "key_prefix");
    CHECK_OK(consul_acl_policy_read(client, policy, NULL, NULL, &text));
    has(text, "key_prefix");
    CHECK_OK(consul_acl_policy_read_by_name(client, "c", NULL, NULL, &text));
    has(text, policy);
    CHECK_OK(consul_acl_policy_list(client, NULL, NULL, &text));
    has(text, policy);

    sprintf(json, "{\"Name\":\"c\",\"Policies\":[{\"ID\":\"%s\"}]}", policy);
    CHECK_OK(consul_acl_role_create(client, json, NULL, NULL, &text));
    role = field(text, "ID");
    CHECK_OK(consul_acl_role_update(client, role, json, NULL, NULL, &text));
    has(text, policy);
    CHECK_OK(consul_acl_role_read(client, role, NULL, NULL, &text));
    has(text, policy);
    CHECK_OK(consul_acl_role_read_by_name(client, "c", NULL, NULL, &text));
    has(text, role);
    CHECK_OK(consul_acl_role_list(client, NULL, NULL, &text));
    has(text, role);

    sprintf(json, "{\"Roles\":[{\"ID\":\"%s\"}]}", role);
    CHECK_OK(consul_acl_token_create(client, json, NULL, NULL, &text));
    token = field(text, "AccessorID");
    CHECK_OK(consul_acl_token_read(client, token, NULL, NULL, &text));
    secret = field(text, "SecretID");
    CHECK_OK(consul_options_new(&user));
    CHECK_OK(consul_options_set_token(user, secret));
    CHECK_OK(put(client, "c-key", user));
    CHECK_STATUS(CONSUL_ERR_DENIED, put(client, "other", user));
    denied_transaction(client, user);
    CHECK(strstr(consul_last_error()->message, secret) == NULL);
    CHECK_OK(consul_acl_token_self(client, user, NULL, &text));
    has(text, token);
    CHECK_OK(consul_acl_token_clone(client, token, NULL, NULL, NULL, &text));
    clone = field(text, "AccessorID");
    CHECK_OK(consul_acl_token_list(client, NULL, role, NULL, NULL, NULL, &text));
    has(text, clone);
    CHECK_OK(consul_acl_token_update(client, token, "{\"Description\":\"d\"}", NULL, NULL, &text));
    consul_text_free(text);
    CHECK_OK(consul_acl_token_delete(client, token, NULL, NULL));
    CHECK_OK(consul_acl_token_delete(client, clone, NULL, NULL));
    status = consul_acl_token_read(client, token, NULL, NULL, &text);
    gone(status, text);
    CHECK_OK(consul_acl_role_delete(client, role, NULL, NULL));
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_acl_role_read(client, role, NULL, NULL, &text));
    CHECK_OK(consul_acl_policy_delete(client, policy, NULL, NULL));
    status = consul_acl_policy_read(client, policy, NULL, NULL, &text);
    gone(status, text);

    CHECK_STATUS(CONSUL_ERR_DENIED, consul_acl_login(client, "none", "s3cr3t", NULL, NULL, &text));
    CHECK(strstr(consul_last_error()->message, "s3cr3t") == NULL);
    CHECK_STATUS(CONSUL_ERR_DENIED, consul_acl_logout(client, NULL, NULL));
    /* It works once, unless the agent has done it itself. */
    if (consul_acl_bootstrap(client, NULL, NULL, &text) == CONSUL_OK)
        consul_text_free(text);
    CHECK_STATUS(CONSUL_ERR_DENIED, consul_acl_bootstrap(client, NULL, NULL, &text));
    consul_options_free(user);
    free(policy), free(role), free(token), free(secret), free(clone);
}

static void cluster(const consul_client *client)
{
    static const char gossip[] = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    consul_raft_peers *peers = NULL;
    consul_text *text = NULL;
    consul_options *stranger = NULL;
    consul_status status;
    const consul_raft_peer *peer;

    CHECK_OK(consul_operator_raft_peers(client, NULL, NULL, &peers));
    CHECK(consul_raft_peers_count(peers) == 1 && consul_raft_peers_at(peers, 1) == NULL);
    peer = consul_raft_peers_at(peers, 0);
    CHECK(peer->is_leader && peer->is_voter && strlen(peer->id) == 36 && peer->node_len > 0);
    CHECK_OK(consul_status_leader(client, NULL, NULL, &text));
    CHECK_TEXT(peer->address, consul_text_data(text));
    consul_text_free(text);
    CHECK_OK(consul_operator_cluster_report(client, NULL, NULL, &text));
    has(text, peer->id);
    consul_raft_peers_free(peers);
    CHECK_STATUS(CONSUL_ERR_HTTP, consul_operator_raft_peer_remove(client, "none", NULL, NULL));
    CHECK_STATUS(CONSUL_ERR_HTTP,
                 consul_operator_raft_address_remove(client, "127.0.0.1:1", NULL, NULL));

    /* It is there a moment after the first leader is. */
    {
        uint64_t end = now_ms() + 30000;
        while (consul_operator_autopilot_config(client, NULL, NULL, &text) != CONSUL_OK)
            CHECK(now_ms() < end && usleep(10000) == 0);
    }
    CHECK_OK(consul_operator_autopilot_config_set(client, consul_text_data(text), NULL, NULL));
    CHECK_STATUS(CONSUL_CONFLICT, consul_operator_autopilot_config_cas(
                                      client, consul_text_data(text), 1, NULL, NULL));
    has(text, "\"CleanupDeadServers\"");
    CHECK_OK(consul_operator_autopilot_health(client, NULL, NULL, &text));
    has(text, "\"FailureTolerance\"");
    status = consul_operator_autopilot_state(client, NULL, NULL, &text);
    CHECK(status == CONSUL_OK || status == CONSUL_ERR_UNSUPPORTED); /* since Consul 1.9 */
    consul_text_free(text);

    /* The gossip of this agent is not encrypted. */
    CHECK_STATUS(CONSUL_ERR_HTTP, consul_operator_keyring_list(client, NULL, NULL, &text));
    CHECK_STATUS(CONSUL_ERR_HTTP, consul_operator_keyring_install(client, gossip, NULL, NULL));
    CHECK_STATUS(CONSUL_ERR_HTTP, consul_operator_keyring_use(client, gossip, NULL, NULL));
    CHECK_STATUS(CONSUL_ERR_HTTP, consul_operator_keyring_remove(client, gossip, NULL, NULL));

    CHECK_STATUS(CONSUL_ERR_HTTP, consul_agent_join(client, "127.0.0.1:1", false, NULL, NULL));
    consul_agent_force_leave(client, "none", true, NULL, NULL); /* newer versions do not mind */
    CHECK_OK(consul_options_new(&stranger));
    CHECK_OK(consul_options_set_token(stranger, "11111111-2222-3333-4444-555555555555"));
    CHECK_STATUS(CONSUL_ERR_DENIED, consul_agent_leave(client, stranger, NULL));
    consul_options_free(stranger);
}

static void backup(const consul_client *client)
{
    char path[] = "/tmp/consul-operators-XXXXXX";
    consul_queue *queue = new_queue();
    consul_async async = async_of(queue, 7);
    consul_raft_peers *peers = NULL;
    consul_text *exported = NULL, *text = NULL;
    consul_event *event;
    consul_kv *kv = NULL;

    CHECK(close(mkstemp(path)) == 0);
    CHECK_OK(put(client, "c-key", NULL));
    CHECK_OK(consul_kv_export(client, "c-", NULL, NULL, &exported));
    CHECK_OK(consul_snapshot_save(client, path, NULL, NULL, &text));
    has(text, "\"Index\":");
    CHECK_OK(consul_snapshot_inspect(path, &text));
    has(text, "\"Index\":");
    CHECK_OK(consul_kv_delete(client, "c-key", NULL, NULL));
    CHECK_OK(consul_snapshot_restore(client, path, NULL, NULL, &text));
    consul_text_free(text);
    CHECK_OK(consul_kv_get(client, "c-key", NULL, NULL, &kv));
    consul_kv_free(kv);
    CHECK_OK(consul_kv_import(client, "copy-of-", (const uint8_t *)consul_text_data(exported),
                              consul_text_len(exported), NULL, NULL));
    CHECK_OK(consul_kv_get(client, "copy-of-c-key", NULL, NULL, &kv));
    consul_kv_free(kv);
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "consul kv export",
                consul_kv_import(client, NULL, (const uint8_t *)"{}", 2, NULL, NULL));
    consul_text_free(exported);

    /* Without waiting, on a thread of its own. */
    CHECK_STATUS(CONSUL_PENDING, consul_snapshot_save(client, path, NULL, &async, NULL));
    event = next_event(queue);
    CHECK_EVENT(7, CONSUL_OK, event);
    CHECK_OK(consul_event_take_text(event, &text));
    has(text, "\"Index\":");
    consul_event_free(event);
    CHECK_STATUS(CONSUL_PENDING, consul_operator_raft_peers(client, NULL, &async, NULL));
    event = next_event(queue);
    CHECK_OK(consul_event_take_raft_peers(event, &peers));
    CHECK(consul_raft_peers_count(peers) == 1);
    consul_raft_peers_free(peers);
    consul_event_free(event);
    CHECK(unlink(path) == 0);
    CHECK_ERROR(CONSUL_ERR_IO, path, consul_snapshot_inspect(path, &text));
    consul_queue_free(queue);
}

int main(void)
{
    consul_client *client = consul();
    access_control(client);
    auth_methods(client);
    cluster(client);
    backup(client);
    consul_client_free(client);
    CHECK_NO_HANDLES();
    return 0;
}

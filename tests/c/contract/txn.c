/* Transactions: every verb, results and errors, bytes and numbers as they are. */

#include "support.h"

static consul_client *client;
static char *key;
static const uint8_t value[] = {0, 1, 0xff, 'x', 0};

static consul_txn *txn_new(void)
{
    consul_txn *txn = NULL;
    CHECK_OK(consul_txn_new(&txn));
    return txn;
}

/* Commits and ends it. */
static consul_txn_result *commit(consul_txn *txn, consul_status wanted)
{
    consul_txn_result *result = NULL;
    CHECK_STATUS(wanted, consul_txn_commit(client, txn, NULL, NULL, &result));
    CHECK(result != NULL);
    consul_txn_free(txn);
    return result;
}

static void apply(consul_txn *txn)
{
    consul_txn_result *result = commit(txn, CONSUL_OK);
    CHECK(consul_txn_result_error_count(result) == 0);
    CHECK(consul_txn_result_error_at(result, 0) == NULL);
    consul_txn_result_free(result);
}

static const char *child(const char *name)
{
    static char path[200];
    sprintf(path, "%.100s/%s", key, name);
    return path;
}

static uint64_t writes_and_reads(void)
{
    consul_txn *txn = txn_new();
    consul_txn_result *result;
    const consul_txn_row *row;
    uint64_t index;
    CHECK_OK(consul_txn_check_not_exists(txn, key));
    CHECK_OK(consul_txn_set(txn, key, value, sizeof value, UINT64_MAX));
    CHECK_OK(consul_txn_cas(txn, child("a"), value, 1, (UINT64_C(1) << 53) + 1, 0));
    CHECK_OK(consul_txn_get(txn, key));
    CHECK_OK(consul_txn_get_tree(txn, child("")));
    result = commit(txn, CONSUL_OK);
    /* The first verb gives none. */
    CHECK(consul_txn_result_count(result) == 4 && consul_txn_result_at(result, 4) == NULL);
    row = consul_txn_result_at(result, 2);
    CHECK(row->kind == CONSUL_TXN_KV && row->json_len == 0);
    CHECK(row->pair->value_len == sizeof value);
    CHECK(memcmp(row->pair->value, value, sizeof value) == 0);
    CHECK(row->pair->flags == UINT64_MAX);
    index = row->pair->modify_index;
    CHECK(index > 0);
    row = consul_txn_result_at(result, 3);
    CHECK_TEXT(child("a"), row->pair->key);
    CHECK(row->pair->flags == (UINT64_C(1) << 53) + 1);
    CHECK(consul_txn_result_meta(result) != NULL);
    consul_txn_result_free(result);
    return index;
}

static void rolled_back(uint64_t index)
{
    consul_txn *txn = txn_new();
    consul_txn_result *result;
    const consul_txn_error *error;
    consul_kv *kv = NULL;
    CHECK_OK(consul_txn_set(txn, child("b"), value, 1, 0));
    CHECK_OK(consul_txn_check_index(txn, key, index + 1));
    result = commit(txn, CONSUL_CONFLICT);
    CHECK(consul_txn_result_count(result) == 0 && consul_txn_result_error_count(result) == 1);
    error = consul_txn_result_error_at(result, 0);
    CHECK(error->op_index == 1 && !error->denied);
    CHECK(error->what_len == strlen(error->what) && strstr(error->what, "index") != NULL);
    consul_txn_result_free(result);
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_kv_get(client, child("b"), NULL, NULL, &kv));
    consul_kv_free(kv);
}

/* No repetition helps: an error, which has the operations all the same. */
static void not_known(void)
{
    consul_txn *txn = txn_new();
    consul_txn_result *result;
    CHECK_OK(consul_txn_add_json(txn, "{\"KV\": {\"Verb\": \"burn\", \"Key\": \"a\"}}"));
    result = commit(txn, CONSUL_ERR_UNSUPPORTED);
    CHECK(consul_txn_result_count(result) == 0 && consul_txn_result_error_count(result) == 1);
    CHECK(strstr(consul_txn_result_error_at(result, 0)->what, "burn") != NULL);
    CHECK(strstr(consul_last_error()->message, "operation 0: unknown KV verb") != NULL);
    CHECK(consul_last_error()->http_status == 409 && !consul_last_error()->outcome_unknown);
    consul_txn_result_free(result);
}

static void locks(void)
{
    consul_text *session = NULL;
    const char *id;
    consul_txn *txn = txn_new();
    CHECK_OK(consul_session_create(client, NULL, NULL, NULL, &session));
    id = consul_text_data(session);
    CHECK_OK(consul_txn_lock(txn, child("lock"), value, 1, 0, id));
    CHECK_OK(consul_txn_check_session(txn, child("lock"), id));
    CHECK_OK(consul_txn_unlock(txn, child("lock"), value, 2, 0, id));
    apply(txn);
    CHECK_OK(consul_session_destroy(client, id, NULL, NULL));
    consul_text_free(session);
}

static void other_kinds(void)
{
    consul_txn *txn = txn_new();
    consul_txn_result *result;
    const consul_txn_row *row;
    char json[200];
    sprintf(json, "{\"Node\": {\"Verb\": \"set\", \"Node\": {\"Node\": \"%.50s\", \"Address\": \"127.0.0.9\"}}}",
            key);
    CHECK_OK(consul_txn_add_json(txn, json));
    result = commit(txn, CONSUL_OK);
    row = consul_txn_result_at(result, 0);
    CHECK(row->kind == CONSUL_TXN_NODE && row->pair == NULL);
    CHECK(row->json_len == strlen(row->json) && strstr(row->json, "127.0.0.9") != NULL);
    consul_txn_result_free(result);
    txn = txn_new();
    sprintf(json, "{\"Node\": {\"Verb\": \"delete\", \"Node\": {\"Node\": \"%.50s\"}}}", key);
    CHECK_OK(consul_txn_add_json(txn, json));
    apply(txn);
}

static void refused(void)
{
    consul_txn *txn = txn_new();
    consul_txn_result *result = (consul_txn_result *)txn;
    int i;
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "slash", consul_txn_set(txn, "/a", value, 1, 0));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "prefix", consul_txn_delete_tree(txn, ""));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "JSON", consul_txn_add_json(txn, "{"));
    CHECK_STATUS(CONSUL_ERR_ARGUMENT, consul_txn_add_json(txn, "[]"));
    CHECK_STATUS(CONSUL_ERR_ARGUMENT, consul_txn_lock(txn, "a", value, 1, 0, ""));
    /* Nothing of that was added. */
    CHECK_OK(consul_txn_commit(client, txn, NULL, NULL, &result));
    CHECK(consul_txn_result_count(result) == 0);
    consul_txn_result_free(result);
    for (i = 0; i <= 64; i++)
        CHECK_OK(consul_txn_get(txn, key));
    CHECK_ERROR(CONSUL_ERR_TOO_LARGE, "max_txn_operations",
                consul_txn_commit(client, txn, NULL, NULL, &result));
    CHECK(result == NULL);
    consul_txn_free(txn);
}

int main(void)
{
    consul_txn *txn;
    uint64_t index;
    client = consul();
    key = unique("txn");
    index = writes_and_reads();
    rolled_back(index);
    not_known();
    locks();
    other_kinds();
    refused();
    txn = txn_new();
    CHECK_OK(consul_txn_delete_cas(txn, key, index));
    CHECK_OK(consul_txn_delete(txn, child("a")));
    CHECK_OK(consul_txn_delete_tree(txn, key));
    apply(txn);
    consul_client_free(client);
    free(key);
    CHECK_NO_HANDLES();
    return 0;
}

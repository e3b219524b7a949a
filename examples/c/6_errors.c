/* What can go wrong, and what a program does about it. */

#include <consul_ffi.h>
#include <stdio.h>
#include <string.h>

/* Positive statuses are answers, not errors. */
static void not_found(const consul_client *client)
{
    consul_kv *kv = NULL;
    if (consul_kv_get(client, "app/none", NULL, NULL, &kv) == CONSUL_NOT_FOUND)
        puts("not found: take the default");
    consul_kv_free(kv); /* it has the index to wait on */
}

static void conflict(const consul_client *client)
{
    const uint8_t *value = (const uint8_t *)"1";
    consul_kv_put(client, "app/counter", value, 1, 0, NULL, NULL);
    /* 0: only if the key does not exist. */
    if (consul_kv_cas(client, "app/counter", value, 1, 0, 0, NULL, NULL) == CONSUL_CONFLICT)
        puts("conflict: read it again, then try again");
    consul_kv_delete(client, "app/counter", NULL, NULL);
}

static void denied(const consul_client *client)
{
    consul_options *options = NULL;
    consul_kv *kv = NULL;
    consul_options_new(&options);
    consul_options_set_token(options, "11111111-2222-3333-4444-555555555555");
    if (consul_kv_get(client, "app/none", options, NULL, &kv) == CONSUL_ERR_DENIED)
        printf("denied: another token is needed (HTTP %d)\n", (int)consul_last_error()->http_status);
    else
        puts("denied: not here, this Consul asks for no token");
    consul_kv_free(kv);
    consul_options_free(options);
}

static void connect_fails(void)
{
    consul_config *config = NULL;
    consul_client *client = NULL;
    consul_kv *kv = NULL;
    consul_config_new(&config);
    consul_config_set(config, "address", "http://127.0.0.1:1"); /* nobody listens there */
    consul_client_new(config, &client);
    if (consul_kv_get(client, "app/none", NULL, NULL, &kv) == CONSUL_ERR_CONNECT)
        printf("connect: %s\n", consul_last_error()->retryable ? "try again later" : "give up");
    consul_kv_free(kv);
    consul_client_free(client);
    consul_config_free(config);
}

static void timeout(const consul_client *client)
{
    consul_options *options = NULL;
    consul_response *response = NULL;
    consul_options_new(&options);
    consul_options_set_timeout_ms(options, 200);
    /* Consul answers this after a minute. */
    if (consul_request(client, "GET", "/v1/kv/app/none?index=1000000000&wait=60s", NULL, 0, NULL,
                       options, NULL, &response) == CONSUL_ERR_TIMEOUT)
        puts("timeout: the deadline passed");
    consul_response_free(response);
    consul_options_free(options);
}

/* Whether the key has the value. */
static bool was_applied(const consul_client *client, const char *key, const char *value)
{
    consul_kv *kv = NULL;
    bool applied = false;
    if (consul_kv_get(client, key, NULL, NULL, &kv) == CONSUL_OK) {
        const consul_kv_pair *pair = consul_kv_at(kv, 0);
        applied = pair->value_len == strlen(value) && memcmp(pair->value, value, pair->value_len) == 0;
    }
    consul_kv_free(kv);
    return applied;
}

/* A change that was sent and not answered may have been applied, so it is not simply done again. */
static void outcome_unknown(const consul_client *client)
{
    const char *key = "app/payment", *value = "payment 4711";
    consul_options *options = NULL;
    consul_status status;
    consul_options_new(&options);
    consul_options_set_timeout_ms(options, 30000);
    status = consul_kv_cas(client, key, (const uint8_t *)value, strlen(value), 0, 0, options, NULL);
    if (status >= 0)
        printf("outcome: %s\n", status == CONSUL_OK ? "written" : "it was there already");
    else if (!consul_last_error()->outcome_unknown)
        puts("outcome: not written");
    else if (was_applied(client, key, value))
        puts("outcome: no answer, but it was written");
    else
        puts("outcome: no answer, and not written so far");
    consul_kv_delete(client, key, NULL, NULL);
    consul_options_free(options);
}

int main(void)
{
    consul_client *client = NULL;
    if (consul_client_new(NULL, &client) < 0) {
        /* Each thread has its last error: its name, and one line for people. */
        const consul_error *error = consul_last_error();
        fprintf(stderr, "%s: %s\n", consul_status_name(error->status), error->message);
        return 1;
    }
    not_found(client);
    conflict(client);
    denied(client);
    connect_fails();
    timeout(client);
    outcome_unknown(client);
    consul_client_free(client);
    return 0;
}

/* The last error is the calling thread's own, and stays till its next failing call: what runs
 * between a failure and the reading of its error, such as a host's finalizers, leaves it alone. */

#include "support.h"
#include <pthread.h>

static consul_client *client;
static char *key;

/* Of each kind of handle one that lives, and one that is freed already. */
struct handles {
    consul_config *config;
    consul_options *options;
    consul_kv *kv;
    consul_keys *keys;
    consul_text *text;
};

static struct handles make(void)
{
    struct handles all;
    CHECK_OK(consul_config_new(&all.config));
    CHECK_OK(consul_options_new(&all.options));
    CHECK_OK(consul_kv_get(client, key, NULL, NULL, &all.kv));
    CHECK_OK(consul_kv_keys(client, key, NULL, NULL, NULL, &all.keys));
    CHECK_OK(consul_config_get(all.config, "timeout_ms", &all.text));
    return all;
}

static void end(struct handles *all)
{
    consul_config_free(all->config);
    consul_options_free(all->options);
    consul_kv_free(all->kv);
    consul_keys_free(all->keys);
    consul_text_free(all->text);
}

static void *on_another_thread(void *unused)
{
    consul_kv *kv = NULL;
    (void)unused;
    CHECK(consul_last_error()->status == CONSUL_OK);
    CHECK_TEXT("", consul_last_error()->message);
    CHECK_ERROR(CONSUL_ERR_HANDLE, "NULL", consul_kv_get(NULL, "a", NULL, NULL, &kv));
    return NULL;
}

static void check_it_stays(const consul_error *error)
{
    consul_error copy = *error;
    char message[2000];
    struct handles live = make(), stale = make();
    pthread_t thread;
    consul_kv *kv = NULL;

    CHECK(error->message_len < sizeof message);
    strcpy(message, error->message);
    end(&stale);
    end(&stale);
    end(&live);
    consul_kv_free((consul_kv *)client);
    consul_client_free(NULL);
    /* Accessors of what is not there. */
    CHECK(consul_kv_count(stale.kv) == 0 && consul_kv_at(stale.kv, 0) == NULL);
    CHECK(consul_kv_meta(stale.kv) == NULL && consul_client_endpoint(NULL) == NULL);
    CHECK(consul_text_data(stale.text) == NULL && consul_keys_at(stale.keys, 0) == NULL);
    CHECK(consul_live_handles(-1) == 0);
    /* Honest answers are no failures, nor is success. */
    CHECK_OK(consul_kv_put(client, key, NULL, 0, 0, NULL, NULL));
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_kv_get(client, "last_error/no", NULL, NULL, &kv));
    consul_kv_free(kv);
    CHECK_STATUS(CONSUL_CONFLICT, consul_kv_cas(client, key, NULL, 0, 0, 1, NULL, NULL));
    CHECK(pthread_create(&thread, NULL, on_another_thread, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);

    CHECK(consul_last_error() == error);
    CHECK(error->status == copy.status && error->http_status == copy.http_status);
    CHECK(error->message == copy.message && error->endpoint == copy.endpoint);
    CHECK_TEXT(message, error->message);
}

int main(void)
{
    const consul_error *error = consul_last_error();
    consul_config *config = NULL;
    consul_kv *kv = NULL;
    CHECK(error != NULL && error->status == CONSUL_OK && error->http_status == 0);
    CHECK(!error->retryable && !error->outcome_unknown);
    CHECK(error->message_len == 0 && error->endpoint_len == 0);

    client = consul();
    key = unique("last-error");
    CHECK_OK(consul_kv_put(client, key, NULL, 0, 0, NULL, NULL));

    /* One that never left the process. */
    CHECK_OK(consul_config_new(&config));
    CHECK_ERROR(CONSUL_ERR_CONFIG, "odd", consul_config_set(config, "odd", "1"));
    error = consul_last_error();
    CHECK(error->http_status == 0 && !error->retryable && !error->outcome_unknown);
    consul_config_free(config);
    check_it_stays(error);

    /* One that Consul answered: the datacenter is known to nobody. */
    {
        consul_options *options = NULL;
        CHECK_OK(consul_options_new(&options));
        CHECK_OK(consul_options_set_datacenter(options, "nowhere"));
        CHECK_ERROR(CONSUL_ERR_HTTP, "datacenter",
                    consul_kv_get(client, key, options, NULL, &kv));
        consul_options_free(options);
    }
    error = consul_last_error();
    CHECK(error->http_status == 500);
    CHECK_TEXT(consul_client_endpoint(client), error->endpoint);
    CHECK(error->endpoint_len == strlen(error->endpoint));
    check_it_stays(error);

    consul_client_free(client);
    free(key);
    CHECK_NO_HANDLES();
    return 0;
}

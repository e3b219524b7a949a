/* This library through its C ABI: one client for all threads, which may have as many connections as
 * the peers have, one for each thread. */
#include "bench.h"
#include <consul_ffi.h>
#include <pthread.h>

static consul_client *client;
static consul_queue *queue;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void must(consul_status status) {
    if (status != CONSUL_OK) die(consul_status_name(status), consul_last_error()->message);
}

/* The address comes from the environment. */
static void connect_once(void) {
    consul_config *config = NULL;
    must(consul_config_new(&config));
    must(consul_config_set(config, "max_connections", "32"));
    must(consul_client_new(config, &client));
    must(consul_queue_new(&queue));
    consul_config_free(config);
}

void *worker_new(const char *host, const char *port) {
    (void)host, (void)port;
    pthread_once(&once, connect_once);
    return client;
}

/* It lives as long as the program. */
void worker_free(void *worker) { (void)worker; }

size_t worker_get(void *worker, const char *key) {
    consul_kv *kv = NULL;
    must(consul_kv_get(worker, key, NULL, NULL, &kv));
    size_t bytes = consul_kv_at(kv, 0)->value_len;
    consul_kv_free(kv);
    return bytes;
}

size_t worker_list(void *worker, const char *prefix, size_t *keys) {
    consul_kv *kv = NULL;
    size_t bytes = 0;
    must(consul_kv_list(worker, prefix, NULL, NULL, &kv));
    *keys = consul_kv_count(kv);
    for (size_t i = 0; i < *keys; i++) bytes += consul_kv_at(kv, i)->value_len;
    consul_kv_free(kv);
    return bytes;
}

void worker_put(void *worker, const char *key, const char *value, size_t len) {
    must(consul_kv_put(worker, key, (const uint8_t *)value, len, 0, NULL, NULL));
}

void worker_begin(void *worker, const char *key) {
    consul_async async = {queue, 0};
    consul_status status = consul_kv_get(worker, key, NULL, &async, NULL);
    if (status != CONSUL_PENDING) must(status);
}

size_t worker_take(void *worker) {
    consul_event *event = NULL;
    consul_kv *kv = NULL;
    (void)worker;
    must(consul_queue_next(queue, 10000, &event));
    must(consul_event_status(event));
    must(consul_event_take_kv(event, &kv));
    consul_event_free(event);
    size_t bytes = consul_kv_at(kv, 0)->value_len;
    consul_kv_free(kv);
    return bytes;
}

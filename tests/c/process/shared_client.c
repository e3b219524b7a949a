/* Thirty-two threads share one client: with time-outs, with their own results, over few sockets, and
 * at last with the client freed under them. */

#include "sockets.h"
#include <pthread.h>

enum { THREADS = 32, ROUNDS = 40 };

static consul_client *client;
static consul_options *hurry;
static pthread_barrier_t all;

static void *use(void *argument)
{
    char *key = unique("shared");
    uint64_t number = (uint64_t)(uintptr_t)argument;
    consul_status status = CONSUL_OK;
    int round;
    sprintf(key + strlen(key), "/%d", (int)number);
    for (round = 0; round < ROUNDS; round++) {
        uint64_t value = number << 32 | (uint64_t)round;
        consul_kv *kv = NULL;
        CHECK_OK(consul_kv_put(client, key, (uint8_t *)&value, sizeof value, value, NULL, NULL));
        CHECK_OK(consul_kv_get(client, key, NULL, NULL, &kv));
        CHECK(consul_kv_at(kv, 0)->value_len == sizeof value);
        CHECK(memcmp(consul_kv_at(kv, 0)->value, &value, sizeof value) == 0);
        CHECK(consul_kv_at(kv, 0)->flags == value);
        consul_kv_free(kv);
        status = consul_kv_get(client, key, hurry, NULL, &kv);
        CHECK(status == CONSUL_OK || status == CONSUL_ERR_TIMEOUT);
        consul_kv_free(kv);
    }
    CHECK(sockets(NULL) <= 16);
    pthread_barrier_wait(&all);
    /* Till the client is gone. */
    do {
        consul_kv *kv = NULL;
        status = consul_kv_get(client, key, NULL, NULL, &kv);
        consul_kv_free(kv);
    } while (status == CONSUL_OK);
    CHECK(status == CONSUL_ERR_CLOSED || status == CONSUL_ERR_HANDLE);
    free(key);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    uintptr_t i;
    client = consul();
    CHECK_OK(consul_options_new(&hurry));
    CHECK_OK(consul_options_set_timeout_ms(hurry, 1));
    CHECK(pthread_barrier_init(&all, NULL, THREADS + 1) == 0);
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, use, (void *)i) == 0);
    pthread_barrier_wait(&all);
    consul_client_free(client);
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(sockets(NULL) == 0);
    consul_options_free(hurry);
    CHECK_NO_HANDLES();
    return 0;
}

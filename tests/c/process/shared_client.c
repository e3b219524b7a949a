/* Thirty-two threads share one client: with time-outs, with their own results, over few sockets, and
 * at last with the client freed under them. None of them reads the environment, which another one may
 * change meanwhile. */

#include "sockets.h"
#include <pthread.h>

/* Sixteen for calls and watches, four of the library's upkeep. */
enum { THREADS = 32, ROUNDS = 40, MOST_SOCKETS = 20 };

static consul_client *client;
static consul_options *hurry;
static pthread_barrier_t all;

/* Who reads the environment comes by here, the library included: it may where a client is made. */
extern char **environ;
static bool may_read = true;
static int reads, reads_elsewhere;

char *getenv(const char *name)
{
    size_t length = strlen(name);
    char **entry;
    bool is_right = __atomic_load_n(&may_read, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(is_right ? &reads : &reads_elsewhere, 1, __ATOMIC_SEQ_CST);
    for (entry = environ; *entry != NULL; entry++)
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry + length + 1;
    return NULL;
}

/* A lock and a watch, so that the library's own threads are at work. */
static void keep(consul_lock **lock, consul_watch **watch)
{
    consul_lock_spec *wanted = NULL;
    consul_watch_spec *watched = NULL;
    char *key = unique("environment");
    CHECK_OK(consul_lock_spec_new(key, &wanted));
    CHECK_OK(consul_lock_new(client, wanted, lock));
    CHECK_OK(consul_lock_acquire(*lock, PATIENCE_MS, NULL));
    CHECK_OK(consul_watch_spec_new(CONSUL_WATCH_KEY, key, &watched));
    CHECK_OK(consul_watch_start(client, watched, NULL, 0, watch));
    CHECK_OK(consul_watch_wait_ready(*watch, PATIENCE_MS));
    consul_lock_spec_free(wanted);
    consul_watch_spec_free(watched);
    free(key);
}

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
    CHECK(sockets(NULL) <= MOST_SOCKETS);
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
    consul_lock *lock = NULL;
    consul_watch *watch = NULL;
    client = consul();
    CHECK(reads > 2 && reads_elsewhere == 0);
    __atomic_store_n(&may_read, false, __ATOMIC_SEQ_CST);
    keep(&lock, &watch);
    CHECK_OK(consul_options_new(&hurry));
    CHECK_OK(consul_options_set_timeout_ms(hurry, 1));
    CHECK(pthread_barrier_init(&all, NULL, THREADS + 1) == 0);
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, use, (void *)i) == 0);
    pthread_barrier_wait(&all);
    consul_client_free(client);
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    /* Those of the lock and the watch are closed by the threads that had them. */
    await_library_threads();
    CHECK(sockets(NULL) == 0);
    CHECK(reads_elsewhere == 0);
    consul_lock_free(lock);
    consul_watch_free(watch);
    consul_options_free(hurry);
    CHECK_NO_HANDLES();
    return 0;
}

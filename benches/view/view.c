/* Times what a program does with a live view of 1,000 keys, and with one of 1,000 instances: checking
 * for a newer version, looking up a key, picking an instance. Prints lines of `c`, what was called, the
 * median of rounds and its unit, with a tab between. Needs a Consul at CONSUL_HTTP_ADDR. */

#include <consul_ffi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEYS = 1000, INSTANCES = 1000, ROUNDS = 21, CALLS = 200000 };

static char keys[KEYS][40];
static uint64_t sink;

static void check(consul_status status)
{
    if (status >= 0)
        return;
    fprintf(stderr, "%s: %s\n", consul_status_name(status), consul_last_error()->message);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

static void refresh(consul_view *view, size_t i)
{
    (void)i;
    sink += (uint64_t)consul_view_refresh(view);
}

static void look_up(consul_view *view, size_t i)
{
    sink += consul_view_find_kv(view, keys[i * 7 % KEYS])->modify_index;
}

static void pick(consul_view *view, int32_t how, size_t i)
{
    const uint8_t *key = (const uint8_t *)keys[i * 7 % KEYS];
    sink += consul_view_pick(view, how, key, 12)->service->port;
}

static void round_robin(consul_view *view, size_t i) { pick(view, CONSUL_PICK_ROUND_ROBIN, i); }
static void random_one(consul_view *view, size_t i) { pick(view, CONSUL_PICK_RANDOM, i); }
static void weighted(consul_view *view, size_t i) { pick(view, CONSUL_PICK_WEIGHTED, i); }
static void least(consul_view *view, size_t i) { pick(view, CONSUL_PICK_LEAST_CONNECTIONS, i); }
static void hashed(consul_view *view, size_t i) { pick(view, CONSUL_PICK_HASH, i); }

static void measure(const char *name, consul_view *view, void (*call)(consul_view *, size_t))
{
    double rounds[ROUNDS];
    size_t round, i;
    for (round = 0; round < ROUNDS; round++) {
        double start = now();
        for (i = 0; i < CALLS; i++)
            call(view, i);
        rounds[round] = (now() - start) / CALLS;
    }
    qsort(rounds, ROUNDS, sizeof rounds[0], by_size);
    printf("c\t%s\t%.1f\tns\n", name, rounds[ROUNDS / 2]);
}

static consul_view *watched(consul_client *client, int32_t kind, const char *name, size_t count)
{
    consul_watch_spec *spec = NULL;
    consul_watch *watch = NULL;
    consul_view *view = NULL;
    check(consul_watch_spec_new(kind, name, &spec));
    check(consul_watch_start(client, spec, NULL, 0, &watch));
    check(consul_watch_view(watch, &view));
    while (consul_view_count(view) < count)
        check(consul_view_wait(view, 20000));
    consul_watch_spec_free(spec);
    return view;
}

int main(void)
{
    consul_client *client = NULL;
    consul_view *pairs, *instances;
    size_t i;
    check(consul_client_new(NULL, &client));
    for (i = 0; i < KEYS; i++) {
        sprintf(keys[i], "view/%07u", (unsigned)i);
        check(consul_kv_put(client, keys[i], (const uint8_t *)"value", 5, 0, NULL, NULL));
    }
    for (i = 0; i < INSTANCES; i++) {
        consul_service_spec *service = NULL;
        char id[40];
        sprintf(id, "view-%u", (unsigned)i);
        check(consul_service_spec_new("view", &service));
        check(consul_service_spec_set_id(service, id));
        check(consul_service_spec_set_port(service, 8000));
        check(consul_agent_service_register(client, service, NULL, NULL));
        consul_service_spec_free(service);
    }
    pairs = watched(client, CONSUL_WATCH_PREFIX, "view/", KEYS);
    instances = watched(client, CONSUL_WATCH_SERVICE, "view", INSTANCES);
    measure("version check", pairs, refresh);
    measure("key look-up", pairs, look_up);
    measure("pick, round robin", instances, round_robin);
    measure("pick, random", instances, random_one);
    measure("pick, weighted", instances, weighted);
    measure("pick, least in use", instances, least);
    measure("pick, hash", instances, hashed);
    return sink == 0;
}

/* What watches cost and how quick they are: the memory of 1,000 of them, the processor time of an
 * idle client with 100 of them, and how long after a write's answer a view shows the change. Prints
 * lines of `watches`, what was measured, the figure and its unit, with a tab between. Needs a Consul at
 * CONSUL_HTTP_ADDR. */

#include <consul_ffi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 1000, FEW = 100, CHANGES = 201, IDLE_S = 10 };

static void check(consul_status status)
{
    if (status >= 0)
        return;
    fprintf(stderr, "%s: %s\n", consul_status_name(status), consul_last_error()->message);
    exit(1);
}

static double now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static double processor_ms(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static long resident_kb(void)
{
    char line[256];
    long kb = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmRSS: %ld", &kb) == 1)
            break;
    if (status != NULL)
        fclose(status);
    return kb;
}

static int by_size(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

static void report(const char *what, double figure, const char *unit)
{
    printf("watches\t%s\t%.3f\t%s\n", what, figure, unit);
}

static consul_client *client_of(const char *connections)
{
    consul_config *config = NULL;
    consul_client *client = NULL;
    check(consul_config_new(&config));
    check(consul_config_set(config, "max_connections", connections));
    check(consul_client_new(config, &client));
    consul_config_free(config);
    return client;
}

static consul_watch *start(consul_client *client, const char *key)
{
    consul_watch_spec *spec = NULL;
    consul_watch *watch = NULL;
    check(consul_watch_spec_new(CONSUL_WATCH_KEY, key, &spec));
    check(consul_watch_start(client, spec, NULL, 0, &watch));
    consul_watch_spec_free(spec);
    return watch;
}

static consul_watch *watches[MANY];

static void start_all(consul_client *client, int count, const char *prefix)
{
    char key[60];
    int i;
    for (i = 0; i < count; i++) {
        sprintf(key, "%s/%d", prefix, i);
        watches[i] = start(client, key);
    }
    for (i = 0; i < count; i++)
        check(consul_watch_wait_ready(watches[i], 60000));
}

static void stop_all(int count)
{
    int i;
    for (i = 0; i < count; i++)
        consul_watch_free(watches[i]);
}

static int holds(const consul_kv_pair *pair, const char *value)
{
    return pair != NULL && pair->value_len == strlen(value) &&
           memcmp(pair->value, value, pair->value_len) == 0;
}

static void latency(void)
{
    consul_client *client = client_of("16");
    consul_watch *watch = start(client, "many/latency");
    consul_view *view = NULL;
    double times[CHANGES];
    char value[20];
    int i;
    check(consul_watch_wait_ready(watch, 20000));
    check(consul_watch_view(watch, &view));
    for (i = 0; i < CHANGES; i++) {
        double written;
        sprintf(value, "%d", i);
        /* Slower than the rate at which a watch asks. */
        usleep(110000);
        check(consul_kv_put(client, "many/latency", (uint8_t *)value, strlen(value), 0, NULL, NULL));
        written = now_ms();
        while (!holds(consul_view_find_kv(view, "many/latency"), value))
            check(consul_view_wait(view, 20000));
        times[i] = now_ms() - written;
    }
    qsort(times, CHANGES, sizeof times[0], by_size);
    report("a change is in a view, after the write's answer", times[CHANGES / 2], "ms");
    report("the same, 9 of 10", times[CHANGES * 9 / 10], "ms");
    consul_view_free(view);
    consul_watch_free(watch);
    consul_client_free(client);
}

int main(void)
{
    consul_client *client = client_of("16");
    long before;
    double began;
    latency();
    start_all(client, 1, "many/warm");
    before = resident_kb();
    stop_all(1);
    start_all(client, MANY, "many/m");
    report("1,000 watches add", (double)(resident_kb() - before) / 1024, "MB");
    stop_all(MANY);
    consul_client_free(client);

    client = client_of("200");
    start_all(client, FEW, "many/idle");
    sleep(1);
    began = processor_ms();
    sleep(IDLE_S);
    report("100 watches, a connection each, idle: CPU a second", (processor_ms() - began) / IDLE_S, "ms");
    stop_all(FEW);
    consul_client_free(client);

    client = client_of("16");
    start_all(client, FEW, "many/turns");
    sleep(2);
    began = processor_ms();
    sleep(IDLE_S);
    report("100 watches, taking turns, idle: CPU a second", (processor_ms() - began) / IDLE_S, "ms");
    stop_all(FEW);
    consul_client_free(client);
    return 0;
}

/* bench ROW seconds|calls N: makes the calls of a row for so long or so often, and prints how many
 * they were, how long they took, and the CPU time (user and system) of the process meanwhile. */
#define _GNU_SOURCE
#include "bench.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { THREADS = 32, LISTED = 1000, LISTED_BYTES = 64000, BIG = 256 * 1024 };

static const char *row;
static double seconds;
static long calls;
static char host[256], port[16];
static pthread_barrier_t barrier;

void die(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void check(size_t got, size_t wanted) {
    if (got != wanted) die(row, "the answer is not what was written");
}

static void call(void *worker) {
    size_t keys = 0;
    switch (row[0]) {
    case 'g': check(worker_get(worker, "bench/small"), 5); break;
    case 'p': worker_put(worker, "bench/put", "12345", 5); break;
    case 'f':
        check(worker_take(worker), 5);
        worker_begin(worker, "bench/small");
        break;
    case 'l':
        check(worker_list(worker, "bench/list/", &keys), LISTED_BYTES);
        check(keys, LISTED);
        break;
    default: check(worker_get(worker, "bench/big"), BIG);
    }
}

/* Not measured: the first call connects. */
static void warm_up(void *worker) {
    double until = now() + seconds / 10;
    do call(worker);
    while (now() < until);
}

/* How many calls were made. */
static long run(void *worker) {
    long done = 0;
    double until = now() + seconds;
    while (calls ? done < calls : done == 0 || now() < until) call(worker), done++;
    return done;
}

/* In the row "flight" a call takes what has ended and begins another in its place. */
static void begin_all(void *worker) {
    for (int i = 0; row[0] == 'f' && i < IN_FLIGHT; i++) worker_begin(worker, "bench/small");
}

static void take_all(void *worker) {
    for (int i = 0; row[0] == 'f' && i < IN_FLIGHT; i++) check(worker_take(worker), 5);
}

static void report(long done, double began, double used) {
    printf("%ld %.6f %.6f\n", done, now() - began, cpu() - used);
}

static void run_one(void) {
    void *worker = worker_new(host, port);
    begin_all(worker);
    warm_up(worker);
    double began = now(), used = cpu();
    report(run(worker), began, used);
    take_all(worker);
    worker_free(worker);
}

static void *thread(void *result) {
    void *worker = worker_new(host, port);
    warm_up(worker);
    pthread_barrier_wait(&barrier); /* all are warm */
    pthread_barrier_wait(&barrier); /* the clock runs */
    *(long *)result = run(worker);
    worker_free(worker);
    return NULL;
}

static void run_threads(void) {
    pthread_t threads[THREADS];
    long results[THREADS], done = 0;
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, thread, &results[i])) die(row, "no thread");
    pthread_barrier_wait(&barrier);
    double began = now(), used = cpu();
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL), done += results[i];
    report(done, began, used);
}

int main(int argc, char **argv) {
    const char *address = getenv("CONSUL_HTTP_ADDR");
    if (argc != 4) die(argv[0], "arguments: get|put|get32|flight|list|big seconds|calls N");
    if (!address || sscanf(address, "http://%255[^:]:%15[0-9]", host, port) != 2)
        die("CONSUL_HTTP_ADDR", "http://HOST:PORT is needed");
    row = argv[1];
    if (strcmp(argv[2], "calls") == 0)
        calls = atol(argv[3]);
    else
        seconds = atof(argv[3]);
    if (strcmp(row, "get32") == 0)
        run_threads();
    else
        run_one();
    return 0;
}

/* A contestant in C: what it provides, and bench.c runs. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>

enum { IN_FLIGHT = 32 };

/* What one thread calls through. The address is CONSUL_HTTP_ADDR's: host and port. */
void *worker_new(const char *host, const char *port);
void worker_free(void *worker);

/* The bytes of the decoded value. */
size_t worker_get(void *worker, const char *key);
/* The bytes of all decoded values under a prefix; *keys becomes how many there are. */
size_t worker_list(void *worker, const char *prefix, size_t *keys);
void worker_put(void *worker, const char *key, const char *value, size_t len);

/* Begins a get without waiting for it. No more than IN_FLIGHT are begun and not yet taken. */
void worker_begin(void *worker, const char *key);
/* Waits for any get that has been begun, and takes it: the bytes of the decoded value. */
size_t worker_take(void *worker);

/* Says what is wrong, and ends the program. */
void die(const char *what, const char *why);

#endif

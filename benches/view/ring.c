/* Times the look-up of a key's node in rings of 9 and of 1,000 nodes. Prints lines as view.c does. Needs
 * no Consul. */

#include <consul_ffi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEYS = 1000, ROUNDS = 21, CALLS = 200000, KEY_LEN = 12 };

static char keys[KEYS][40];
static uint64_t sink;

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

static void measure(const char *name, unsigned nodes)
{
    double rounds[ROUNDS];
    consul_ring *ring = NULL;
    unsigned round, i;
    if (consul_ring_new(0, &ring) != CONSUL_OK)
        exit(1);
    for (i = 0; i < nodes; i++) {
        char node[40];
        sprintf(node, "node-%u.example.com", i);
        if (consul_ring_add(ring, node, 1) != CONSUL_OK)
            exit(1);
    }
    for (round = 0; round < ROUNDS; round++) {
        double start = now();
        for (i = 0; i < CALLS; i++)
            sink += (uint64_t)*consul_ring_node_for_key(
                ring, (const uint8_t *)keys[i * 7 % KEYS], KEY_LEN);
        rounds[round] = (now() - start) / CALLS;
    }
    qsort(rounds, ROUNDS, sizeof rounds[0], by_size);
    printf("c\t%s\t%.1f\tns\n", name, rounds[ROUNDS / 2]);
    consul_ring_free(ring);
}

int main(void)
{
    unsigned i;
    for (i = 0; i < KEYS; i++)
        sprintf(keys[i], "view/%07u", i);
    measure("ring look-up, 9 nodes", 9);
    measure("ring look-up, 1,000 nodes", 1000);
    return sink == 0;
}

/* How late this machine is: for tests of deadlines on a machine that does other work too. */

#ifndef CONTROL_H
#define CONTROL_H

#include "support.h"
#include <dirent.h>
#include <pthread.h>

enum { CONTROL_THREADS = 64 };

/* What the threads of this process have waited for a processor, as the kernel counts it. */
struct waits {
    int count;
    long thread[CONTROL_THREADS];
    uint64_t waited_us[CONTROL_THREADS];
};

/* A thread that only sleeps, and adds up what it oversleeps. */
struct control {
    pthread_t sleeper;
    struct waits before;
    uint64_t began_ms;
    bool over;
    uint64_t late_us;
};

static uint64_t control_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Not every kernel counts it; then there is nothing in it. */
static void control_look(struct waits *waits)
{
    DIR *folder = opendir("/proc/self/task");
    struct dirent *entry;
    waits->count = 0;
    CHECK(folder != NULL);
    while ((entry = readdir(folder)) != NULL && waits->count < CONTROL_THREADS) {
        char path[300];
        unsigned long long waited_ns;
        FILE *file;
        sprintf(path, "/proc/self/task/%.20s/schedstat", entry->d_name);
        file = fopen(path, "r");
        if (file == NULL)
            continue;
        if (fscanf(file, "%*u %llu", &waited_ns) == 1) {
            waits->thread[waits->count] = atol(entry->d_name);
            waits->waited_us[waits->count++] = waited_ns / 1000;
        }
        fclose(file);
    }
    closedir(folder);
}

/* What they have waited since then. */
static uint64_t control_waited_us(const struct waits *before)
{
    struct waits now;
    uint64_t sum = 0;
    int i, j;
    control_look(&now);
    for (i = 0; i < now.count; i++) {
        for (j = 0; j < before->count && before->thread[j] != now.thread[i]; j++)
            ;
        sum += now.waited_us[i] - (j < before->count ? before->waited_us[j] : 0);
    }
    return sum;
}

static void *control_sleep(void *argument)
{
    enum { TICK_US = 1000 };
    struct control *control = argument;
    while (!__atomic_load_n(&control->over, __ATOMIC_ACQUIRE)) {
        uint64_t asleep = control_now_us(), over;
        usleep(TICK_US);
        over = control_now_us() - asleep - TICK_US;
        /* Any sleep ends a little late, by the timer's grain; that is no stall. */
        if (over > TICK_US / 2)
            control->late_us += over;
    }
    return NULL;
}

UNUSED static void control_start(struct control *control)
{
    control->over = false;
    control->late_us = 0;
    CHECK(pthread_create(&control->sleeper, NULL, control_sleep, control) == 0);
    control_look(&control->before);
    control->began_ms = now_ms();
}

/* The time since control_start, less what is the machine's fault: what a thread that only sleeps has
 * overslept, and what the others have waited for a processor, which need not be the sleeper's. */
UNUSED static uint64_t control_stop_ms(struct control *control)
{
    uint64_t took_us = (now_ms() - control->began_ms) * 1000, fault_us;
    fault_us = control_waited_us(&control->before);
    __atomic_store_n(&control->over, true, __ATOMIC_RELEASE);
    CHECK(pthread_join(control->sleeper, NULL) == 0);
    fault_us += control->late_us;
    return took_us > fault_us ? (took_us - fault_us) / 1000 : 0;
}

#endif

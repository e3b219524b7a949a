/* How late this machine is: for tests of deadlines on a machine that does other work too. */

#ifndef CONTROL_H
#define CONTROL_H

#include "support.h"
#include <pthread.h>

/* A thread that only sleeps, and adds up what it oversleeps. */
struct control {
    pthread_t sleeper;
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
    control->began_ms = now_ms();
}

/* The time since control_start, less what is the machine's fault. */
UNUSED static uint64_t control_stop_ms(struct control *control)
{
    uint64_t took_us = (now_ms() - control->began_ms) * 1000;
    __atomic_store_n(&control->over, true, __ATOMIC_RELEASE);
    CHECK(pthread_join(control->sleeper, NULL) == 0);
    return took_us > control->late_us ? (took_us - control->late_us) / 1000 : 0;
}

#endif

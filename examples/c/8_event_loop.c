/* Follows a key in an epoll loop, whose timer writes it meanwhile: nothing blocks the thread. */

#include <consul_ffi.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

static const char *const key = "app/loop";

/* What the events of the queue belong to. */
enum { WATCH = 1, WRITE = 2 };

struct program {
    consul_client *client;
    consul_queue *queue;
    consul_watch *watch;
    consul_view *view;
    int epoll;
    int timer;
};

static int failed(void)
{
    fprintf(stderr, "%s\n", consul_last_error()->message);
    return -1;
}

/* Shows the newest state of the key. */
static void show(struct program *program)
{
    const consul_kv_pair *pair;

    consul_view_refresh(program->view);
    pair = consul_view_find_kv(program->view, key);
    if (pair == NULL)
        printf("%s does not exist\n", key);
    else
        printf("%s = %.*s\n", key, (int)pair->value_len, (const char *)pair->value);
}

/* One event: 1 at the end, -1 for a failure. */
static int handle(struct program *program, const consul_event *event)
{
    const struct itimerspec soon = {{0, 0}, {0, 100000000}};

    switch (consul_event_type(event)) {
    case CONSUL_EVENT_WATCH_READY:
        show(program);
        return timerfd_settime(program->timer, 0, &soon, NULL);
    case CONSUL_EVENT_WATCH_CHANGED:
        show(program);
        return 1;
    case CONSUL_EVENT_WATCH_HEALTH:
        if (consul_event_status(event) < 0) /* it goes on by itself */
            fprintf(stderr, "%s\n", consul_event_error(event)->message);
        return 0;
    case CONSUL_EVENT_DONE:
        if (consul_event_status(event) == CONSUL_OK)
            return 0;
        fprintf(stderr, "write: %s\n", consul_event_error(event)->message);
        return -1;
    default: /* there will be more */
        return 0;
    }
}

/* The queue's descriptor is readable: takes what is there. */
static int take(struct program *program)
{
    consul_event *event;
    int result = 0;

    while (result == 0 && consul_queue_next(program->queue, 0, &event) == CONSUL_OK) {
        result = handle(program, event);
        consul_event_free(event);
    }
    return result;
}

/* Begins a write; its answer arrives in the queue. */
static int ring(struct program *program)
{
    consul_async async = {program->queue, WRITE};
    uint64_t times;

    if (read(program->timer, &times, sizeof times) != sizeof times)
        return -1;
    puts("a timer writes it");
    if (consul_kv_put(program->client, key, (const uint8_t *)"10", 2, 0, NULL, &async) < 0)
        return failed();
    return 0;
}

static int loop(struct program *program)
{
    struct epoll_event event;
    int result = 0;

    while (result == 0) {
        if (epoll_wait(program->epoll, &event, 1, -1) == 1)
            result = event.data.fd == program->timer ? ring(program) : take(program);
    }
    return result;
}

static int listen_to(struct program *program, int fd)
{
    struct epoll_event event = {EPOLLIN, {0}};

    event.data.fd = fd;
    return epoll_ctl(program->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int start(struct program *program)
{
    consul_watch_spec *spec = NULL;
    int status;

    if (consul_client_new(NULL, &program->client) < 0 || consul_queue_new(&program->queue) < 0 ||
        consul_watch_spec_new(CONSUL_WATCH_KEY, key, &spec) < 0)
        return failed();
    status = consul_watch_start(program->client, spec, program->queue, WATCH, &program->watch);
    consul_watch_spec_free(spec);
    if (status < 0 || consul_watch_view(program->watch, &program->view) < 0)
        return failed();
    program->epoll = epoll_create1(EPOLL_CLOEXEC);
    program->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    return listen_to(program, program->timer) | listen_to(program, consul_queue_fd(program->queue));
}

int main(void)
{
    struct program program = {NULL, NULL, NULL, NULL, -1, -1};
    int result = start(&program);

    if (result == 0)
        result = loop(&program);
    if (result == 1)
        consul_kv_delete(program.client, key, NULL, NULL);
    consul_view_free(program.view);
    consul_watch_free(program.watch);
    consul_queue_free(program.queue);
    consul_client_free(program.client);
    close(program.timer);
    close(program.epoll);
    return result == 1 ? 0 : 1;
}

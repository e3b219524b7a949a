/* A client is freed while other threads wait in its calls: the free is done within 10 ms, and every
 * call ends with CONSUL_ERR_CLOSED. So it is with calls in a queue; where the queue is freed they end
 * silently. */

#include "control.h"
#include "queue.h"

/* ThreadSanitizer looks for races; what it makes of times is no promise of the library's. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
enum { WITHIN_MS = 1000 };
#define HAS_LIMIT
#endif
#endif
#ifndef HAS_LIMIT
enum { WITHIN_MS = 10 };
#endif

enum { CALLERS = 8, ROUNDS = 10, SLACK_MS = 1 };

static consul_client *client;

static void *get(void *unused)
{
    consul_kv *kv = NULL;
    (void)unused;
    CHECK_STATUS(CONSUL_ERR_CLOSED, consul_kv_get(client, "a", NULL, NULL, &kv));
    CHECK(kv == NULL);
    return NULL;
}

static void *put(void *unused)
{
    (void)unused;
    CHECK_STATUS(CONSUL_ERR_CLOSED, consul_kv_put(client, "a", NULL, 0, 0, NULL, NULL));
    CHECK(consul_last_error()->outcome_unknown);
    return NULL;
}

/* Frees the client that has these calls in flight. */
static void free_and_join(pthread_t *threads, int count)
{
    struct control control;
    uint64_t took;
    int i;
    control_start(&control);
    consul_client_free(client);
    took = control_stop_ms(&control);
    for (i = 0; i < count; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    if (took > WITHIN_MS + SLACK_MS)
        fail(__FILE__, __LINE__, "the free took %d ms", (int)took);
}

/* All have sent their request, and no answer comes. */
static void while_waiting_for_answers(void)
{
    struct listener server = listener();
    pthread_t threads[CALLERS];
    int fds[CALLERS], i;
    char byte;
    client = client_with(server.address, "timeout_ms", "60000");
    for (i = 0; i < CALLERS; i++)
        CHECK(pthread_create(&threads[i], NULL, i % 2 ? put : get, NULL) == 0);
    for (i = 0; i < CALLERS; i++) {
        fds[i] = accept(server.fd, NULL, NULL);
        CHECK(fds[i] >= 0 && recv(fds[i], &byte, 1, 0) == 1);
    }
    free_and_join(threads, CALLERS);
    for (i = 0; i < CALLERS; i++)
        close(fds[i]);
    close(server.fd);
}

/* Is a connection to the port being made? */
static bool is_connecting(unsigned port)
{
    enum { SYN_SENT = 2 };
    char line[300];
    unsigned remote, state;
    bool found = false;
    FILE *sockets = fopen("/proc/net/tcp", "r");
    CHECK(sockets != NULL);
    while (!found && fgets(line, sizeof line, sockets) != NULL)
        found = sscanf(line, "%*d: %*x:%*x %*x:%x %x", &remote, &state) == 2 && remote == port &&
                state == SYN_SENT;
    fclose(sockets);
    return found;
}

/* The peer's queue of connections is full, so the kernel goes on trying. */
static void while_connecting(void)
{
    struct listener server = listener();
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    pthread_t thread;
    int filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(getsockname(server.fd, (struct sockaddr *)&name, &length) == 0);
    CHECK(listen(server.fd, 0) == 0);
    CHECK(connect(filler, (struct sockaddr *)&name, sizeof name) == 0);
    client = client_with(server.address, "timeout_ms", "60000");
    CHECK(pthread_create(&thread, NULL, get, NULL) == 0);
    while (!is_connecting(ntohs(name.sin_port)))
        usleep(1000);
    free_and_join(&thread, 1);
    close(filler);
    close(server.fd);
}

/* Frees a client or a queue that has more calls in flight than there are connections. */
static void with_calls_in_a_queue(bool client_first)
{
    enum { CALLS = 50, CONNECTIONS = 4 };
    struct listener server = listener();
    consul_queue *queue = new_queue();
    struct control control;
    uint64_t took;
    int fds[CONNECTIONS], i;
    char byte;
    client = client_with(server.address, "max_connections", "4");
    for (i = 0; i < CALLS; i++) {
        consul_async async = async_of(queue, (uint64_t)i);
        CHECK_STATUS(CONSUL_PENDING, i % 2 ? consul_kv_put(client, "a", NULL, 0, 0, NULL, &async)
                                           : consul_kv_get(client, "a", NULL, &async, NULL));
    }
    for (i = 0; i < CONNECTIONS; i++) {
        fds[i] = accept(server.fd, NULL, NULL);
        CHECK(fds[i] >= 0 && recv(fds[i], &byte, 1, 0) == 1);
    }
    control_start(&control);
    if (client_first)
        consul_client_free(client);
    else
        consul_queue_free(queue);
    took = control_stop_ms(&control);
    if (took > WITHIN_MS + SLACK_MS)
        fail(__FILE__, __LINE__, "the free took %d ms", (int)took);
    for (i = 0; client_first && i < CALLS; i++) {
        consul_event *event = next_event(queue);
        CHECK_EVENT(consul_event_tag(event), CONSUL_ERR_CLOSED, event);
        consul_event_free(event);
    }
    /* Either way the connections are gone. */
    for (i = 0; i < CONNECTIONS; i++) {
        while (recv(fds[i], &byte, 1, 0) == 1)
            ;
        close(fds[i]);
    }
    consul_client_free(client);
    consul_queue_free(queue);
    close(server.fd);
}

int main(void)
{
    int round;
    for (round = 0; round < ROUNDS; round++) {
        with_calls_in_a_queue(round % 2 == 0);
        while_waiting_for_answers();
        while_connecting();
    }
    CHECK_NO_HANDLES();
    return 0;
}

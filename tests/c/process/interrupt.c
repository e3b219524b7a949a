/* A signal handler runs while a call waits: the call goes on, or ends with CONSUL_ERR_INTERRUPTED
 * where the client is configured so. */

#include "support.h"
#include <pthread.h>
#include <signal.h>

static const char answer[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Consul-Index: 7\r\n"
    "Content-Length: 88\r\n\r\n"
    "[{\"LockIndex\":0,\"Key\":\"a\",\"Flags\":0,\"Value\":\"dGVzdA==\",\"CreateIndex\":1,"
    "\"ModifyIndex\":1}]";

enum { FOR_GOOD = -1 };

static struct listener server;
static pthread_t caller;
static volatile sig_atomic_t handled;

static void handle(int signal)
{
    (void)signal;
    handled = handled + 1;
}

static void read_request(int fd)
{
    char text[4096];
    size_t length = 0;
    do {
        ssize_t n = recv(fd, text + length, sizeof text - 1 - length, 0);
        CHECK(n > 0);
        length += (size_t)n;
        text[length] = '\0';
    } while (strstr(text, "\r\n\r\n") == NULL);
}

/* Waits until the main thread, which is the caller, sleeps: in the call, since it does nothing else. */
static void wait_asleep(void)
{
    char state = 'R';
    while (state != 'S') {
        FILE *stat = fopen("/proc/self/stat", "r");
        CHECK(stat != NULL && fscanf(stat, "%*d (%*[^)]) %c", &state) == 1);
        fclose(stat);
    }
}

/* Interrupts the caller, waiting for its handler each time. */
static void interrupt(int times)
{
    int i;
    for (i = 0; i < times; i++) {
        int before = handled;
        wait_asleep();
        CHECK(pthread_kill(caller, SIGUSR1) == 0);
        while (handled == before)
            usleep(100);
    }
}

static bool has_left(int fd)
{
    struct pollfd peer;
    peer.fd = fd;
    peer.events = POLLIN;
    return poll(&peer, 1, 1) == 1;
}

/* Interrupts the caller until it gives up: one signal might come a moment before it waits. */
static void interrupt_for_good(int fd)
{
    while (!has_left(fd))
        CHECK(pthread_kill(caller, SIGUSR1) == 0);
}

static void *serve(void *times)
{
    char end;
    int fd = accept(server.fd, NULL, NULL);
    CHECK(fd >= 0);
    read_request(fd);
    if (*(int *)times == FOR_GOOD)
        interrupt_for_good(fd);
    else
        interrupt(*(int *)times);
    /* A caller that gave up does not read it. */
    send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    while (recv(fd, &end, 1, 0) > 0)
        ;
    close(fd);
    return NULL;
}

static consul_status get(const char *interruptible, int interruptions, consul_kv **kv)
{
    consul_client *client = client_with(server.address, "interruptible", interruptible);
    pthread_t thread;
    consul_status status;
    CHECK(pthread_create(&thread, NULL, serve, &interruptions) == 0);
    status = consul_kv_get(client, "a", NULL, NULL, kv);
    consul_client_free(client);
    CHECK(pthread_join(thread, NULL) == 0);
    return status;
}

int main(void)
{
    struct sigaction action;
    consul_kv *kv = NULL;
    memset(&action, 0, sizeof action);
    action.sa_handler = handle; /* Without SA_RESTART. */
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    caller = pthread_self();
    server = listener();

    CHECK_OK(get("false", 20, &kv));
    CHECK(consul_kv_count(kv) == 1 && consul_kv_at(kv, 0)->value_len == 4);
    CHECK(memcmp(consul_kv_at(kv, 0)->value, "test", 4) == 0);
    consul_kv_free(kv);

    CHECK_STATUS(CONSUL_ERR_INTERRUPTED, get("true", FOR_GOOD, &kv));
    CHECK(kv == NULL);
    CHECK(!consul_last_error()->outcome_unknown);

    close(server.fd);
    CHECK_NO_HANDLES();
    return 0;
}

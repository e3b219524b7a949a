/* The floor: a raw keep-alive socket and the least that understands an answer: its head (status,
 * length or chunks, index), its JSON, its base64. No deadline, no second try, no pool. Gets in flight
 * have a socket each. */
#define _GNU_SOURCE
#include "bench.h"
#include "decode.h"
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct worker {
    int socket;
    const char *host, *port;
    /* What was received, with a NUL after it. */
    char *buffer;
    size_t room, filled;
    struct pairs pairs;
    /* For gets in flight: those that have none, and where the others are waited for. */
    struct worker *idle[IN_FLIGHT];
    struct epoll_event ready[IN_FLIGHT];
    int begun, idle_count, epoll, ready_count, ready_next;
};

struct head {
    size_t end;     /* where the body begins */
    size_t length;
    int chunked;
    unsigned long long index;
};

void *worker_new(const char *host, const char *port) {
    struct addrinfo *address, hints = {.ai_socktype = SOCK_STREAM};
    struct worker *w = calloc(1, sizeof *w);
    int one = 1;
    if (!w || getaddrinfo(host, port, &hints, &address)) die(host, "no address");
    w->host = host, w->port = port, w->room = 64 * 1024, w->buffer = malloc(w->room);
    w->socket = socket(address->ai_family, address->ai_socktype, 0);
    if (!w->buffer || w->socket < 0 || connect(w->socket, address->ai_addr, address->ai_addrlen))
        die(host, "no connection");
    setsockopt(w->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    freeaddrinfo(address);
    return w;
}

void worker_free(void *worker) {
    struct worker *w = worker;
    close(w->socket);
    free(w->buffer);
    free(w->pairs.at);
    free(w);
}

static void send_all(struct worker *w, const char *request, size_t len) {
    while (len) {
        ssize_t sent = send(w->socket, request, len, MSG_NOSIGNAL);
        if (sent <= 0) die(w->host, "the connection broke");
        request += sent, len -= (size_t)sent;
    }
}

static void receive(struct worker *w) {
    if (w->room - w->filled < 16 * 1024) {
        w->room *= 2;
        w->buffer = realloc(w->buffer, w->room);
        if (!w->buffer) die(w->host, "no memory");
    }
    ssize_t got = recv(w->socket, w->buffer + w->filled, w->room - w->filled - 1, 0);
    if (got <= 0) die(w->host, "the connection broke");
    w->filled += (size_t)got;
    w->buffer[w->filled] = 0;
}

/* The value of a header, or NULL. */
static const char *header(const char *line, const char *name) {
    size_t len = strlen(name);
    return strncasecmp(line, name, len) == 0 ? line + len : NULL;
}

static struct head receive_head(struct worker *w) {
    struct head head = {0};
    char *end;
    const char *value;
    w->filled = 0;
    do receive(w);
    while (!(end = strstr(w->buffer, "\r\n\r\n")));
    if (strncmp(w->buffer, "HTTP/1.1 200", 12) != 0) die(w->host, "not status 200");
    for (char *line = strchr(w->buffer, '\n') + 1; line < end + 2; line = strchr(line, '\n') + 1) {
        if ((value = header(line, "Content-Length:"))) head.length = strtoul(value, NULL, 10);
        if ((value = header(line, "X-Consul-Index:"))) head.index = strtoull(value, NULL, 10);
        if (header(line, "Transfer-Encoding: chunked")) head.chunked = 1;
    }
    head.end = (size_t)(end + 4 - w->buffer);
    return head;
}

/* Joins the chunks in place; gives the length of the body. */
static size_t receive_chunks(struct worker *w, size_t body) {
    size_t in = body, out = body;
    for (;;) {
        char *end;
        while (!(end = memchr(w->buffer + in, '\n', w->filled - in))) receive(w);
        size_t size = strtoul(w->buffer + in, NULL, 16);
        in = (size_t)(end + 1 - w->buffer);
        while (w->filled < in + size + 2) receive(w);
        if (size == 0) return out - body;
        memmove(w->buffer + out, w->buffer + in, size);
        in += size + 2, out += size;
    }
}

/* The body of an answer, with a NUL after it. */
static char *answer(struct worker *w) {
    struct head head = receive_head(w);
    if (head.chunked) head.length = receive_chunks(w, head.end);
    while (w->filled < head.end + head.length) receive(w);
    w->buffer[head.end + head.length] = 0;
    return w->buffer + head.end;
}

static char *exchange(struct worker *w, const char *request, size_t len) {
    send_all(w, request, len);
    return answer(w);
}

static size_t get_request(struct worker *w, char *request, size_t room, const char *key, const char *query) {
    return (size_t)snprintf(request, room, "GET /v1/kv/%s%s HTTP/1.1\r\nHost: %s:%s\r\n\r\n", key, query,
                            w->host, w->port);
}

static char *get(struct worker *w, const char *key, const char *query) {
    char request[512];
    return exchange(w, request, get_request(w, request, sizeof request, key, query));
}

size_t worker_get(void *worker, const char *key) {
    struct worker *w = worker;
    decode_pairs(get(w, key, ""), &w->pairs);
    return value_bytes(&w->pairs);
}

size_t worker_list(void *worker, const char *prefix, size_t *keys) {
    struct worker *w = worker;
    decode_pairs(get(w, prefix, "?recurse"), &w->pairs);
    *keys = w->pairs.count;
    return value_bytes(&w->pairs);
}

void worker_put(void *worker, const char *key, const char *value, size_t value_len) {
    struct worker *w = worker;
    char request[512];
    int len = snprintf(request, sizeof request,
                       "PUT /v1/kv/%s HTTP/1.1\r\nHost: %s:%s\r\nContent-Length: %zu\r\n\r\n%.*s",
                       key, w->host, w->port, value_len, (int)value_len, value);
    if (strncmp(exchange(w, request, (size_t)len), "true", 4) != 0) die(key, "not written");
}

/* One more socket, with a worker of its own. */
static struct worker *connect_one(struct worker *w) {
    struct worker *one = worker_new(w->host, w->port);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
    if (!w->begun) w->epoll = epoll_create1(0);
    w->begun++;
    if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, one->socket, &event)) die(w->host, "no epoll");
    return one;
}

void worker_begin(void *worker, const char *key) {
    struct worker *w = worker, *one = w->idle_count ? w->idle[--w->idle_count] : connect_one(w);
    char request[512];
    send_all(one, request, get_request(one, request, sizeof request, key, ""));
}

size_t worker_take(void *worker) {
    struct worker *w = worker, *one;
    if (w->ready_count == w->ready_next) {
        w->ready_next = 0, w->ready_count = epoll_wait(w->epoll, w->ready, IN_FLIGHT, -1);
        if (w->ready_count <= 0) die(w->host, "no epoll");
    }
    one = w->ready[w->ready_next++].data.ptr;
    decode_pairs(answer(one), &one->pairs);
    w->idle[w->idle_count++] = one;
    return value_bytes(&one->pairs);
}

/* A peer that reads so many bytes of each connection and then goes away: first it says that it will
 * send nothing more, then it closes with bytes unread, so that the next write of the other side
 * fails with EPIPE and raises SIGPIPE where it may. In front of a server it passes bytes on both
 * ways till then, so that TLS gets through its handshake. */

#ifndef PEER_H
#define PEER_H

#include "support.h"
#include <pthread.h>
#include <sys/un.h>

struct peer {
    int fd;
    /* Where to pass bytes on to; 0 is nowhere. */
    unsigned short upstream;
    /* How many bytes of a connection to take. */
    size_t takes;
    pthread_t thread;
};

static void peer_leave(int fd)
{
    shutdown(fd, SHUT_WR);
    close(fd);
}

static int peer_connect(unsigned short port)
{
    struct sockaddr_in name;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memset(&name, 0, sizeof name);
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(port);
    CHECK(connect(fd, (struct sockaddr *)&name, sizeof name) == 0);
    return fd;
}

/* Takes bytes and passes them on, until there were enough or one side has ended. */
static void peer_serve(const struct peer *peer, int fd)
{
    struct pollfd ends[2];
    int upstream = peer->upstream ? peer_connect(peer->upstream) : -1;
    size_t taken = 0;
    ends[0].fd = fd;
    ends[1].fd = upstream;
    ends[0].events = ends[1].events = POLLIN;
    while (taken < peer->takes) {
        char buffer[1024];
        ssize_t n;
        int from;
        CHECK(poll(ends, 2, -1) > 0);
        from = ends[0].revents ? 0 : 1;
        n = recv(ends[from].fd, buffer, sizeof buffer, 0);
        if (n <= 0)
            break;
        if (from == 0)
            taken += (size_t)n;
        if (upstream >= 0 && send(ends[1 - from].fd, buffer, (size_t)n, MSG_NOSIGNAL) != n)
            break;
    }
    peer_leave(fd);
    if (upstream >= 0)
        close(upstream);
}

static void *peer_run(void *argument)
{
    const struct peer *peer = argument;
    int fd;
    while ((fd = accept(peer->fd, NULL, NULL)) >= 0)
        peer_serve(peer, fd);
    return NULL;
}

UNUSED static void peer_start(struct peer *peer, int fd, size_t takes, unsigned short upstream)
{
    /* Small, so that whoever sends much is still sending when the peer leaves. */
    int size = 4096;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    peer->fd = fd;
    peer->takes = takes;
    peer->upstream = upstream;
    CHECK(pthread_create(&peer->thread, NULL, peer_run, peer) == 0);
}

UNUSED static void peer_stop(struct peer *peer)
{
    shutdown(peer->fd, SHUT_RDWR);
    CHECK(pthread_join(peer->thread, NULL) == 0);
    close(peer->fd);
}

/* A listening unix socket at the path. */
UNUSED static int peer_unix_socket(const char *path)
{
    struct sockaddr_un name;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memset(&name, 0, sizeof name);
    name.sun_family = AF_UNIX;
    CHECK(strlen(path) < sizeof name.sun_path);
    strcpy(name.sun_path, path);
    unlink(path);
    CHECK(bind(fd, (struct sockaddr *)&name, sizeof name) == 0);
    CHECK(listen(fd, 16) == 0);
    return fd;
}

#endif

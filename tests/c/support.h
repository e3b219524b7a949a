/* Clients, names and listeners for the tests. */

#ifndef SUPPORT_H
#define SUPPORT_H

#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

/* How long something that must happen may take on a busy machine. */
enum { PATIENCE_MS = 30000 };

/* A client of the address, with one more setting; NULL is none. */
UNUSED static consul_client *client_with(const char *address, const char *name, const char *value)
{
    consul_config *config = NULL;
    consul_client *client = NULL;
    CHECK_OK(consul_config_new(&config));
    CHECK_OK(consul_config_set(config, "address", address));
    if (name != NULL)
        CHECK_OK(consul_config_set(config, name, value));
    CHECK_OK(consul_client_new(config, &client));
    consul_config_free(config);
    return client;
}

/* The address of the Consul that with-consul.sh started. */
UNUSED static const char *consul_address(void)
{
    const char *address = getenv("CONSUL_HTTP_ADDR");
    CHECK(address != NULL);
    return address;
}

/* A client of that Consul, which may be slow on a busy machine. */
UNUSED static consul_client *consul(void)
{
    return client_with(consul_address(), "timeout_ms", "30000");
}

/* A name that no other test uses. Fit for keys and services; free() it. */
UNUSED static char *unique(const char *prefix)
{
    static unsigned count;
    char *name = malloc(strlen(prefix) + 40);
    CHECK(name != NULL);
    sprintf(name, "%s-%lu-%u", prefix, (unsigned long)getpid(),
            __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED));
    return name;
}

UNUSED static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A socket that listens on a free port of 127.0.0.1. The kernel takes connections for it, so
 * whoever connects is served by silence. */
struct listener {
    int fd;
    char address[40];
};

UNUSED static struct listener listener(void)
{
    struct listener new;
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    memset(&name, 0, sizeof name);
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    new.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(new.fd, (struct sockaddr *)&name, sizeof name) == 0);
    CHECK(listen(new.fd, 128) == 0);
    CHECK(getsockname(new.fd, (struct sockaddr *)&name, &length) == 0);
    sprintf(new.address, "http://127.0.0.1:%u", ntohs(name.sin_port));
    return new;
}

/* Has anyone connected? A connection counts from the moment that connect() succeeded. */
UNUSED static bool was_asked(const struct listener *listener)
{
    struct pollfd poll_fd;
    poll_fd.fd = listener->fd;
    poll_fd.events = POLLIN;
    return poll(&poll_fd, 1, 0) == 1;
}

#endif

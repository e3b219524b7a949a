/* A process that reads views forks. In the child a view goes on with what it had and follows what
 * changes from then on; the watch is the parent's. The parent notices nothing. */

#include "support.h"
#include <sys/wait.h>

enum { CHILDREN = 5 };

static consul_client *client;
static consul_watch *watch;
static consul_view *view;
static char *key;

static bool holds(const char *value)
{
    const consul_kv_pair *pair = consul_view_find_kv(view, key);
    return pair != NULL && pair->value_len == strlen(value) &&
           memcmp(pair->value, value, pair->value_len) == 0;
}

static void wait_value(const char *value)
{
    while (!holds(value))
        CHECK_OK(consul_view_wait(view, PATIENCE_MS));
}

static void put(const char *value)
{
    CHECK_OK(consul_kv_put(client, key, (const uint8_t *)value, strlen(value), 0, NULL, NULL));
}

static void child(unsigned number)
{
    char value[20];
    sprintf(value, "child-%u", number);
    CHECK(holds("parent"));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_watch_stop(watch));
    CHECK(consul_watch_version(watch) == 0);
    consul_view_refresh(view);
    CHECK(consul_view_state(view) == CONSUL_VIEW_STALE || consul_view_state(view) == CONSUL_VIEW_FRESH);
    put(value);
    wait_value(value);
    CHECK(consul_view_state(view) == CONSUL_VIEW_FRESH);
    consul_view_free(view);
    consul_watch_free(watch);
    consul_client_free(client);
}

int main(void)
{
    consul_watch_spec *spec = NULL;
    unsigned number;
    client = consul();
    key = unique("forked");
    put("parent");
    CHECK_OK(consul_watch_spec_new(CONSUL_WATCH_KEY, key, &spec));
    CHECK_OK(consul_watch_start(client, spec, NULL, 0, &watch));
    consul_watch_spec_free(spec);
    CHECK_OK(consul_watch_wait_ready(watch, PATIENCE_MS));
    CHECK_OK(consul_watch_view(watch, &view));
    for (number = 0; number < CHILDREN; number++) {
        char value[20];
        int status = -1;
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            alarm(60);
            child(number);
            _exit(0);
        }
        CHECK(waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        sprintf(value, "child-%u", number);
        wait_value(value);
        put("parent");
        wait_value("parent");
    }
    CHECK_OK(consul_kv_delete(client, key, NULL, NULL));
    while (consul_view_find_kv(view, key) != NULL)
        CHECK_OK(consul_view_wait(view, PATIENCE_MS));
    consul_view_free(view);
    consul_watch_free(watch);
    consul_client_free(client);
    free(key);
    return 0;
}

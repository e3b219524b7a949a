/* Reads settings in place: a watch keeps asking Consul, and a view has what it found, so that reading
 * costs no request. */

#include <consul_ffi.h>
#include <inttypes.h>
#include <stdio.h>

static const char *const key = "app/view/limit";

/* What was found stays when Consul is away; the view says how old it is. */
static void show(const consul_view *view)
{
    const consul_kv_pair *limit = consul_view_find_kv(view, key);
    if (consul_view_state(view) == CONSUL_VIEW_STALE)
        printf("as of %" PRIu64 " ms ago: ", consul_view_age_ms(view));
    if (limit == NULL)
        puts("no limit");
    else
        printf("limit = %.*s\n", (int)limit->value_len, (const char *)limit->value);
}

/* Somebody changes a setting. */
static consul_status set(const consul_client *client, const char *digits)
{
    return consul_kv_put(client, key, (const uint8_t *)digits, 2, 0, NULL, NULL);
}

/* Who has other things to do refreshes the view before each of them: nothing is asked, no lock is
 * taken. */
static consul_status serve(consul_view *view)
{
    size_t sum = 0;
    int request;
    for (request = 0; request < 100000; request++) {
        consul_status status = consul_view_refresh(view);
        if (status < 0)
            return status;
        sum += consul_view_find_kv(view, key)->value_len;
    }
    printf("%zu requests served\n", sum / 2);
    return CONSUL_OK;
}

static consul_status follow(const consul_client *client, consul_view *view)
{
    consul_status status;
    show(view);
    /* Who has nothing else to do waits for the news. */
    if ((status = set(client, "20")) < 0 || (status = consul_view_wait(view, -1)) < 0)
        return status;
    show(view);
    if ((status = serve(view)) < 0 ||
        (status = consul_kv_delete_prefix(client, "app/view/", NULL, NULL)) < 0 ||
        (status = consul_view_wait(view, -1)) < 0)
        return status;
    show(view);
    return CONSUL_OK;
}

int main(void)
{
    consul_client *client = NULL;
    consul_watch_spec *spec = NULL;
    consul_watch *watch = NULL;
    consul_view *view = NULL;
    consul_status status;

    if ((status = consul_client_new(NULL, &client)) == CONSUL_OK &&
        (status = set(client, "10")) == CONSUL_OK &&
        (status = consul_watch_spec_new(CONSUL_WATCH_PREFIX, "app/view/", &spec)) == CONSUL_OK &&
        (status = consul_watch_start(client, spec, NULL, 0, &watch)) == CONSUL_OK &&
        (status = consul_watch_wait_ready(watch, 30000)) == CONSUL_OK &&
        (status = consul_watch_view(watch, &view)) == CONSUL_OK)
        status = follow(client, view);
    if (status < 0)
        fprintf(stderr, "%s\n", consul_last_error()->message);
    consul_view_free(view);
    consul_watch_free(watch);
    consul_watch_spec_free(spec);
    consul_client_free(client);
    return status < 0;
}

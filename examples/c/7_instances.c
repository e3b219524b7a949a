/* Follows a service and picks one of its instances for each request. */

#include <consul_ffi.h>
#include <stdio.h>

enum { INSTANCES = 2, REQUESTS = 4 };

static int failed(void)
{
    fprintf(stderr, "%s\n", consul_last_error()->message);
    return 1;
}

static consul_status register_instance(const consul_client *client, unsigned number)
{
    consul_service_spec *service = NULL;
    consul_status status;
    char id[40];

    sprintf(id, "example-web-%u", number);
    if ((status = consul_service_spec_new("example-web", &service)) == CONSUL_OK &&
        (status = consul_service_spec_set_id(service, id)) == CONSUL_OK &&
        (status = consul_service_spec_set_port(service, 8000 + number)) == CONSUL_OK)
        status = consul_agent_service_register(client, service, NULL, NULL);
    consul_service_spec_free(service);
    return status;
}

static void deregister_instance(const consul_client *client, unsigned number)
{
    char id[40];
    sprintf(id, "example-web-%u", number);
    if (consul_agent_service_deregister(client, id, NULL, NULL) < 0)
        failed();
}

/* A view of the service. The watch goes on until it is freed. */
static consul_status follow(const consul_client *client, consul_watch **watch, consul_view **view)
{
    consul_watch_spec *spec = NULL;
    consul_status status;

    if ((status = consul_watch_spec_new(CONSUL_WATCH_SERVICE, "example-web", &spec)) == CONSUL_OK &&
        (status = consul_watch_start(client, spec, NULL, 0, watch)) == CONSUL_OK &&
        (status = consul_watch_wait_ready(*watch, 30000)) == CONSUL_OK)
        status = consul_watch_view(*watch, view);
    consul_watch_spec_free(spec);
    return status;
}

static int use(consul_view *view)
{
    unsigned request;

    while (consul_view_count(view) < INSTANCES) /* until the catalog knows them */
        if (consul_view_wait(view, 30000) != CONSUL_OK)
            return failed();
    for (request = 0; request < REQUESTS; request++) {
        const consul_service_entry *entry;
        consul_view_refresh(view); /* asks nobody: moves to the newest state that was found */
        entry = consul_view_pick(view, CONSUL_PICK_ROUND_ROBIN, NULL, 0);
        if (entry != NULL)
            printf("a request to %s:%u\n", entry->address, (unsigned)entry->service->port);
    }
    /* When Consul is away the last instances stay, and the view says how old that is. */
    puts(consul_view_state(view) == CONSUL_VIEW_FRESH ? "the list is fresh" : "the list is stale");
    return 0;
}

int main(void)
{
    consul_client *client = NULL;
    consul_watch *watch = NULL;
    consul_view *view = NULL;
    unsigned number;
    int result = 0;

    if (consul_client_new(NULL, &client) < 0)
        return failed();
    for (number = 1; number <= INSTANCES && result == 0; number++)
        if (register_instance(client, number) < 0)
            result = failed();
    if (result == 0)
        result = follow(client, &watch, &view) < 0 ? failed() : use(view);
    consul_view_free(view);
    consul_watch_free(watch);
    for (number = 1; number <= INSTANCES; number++)
        deregister_instance(client, number);
    consul_client_free(client);
    return result;
}

/* Registers a service with a TTL check, keeps it alive, finds it, deregisters it. */

#include <consul_ffi.h>
#include <stdio.h>
#include <time.h>

static int failed(void)
{
    fprintf(stderr, "%s\n", consul_last_error()->message);
    return 1;
}

static consul_status register_web(const consul_client *client)
{
    consul_check_spec *check = NULL;
    consul_service_spec *service = NULL;
    consul_status status;

    /* The check turns critical when nobody reports on it for 15 s. What was critical for 10 minutes
     * is gone: a program that crashed leaves nothing behind. */
    if ((status = consul_check_spec_new(NULL, &check)) == CONSUL_OK &&
        (status = consul_check_spec_set_ttl_ms(check, 15000)) == CONSUL_OK &&
        (status = consul_check_spec_set_deregister_after_ms(check, 600000)) == CONSUL_OK &&
        (status = consul_service_spec_new("web", &service)) == CONSUL_OK &&
        (status = consul_service_spec_set_address(service, "127.0.0.1")) == CONSUL_OK &&
        (status = consul_service_spec_set_port(service, 8080)) == CONSUL_OK &&
        (status = consul_service_spec_add_check(service, check)) == CONSUL_OK)
        status = consul_agent_service_register(client, service, NULL, NULL);
    consul_service_spec_free(service);
    consul_check_spec_free(check);
    return status;
}

/* Waits for healthy instances, by blocking queries, and shows them. */
static int find_web(const consul_client *client)
{
    consul_options *options = NULL;
    size_t i, count = 0;

    if (consul_options_new(&options) < 0)
        return failed();
    while (count == 0) {
        consul_service_entries *web = NULL;
        if (consul_health_service(client, "web", true, NULL, 0, options, NULL, &web) < 0) {
            consul_options_free(options);
            return failed();
        }
        count = consul_service_entries_count(web);
        for (i = 0; i < count; i++) {
            const consul_service_entry *entry = consul_service_entries_at(web, i);
            printf("%s at %s:%u is %s\n", entry->service->id, entry->address,
                   (unsigned)entry->service->port, entry->status);
        }
        consul_options_set_index(options, consul_service_entries_meta(web)->index);
        consul_service_entries_free(web);
    }
    consul_options_free(options);
    return 0;
}

static int serve(const consul_client *client)
{
    struct timespec a_while = {0, 100000000};
    int beat;

    if (consul_agent_check_pass(client, "service:web", NULL, NULL, NULL) < 0)
        return failed();
    if (find_web(client) != 0)
        return 1;
    /* A program that lives longer reports every few seconds, well within the TTL. NOT_FOUND means
     * that the agent forgot the service: register it again. */
    for (beat = 0; beat < 3; beat++) {
        consul_status status = consul_agent_check_pass(client, "service:web", NULL, NULL, NULL);
        if (status == CONSUL_NOT_FOUND)
            status = register_web(client);
        if (status < 0)
            fprintf(stderr, "%s\n", consul_last_error()->message); /* the next one may work */
        nanosleep(&a_while, NULL);
    }
    return 0;
}

int main(void)
{
    consul_client *client = NULL;
    int result;

    if (consul_client_new(NULL, &client) < 0)
        return failed();
    if (register_web(client) < 0) {
        result = failed();
    } else {
        result = serve(client);
        if (consul_agent_service_deregister(client, "web", NULL, NULL) < 0)
            result = failed();
        else
            puts("deregistered");
    }
    consul_client_free(client);
    return result;
}

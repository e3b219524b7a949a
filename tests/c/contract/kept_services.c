/* Services that the library keeps registered. */

#include "queue.h"

static consul_client *client;

/* Waits until the agent says so of a check. */
static void until_status(const char *check_id, const char *status)
{
    uint64_t deadline = now_ms() + PATIENCE_MS;
    for (;;) {
        consul_checks *checks = NULL;
        bool found = false;
        size_t i;
        CHECK_OK(consul_agent_checks(client, NULL, NULL, &checks));
        for (i = 0; i < consul_checks_count(checks); i++)
            found |= strcmp(consul_checks_at(checks, i)->check_id, check_id) == 0 &&
                     strcmp(consul_checks_at(checks, i)->status, status) == 0;
        consul_checks_free(checks);
        if (found)
            return;
        CHECK(now_ms() < deadline);
        usleep(10000);
    }
}

static bool is_there(const char *id)
{
    consul_services *services = NULL;
    consul_status status = consul_agent_service(client, id, NULL, NULL, NULL, &services);
    consul_services_free(services);
    CHECK(status == CONSUL_OK || status == CONSUL_NOT_FOUND);
    return status == CONSUL_OK;
}

static consul_kept_service_spec *spec_new(const char *name, uint32_t port)
{
    consul_service_spec *service = NULL;
    consul_kept_service_spec *spec = NULL;
    CHECK_OK(consul_service_spec_new(name, &service));
    CHECK_OK(consul_service_spec_set_port(service, port));
    CHECK_OK(consul_kept_service_spec_new(service, &spec));
    consul_service_spec_free(service);
    return spec;
}

static void life(void)
{
    char *name = unique("kept");
    char check_id[100];
    consul_kept_service_spec *spec = spec_new(name, 80);
    consul_kept_service *service = NULL;
    consul_service_spec *changed = NULL;
    CHECK_OK(consul_kept_service_spec_set_ttl_ms(spec, 2000));
    CHECK_OK(consul_kept_service_spec_set_status(spec, "warning"));
    CHECK_OK(consul_kept_service_spec_set_note(spec, "starting"));
    CHECK_OK(consul_kept_service_spec_set_deregister_after_ms(spec, 600000));
    CHECK_OK(consul_kept_service_spec_set_options(spec, NULL));
    CHECK_OK(consul_kept_service_new(client, spec, &service));
    consul_kept_service_spec_free(spec);
    sprintf(check_id, "service:%s:ttl", name);
    CHECK_TEXT(name, consul_kept_service_id(service));
    CHECK_TEXT(check_id, consul_kept_service_check_id(service));
    CHECK(!consul_kept_service_is_registered(service) && !is_there(name));

    CHECK_OK(consul_kept_service_start(service, NULL));
    CHECK_OK(consul_kept_service_start(service, NULL));
    CHECK(consul_kept_service_is_registered(service) && is_there(name));
    CHECK(consul_kept_service_registrations(service) == 1);
    CHECK_TEXT("warning", consul_kept_service_status(service));
    until_status(check_id, "warning");
    CHECK_OK(consul_kept_service_set_status(service, "passing", NULL));
    CHECK_OK(consul_kept_service_pat(service));
    until_status(check_id, "passing");
    CHECK_TEXT("passing", consul_kept_service_status(service));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "passing, warning or critical",
                consul_kept_service_set_status(service, "fine", NULL));

    CHECK_OK(consul_kept_service_maintenance(service, true, "repairs", NULL));
    CHECK_OK(consul_kept_service_maintenance(service, false, NULL, NULL));
    CHECK_OK(consul_service_spec_new("other", &changed));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "it stays", consul_kept_service_set_spec(service, changed));
    CHECK_OK(consul_service_spec_set_id(changed, name));
    CHECK_OK(consul_kept_service_set_spec(service, changed));
    consul_service_spec_free(changed);
    CHECK_OK(consul_kept_service_set_token(service, NULL));
    while (consul_kept_service_registrations(service) < 2)
        usleep(1000);

    CHECK_OK(consul_kept_service_close(service, NULL));
    CHECK_OK(consul_kept_service_close(service, NULL));
    CHECK(!is_there(name) && !consul_kept_service_is_registered(service));
    CHECK_STATUS(CONSUL_ERR_CLOSED, consul_kept_service_start(service, NULL));
    consul_kept_service_free(service);
    CHECK(consul_kept_service_id(service) == NULL && consul_kept_service_status(service) == NULL);
    free(name);
}

static void freed_or_stopped(void)
{
    char *freed = unique("freed"), *stopped = unique("stopped");
    consul_kept_service_spec *spec = spec_new(freed, 80);
    consul_kept_service *service = NULL;
    CHECK_OK(consul_kept_service_new(client, spec, &service));
    consul_kept_service_spec_free(spec);
    CHECK_OK(consul_kept_service_start(service, NULL));
    consul_kept_service_free(service);
    while (is_there(freed))
        usleep(1000);

    spec = spec_new(stopped, 80);
    CHECK_OK(consul_kept_service_new(client, spec, &service));
    consul_kept_service_spec_free(spec);
    CHECK_OK(consul_kept_service_start(service, NULL));
    CHECK_OK(consul_kept_service_stop(service));
    CHECK_OK(consul_kept_service_stop(service));
    consul_kept_service_free(service);
    usleep(100000);
    CHECK(is_there(stopped));
    CHECK_OK(consul_agent_service_deregister(client, stopped, NULL, NULL));
    free(freed);
    free(stopped);
}

/* The same calls through a queue. */
static void asynchronous(void)
{
    char *name = unique("queued");
    consul_queue *queue = new_queue();
    consul_async async = async_of(queue, 3);
    consul_kept_service_spec *spec = spec_new(name, 80);
    consul_kept_service *service = NULL, *gone = NULL;
    CHECK_OK(consul_kept_service_new(client, spec, &service));
    CHECK_OK(consul_kept_service_new(client, spec, &gone));
    consul_kept_service_spec_free(spec);
    CHECK_STATUS(CONSUL_PENDING, consul_kept_service_maintenance(gone, true, NULL, &async));
    CHECK_NEXT(queue, 3, CONSUL_NOT_FOUND);
    consul_kept_service_free(gone);

    CHECK_STATUS(CONSUL_PENDING, consul_kept_service_start(service, &async));
    CHECK_NEXT(queue, 3, CONSUL_OK);
    CHECK(consul_kept_service_is_registered(service) && is_there(name));
    CHECK_STATUS(CONSUL_PENDING, consul_kept_service_maintenance(service, true, "x", &async));
    CHECK_NEXT(queue, 3, CONSUL_OK);
    CHECK_STATUS(CONSUL_PENDING, consul_kept_service_close(service, &async));
    /* Freed amid its call, which ends all the same. */
    consul_kept_service_free(service);
    CHECK_NEXT(queue, 3, CONSUL_OK);
    CHECK(!is_there(name));
    check_empty(queue);
    consul_queue_free(queue);
    free(name);
}

/* What closing the client ends. */
static void closed_with_its_client(void)
{
    char *name = unique("closed");
    consul_client *other = consul();
    consul_kept_service_spec *spec = spec_new(name, 80);
    consul_kept_service *service = NULL;
    CHECK_OK(consul_kept_service_new(other, spec, &service));
    consul_kept_service_spec_free(spec);
    CHECK_OK(consul_kept_service_start(service, NULL));
    CHECK_OK(consul_client_close(other, PATIENCE_MS));
    CHECK(!is_there(name));
    CHECK_STATUS(CONSUL_ERR_CLOSED, consul_kept_service_start(service, NULL));
    consul_client_free(other);
    consul_kept_service_free(service);
    free(name);
}

/* Freed, it is deregistered in the background, also when its client goes at once. */
static void freed_before_its_client(void)
{
    char *name = unique("freed");
    consul_client *other = consul();
    consul_kept_service_spec *spec = spec_new(name, 80);
    consul_kept_service *service = NULL;
    uint64_t deadline = now_ms() + PATIENCE_MS;
    CHECK_OK(consul_kept_service_new(other, spec, &service));
    consul_kept_service_spec_free(spec);
    CHECK_OK(consul_kept_service_start(service, NULL));
    consul_kept_service_free(service);
    consul_client_free(other);
    while (is_there(name)) {
        CHECK(now_ms() < deadline);
        usleep(10000);
    }
    free(name);
}

static void refused(void)
{
    struct listener nobody = listener();
    consul_client *other = client_with(nobody.address, NULL, NULL);
    consul_kept_service_spec *spec = spec_new("refused", 80);
    consul_kept_service *service = NULL;
    CHECK_OK(consul_kept_service_spec_set_ttl_ms(spec, 999));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "1 s or more", consul_kept_service_new(other, spec, &service));
    CHECK_OK(consul_kept_service_spec_set_ttl_ms(spec, 0));
    CHECK_OK(consul_kept_service_spec_set_must_pat(spec, true));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "TTL", consul_kept_service_new(other, spec, &service));
    CHECK_OK(consul_kept_service_spec_set_must_pat(spec, false));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "critical", consul_kept_service_spec_set_status(spec, "up"));
    CHECK(service == NULL);
    CHECK_OK(consul_kept_service_new(other, spec, &service));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "no TTL",
                consul_kept_service_set_status(service, "passing", NULL));
    CHECK(!was_asked(&nobody));
    consul_kept_service_free(service);
    consul_kept_service_spec_free(spec);
    consul_client_free(other);
    close(nobody.fd);
}

int main(void)
{
    client = consul();
    life();
    freed_or_stopped();
    asynchronous();
    closed_with_its_client();
    freed_before_its_client();
    refused();
    consul_client_free(client);
    CHECK_NO_HANDLES();
    return 0;
}

/* Sessions, those that nobody renews and those that the library keeps alive. */

#include "support.h"

static consul_client *client;

static consul_session_spec *spec_new(const char *name)
{
    consul_session_spec *spec = NULL;
    CHECK_OK(consul_session_spec_new(&spec));
    CHECK_OK(consul_session_spec_set_name(spec, name));
    return spec;
}

static void fields(void)
{
    consul_session_spec *spec = spec_new("fields");
    consul_text *text = NULL;
    consul_sessions *sessions = NULL;
    const consul_session_row *row;
    const char *id;
    CHECK_OK(consul_session_spec_set_ttl_ms(spec, 20000));
    CHECK_OK(consul_session_spec_set_lock_delay_ms(spec, 3000));
    CHECK_OK(consul_session_spec_set_behavior(spec, CONSUL_BEHAVIOR_DELETE));
    /* An empty list of checks is a list. */
    CHECK_OK(consul_session_spec_set_node_checks(spec, NULL, 0));
    CHECK_OK(consul_session_create(client, spec, NULL, NULL, &text));
    consul_session_spec_free(spec);
    id = consul_text_data(text);
    CHECK(consul_text_len(text) == 36 && strlen(id) == 36);

    CHECK_OK(consul_session_info(client, id, NULL, NULL, &sessions));
    CHECK(consul_sessions_count(sessions) == 1 && consul_sessions_at(sessions, 1) == NULL);
    row = consul_sessions_at(sessions, 0);
    CHECK_TEXT(id, row->id);
    CHECK_TEXT("fields", row->name);
    CHECK(row->name_len == 6 && row->node_len == strlen(row->node) && row->node_len > 0);
    CHECK(row->ttl_ms == 20000 && row->lock_delay_ms == 3000);
    CHECK(row->behavior == CONSUL_BEHAVIOR_DELETE);
    CHECK(row->node_check_count == 0 && row->service_check_count == 0);
    CHECK(row->create_index > 0 && consul_sessions_meta(sessions)->index > 0);
    consul_sessions_free(sessions);

    CHECK_OK(consul_session_renew(client, id, NULL, NULL, &sessions));
    CHECK_TEXT(id, consul_sessions_at(sessions, 0)->id);
    consul_sessions_free(sessions);
    CHECK_OK(consul_session_destroy(client, id, NULL, NULL));
    CHECK_OK(consul_session_destroy(client, id, NULL, NULL));
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_session_info(client, id, NULL, NULL, &sessions));
    CHECK(consul_sessions_count(sessions) == 0 && consul_sessions_meta(sessions)->index > 0);
    consul_sessions_free(sessions);
    CHECK_STATUS(CONSUL_ERR_SESSION_INVALID,
                 consul_session_renew(client, id, NULL, NULL, &sessions));
    CHECK(sessions == NULL);
    consul_text_free(text);
}

static void lists(void)
{
    consul_text *one = NULL;
    consul_sessions *all = NULL, *of_node = NULL;
    size_t own = 0;
    CHECK_OK(consul_session_create(client, NULL, NULL, NULL, &one));
    CHECK_OK(consul_session_list(client, NULL, NULL, &all));
    CHECK(consul_sessions_count(all) >= 1);
    /* Others may be left of programs that ran before. */
    while (strcmp(consul_sessions_at(all, own)->id, consul_text_data(one)) != 0) {
        own++;
        CHECK(own < consul_sessions_count(all));
    }
    /* Consul's default. */
    CHECK_TEXT("serfHealth", consul_sessions_at(all, own)->node_checks[0]);
    CHECK(consul_sessions_at(all, own)->behavior == CONSUL_BEHAVIOR_RELEASE);
    CHECK_OK(consul_session_node(client, consul_sessions_at(all, own)->node, NULL, NULL, &of_node));
    CHECK(consul_sessions_count(of_node) >= 1);
    consul_sessions_free(of_node);
    consul_sessions_free(all);
    CHECK_OK(consul_session_destroy(client, consul_text_data(one), NULL, NULL));
    consul_text_free(one);
}

static void kept(void)
{
    consul_session_spec *spec = spec_new("kept");
    consul_session *session = NULL;
    char id[37];
    CHECK_OK(consul_session_spec_set_ttl_ms(spec, 60000));
    CHECK_OK(consul_session_start(client, spec, false, NULL, NULL, &session));
    consul_session_spec_free(spec);
    CHECK(consul_session_is_valid(session) && consul_session_generation(session) == 1);
    CHECK(consul_session_remaining_ms(session) > 0);
    CHECK(consul_session_remaining_ms(session) <= 60000);
    strcpy(id, consul_session_id(session));
    CHECK_OK(consul_session_stop(session));
    CHECK_OK(consul_session_stop(session));
    consul_session_free(session);
    /* A stopped one stays at Consul. */
    {
        consul_sessions *sessions = NULL;
        CHECK_OK(consul_session_info(client, id, NULL, NULL, &sessions));
        consul_sessions_free(sessions);
    }
    CHECK_OK(consul_session_destroy(client, id, NULL, NULL));
    CHECK(consul_session_id(session) == NULL && !consul_session_is_valid(session));
}

/* Freed, it is destroyed in the background, also when its client goes at once. */
static void freed_before_its_client(void)
{
    consul_client *other = consul();
    consul_session *session = NULL;
    uint64_t deadline = now_ms() + PATIENCE_MS;
    char id[37];
    CHECK_OK(consul_session_start(other, NULL, false, NULL, NULL, &session));
    strcpy(id, consul_session_id(session));
    consul_session_free(session);
    consul_client_free(other);
    for (;;) {
        consul_sessions *sessions = NULL;
        consul_status status = consul_session_info(client, id, NULL, NULL, &sessions);
        consul_sessions_free(sessions);
        if (status == CONSUL_NOT_FOUND)
            break;
        CHECK_OK(status);
        CHECK(now_ms() < deadline);
        usleep(10000);
    }
}

static void refused(void)
{
    struct listener nobody = listener();
    consul_client *other = client_with(nobody.address, NULL, NULL);
    consul_session_spec *spec = spec_new("refused");
    consul_session *session = NULL;
    consul_text *id = NULL;
    CHECK_OK(consul_session_spec_set_ttl_ms(spec, 9999));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "10000", consul_session_create(other, spec, NULL, NULL, &id));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "86400000",
                consul_session_start(other, spec, false, NULL, NULL, &session));
    CHECK_OK(consul_session_spec_set_ttl_ms(spec, 86400001));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "86400", consul_session_create(other, spec, NULL, NULL, &id));
    CHECK_OK(consul_session_spec_set_ttl_ms(spec, 0));
    CHECK_OK(consul_session_spec_set_lock_delay_ms(spec, 60001));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "60", consul_session_create(other, spec, NULL, NULL, &id));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "CONSUL_BEHAVIOR_RELEASE",
                consul_session_spec_set_behavior(spec, 3));
    CHECK(id == NULL && session == NULL && !was_asked(&nobody));
    consul_session_spec_free(spec);
    consul_client_free(other);
    close(nobody.fd);
}

int main(void)
{
    client = consul();
    fields();
    lists();
    kept();
    freed_before_its_client();
    refused();
    consul_client_free(client);
    CHECK_NO_HANDLES();
    return 0;
}

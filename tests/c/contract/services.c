/* Services from registration to discovery: every field goes in and comes back, and every answer is
 * the right one. */

#include "queue.h"

#define CHECK_STRING(wanted, row, field) \
    (CHECK((row)->field##_len == strlen((row)->field)), CHECK_TEXT(wanted, (row)->field))

static consul_client *client;
static char *name;

static char *with_suffix(const char *suffix)
{
    char *text = malloc(strlen(name) + strlen(suffix) + 1);
    CHECK(text != NULL);
    return strcat(strcpy(text, name), suffix);
}

static const char *value_of(const char *const *keys, const char *const *values, size_t count,
                            const char *key)
{
    size_t i;
    for (i = 0; i < count; i++)
        if (strcmp(keys[i], key) == 0)
            return values[i];
    return NULL;
}

static consul_check_spec *ttl_check(void)
{
    consul_check_spec *check = NULL;
    CHECK_OK(consul_check_spec_new(NULL, &check));
    CHECK_OK(consul_check_spec_set_ttl_ms(check, 60000));
    CHECK_OK(consul_check_spec_set_notes(check, "a note"));
    return check;
}

static void registered(void)
{
    consul_service_spec *spec = NULL;
    consul_check_spec *check = ttl_check();
    char *id = with_suffix("-1");
    CHECK_OK(consul_service_spec_new(name, &spec));
    CHECK_OK(consul_service_spec_set_id(spec, id));
    CHECK_OK(consul_service_spec_add_tag(spec, "a"));
    CHECK_OK(consul_service_spec_add_tag(spec, "b"));
    CHECK_OK(consul_service_spec_set_address(spec, "10.0.0.1"));
    CHECK_OK(consul_service_spec_set_port(spec, 65535));
    CHECK_OK(consul_service_spec_add_meta(spec, "version", "1"));
    CHECK_OK(consul_service_spec_add_tagged_address(spec, "wan", "1.2.3.4", 8080));
    CHECK_OK(consul_service_spec_set_weights(spec, 7, 3));
    CHECK_OK(consul_service_spec_set_enable_tag_override(spec, true));
    CHECK_OK(consul_service_spec_set_connect_json(spec, "{\"Native\": true}"));
    CHECK_OK(consul_service_spec_add_check(spec, check));
    /* The description has taken a copy. */
    consul_check_spec_free(check);
    CHECK_OK(consul_agent_service_register(client, spec, NULL, NULL));
    consul_service_spec_free(spec);
    free(id);
}

/* Waits in blocking queries until the catalog has the instance in this health. */
static consul_service_entries *entries_with(const char *status)
{
    consul_options *options = NULL;
    uint64_t end = now_ms() + PATIENCE_MS;
    CHECK_OK(consul_options_new(&options));
    CHECK_OK(consul_options_set_wait_ms(options, 2000));
    for (;;) {
        consul_service_entries *entries = NULL;
        CHECK_OK(consul_health_service(client, name, false, NULL, 0, options, NULL, &entries));
        CHECK_OK(consul_options_set_index(options, consul_service_entries_meta(entries)->index));
        if (consul_service_entries_count(entries) == 1 &&
            strcmp(consul_service_entries_at(entries, 0)->status, status) == 0) {
            consul_options_free(options);
            return entries;
        }
        CHECK(now_ms() < end);
        consul_service_entries_free(entries);
    }
}

static void discovered(void)
{
    consul_service_entries *entries = entries_with("critical");
    const consul_service_entry *entry = consul_service_entries_at(entries, 0);
    const consul_service *service = entry->service;
    const consul_check *check = NULL;
    char *id = with_suffix("-1");
    size_t i;
    CHECK(consul_service_entries_at(entries, 1) == NULL);
    CHECK_STRING(id, service, id);
    CHECK_STRING(name, service, name);
    CHECK_STRING("10.0.0.1", service, address);
    CHECK_STRING("10.0.0.1", entry, address);
    CHECK_STRING("critical", entry, status);
    CHECK_STRING("", service, kind);
    CHECK_STRING("", service, content_hash);
    CHECK(service->tag_count == 2);
    CHECK_TEXT("a", service->tags[0]);
    CHECK_TEXT("b", service->tags[1]);
    CHECK(service->meta_count == 1);
    CHECK_TEXT("1", value_of(service->meta_keys, service->meta_values, 1, "version"));
    for (i = 0; i < service->tagged_address_count; i++)
        if (strcmp(service->tagged_addresses[i]->name, "wan") == 0)
            break;
    CHECK(i < service->tagged_address_count);
    CHECK_STRING("1.2.3.4", service->tagged_addresses[i], address);
    CHECK(service->tagged_addresses[i]->port == 8080);
    CHECK(service->port == 65535 && service->weight_passing == 7 && service->weight_warning == 3);
    CHECK(service->enable_tag_override);
    CHECK(strstr(service->connect_json, "true") != NULL);
    CHECK(service->create_index > 0 && service->modify_index >= service->create_index);

    CHECK_STRING("dc1", entry->node, datacenter);
    CHECK_STRING("127.0.0.1", entry->node, address);
    CHECK_TEXT("127.0.0.1", value_of(entry->node->tagged_address_names, entry->node->tagged_addresses,
                                     entry->node->tagged_address_count, "lan"));
    for (i = 0; i < entry->check_count; i++)
        if (entry->checks[i]->service_id_len > 0)
            check = entry->checks[i];
    CHECK(check != NULL);
    CHECK_STRING(entry->node->name, check, node);
    CHECK_STRING(id, check, service_id);
    CHECK_STRING(name, check, service);
    CHECK_STRING("critical", check, status);
    CHECK_STRING("a note", check, notes);
    CHECK_STRING("ttl", check, kind);
    CHECK(check->service_tag_count == 2);
    CHECK(check->check_id_len == strlen("service:") + strlen(id));
    consul_service_entries_free(entries);
    free(id);
}

static void chosen(void)
{
    static const char *both[] = {"a", "b"}, *other[] = {"a", "c"};
    consul_service_entries *entries = NULL;
    CHECK_OK(consul_health_service(client, name, false, both, 2, NULL, NULL, &entries));
    CHECK(consul_service_entries_count(entries) == 1);
    consul_service_entries_free(entries);
    CHECK_OK(consul_health_service(client, name, false, other, 2, NULL, NULL, &entries));
    CHECK(consul_service_entries_count(entries) == 0);
    consul_service_entries_free(entries);
    CHECK_OK(consul_health_service(client, name, true, NULL, 0, NULL, NULL, &entries));
    CHECK(consul_service_entries_count(entries) == 0);
    consul_service_entries_free(entries);
    CHECK_OK(consul_catalog_service(client, name, both, 2, NULL, NULL, &entries));
    CHECK(consul_service_entries_count(entries) == 1);
    CHECK(consul_service_entries_at(entries, 0)->check_count == 0);
    CHECK_STRING("", consul_service_entries_at(entries, 0), status);
    consul_service_entries_free(entries);
    /* Its own mesh door, since it is native. */
    CHECK_OK(consul_health_connect(client, name, false, NULL, 0, NULL, NULL, &entries));
    CHECK(consul_service_entries_count(entries) == 1);
    consul_service_entries_free(entries);
    CHECK_OK(consul_health_ingress(client, name, false, NULL, 0, NULL, NULL, &entries));
    CHECK(consul_service_entries_count(entries) == 0);
    consul_service_entries_free(entries);
}

static void reported(void)
{
    char *id = with_suffix("-1");
    char *check = malloc(strlen(id) + 9);
    consul_service_entries *health = NULL;
    consul_checks *checks = NULL;
    CHECK(check != NULL);
    strcat(strcpy(check, "service:"), id);
    CHECK_OK(consul_agent_check_warn(client, check, "careful", NULL, NULL));
    CHECK_OK(consul_agent_service_health(client, id, NULL, NULL, &health));
    CHECK_STRING("warning", consul_service_entries_at(health, 0), status);
    CHECK(consul_service_entries_at(health, 0)->node->name_len == 0);
    consul_service_entries_free(health);
    CHECK_OK(consul_agent_check_fail(client, check, NULL, NULL, NULL));
    CHECK_OK(consul_agent_services_health(client, name, NULL, NULL, &health));
    CHECK_STRING("critical", consul_service_entries_at(health, 0), status);
    consul_service_entries_free(health);
    CHECK_OK(consul_agent_check_update(client, check, "passing", "out", NULL, NULL));
    CHECK_OK(consul_agent_check_pass(client, check, NULL, NULL, NULL));
    consul_service_entries_free(entries_with("passing"));
    CHECK_OK(consul_health_checks(client, name, NULL, NULL, &checks));
    CHECK(consul_checks_count(checks) == 1 && consul_checks_at(checks, 1) == NULL);
    CHECK_TEXT("passing", consul_checks_aggregated_status(checks));
    CHECK(consul_checks_meta(checks)->index > 0);
    consul_checks_free(checks);
    CHECK(consul_checks_aggregated_status(checks) == NULL);

    CHECK_OK(consul_agent_service_maintenance(client, id, true, "broken", NULL, NULL));
    consul_service_entries_free(entries_with("maintenance"));
    CHECK_OK(consul_agent_checks(client, NULL, NULL, &checks));
    CHECK_TEXT("maintenance", consul_checks_aggregated_status(checks));
    consul_checks_free(checks);
    CHECK_OK(consul_agent_service_maintenance(client, id, false, NULL, NULL, NULL));
    consul_service_entries_free(entries_with("passing"));

    CHECK_STATUS(CONSUL_NOT_FOUND, consul_agent_check_pass(client, name, NULL, NULL, NULL));
    CHECK_STATUS(CONSUL_NOT_FOUND,
                 consul_agent_service_maintenance(client, name, true, NULL, NULL, NULL));
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_agent_service_health(client, name, NULL, NULL, &health));
    CHECK(consul_service_entries_count(health) == 0);
    consul_service_entries_free(health);
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "passing, warning or critical",
                consul_agent_check_update(client, check, "fine", NULL, NULL, NULL));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "passing, warning or critical",
                consul_health_state(client, "fine", NULL, NULL, &checks));
    CHECK(checks == NULL);
    CHECK_OK(consul_health_state(client, "passing", NULL, NULL, &checks));
    CHECK(consul_checks_count(checks) > 0);
    consul_checks_free(checks);
    free(check);
    free(id);
}

static void known_to_the_agent(void)
{
    consul_services *services = NULL, *same = NULL;
    consul_options *options = NULL;
    char *id = with_suffix("-1");
    CHECK_OK(consul_agent_services(client, NULL, NULL, &services));
    CHECK(consul_services_count(services) > 0 && consul_services_node(services) == NULL);
    consul_services_free(services);
    CHECK_OK(consul_agent_service(client, id, NULL, NULL, NULL, &services));
    CHECK_STRING(name, consul_services_at(services, 0), name);
    CHECK(consul_services_at(services, 0)->content_hash_len > 0);
    CHECK_OK(consul_options_new(&options));
    CHECK_OK(consul_options_set_wait_ms(options, 50));
    CHECK_OK(consul_agent_service(client, id, consul_services_at(services, 0)->content_hash, options,
                                  NULL, &same));
    CHECK_TEXT(consul_services_at(services, 0)->content_hash,
               consul_services_at(same, 0)->content_hash);
    consul_options_free(options);
    consul_services_free(same);
    consul_services_free(services);
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_agent_service(client, name, NULL, NULL, NULL, &services));
    CHECK(services != NULL && consul_services_at(services, 0) == NULL);
    consul_services_free(services);
    free(id);
}

static void agent_and_servers(void)
{
    consul_agent_info *info = NULL;
    consul_members *members = NULL;
    consul_keys *peers = NULL, *datacenters = NULL;
    consul_text *leader = NULL;
    const consul_agent_row *agent;
    const consul_member *member;
    CHECK_OK(consul_agent_self(client, NULL, NULL, &info));
    agent = consul_agent_info_row(info);
    CHECK_STRING("dc1", agent, datacenter);
    CHECK(agent->is_server && agent->version_len > 0 && agent->node_id_len == 36);
    CHECK(strstr(agent->json, agent->node_name) != NULL);
    CHECK_OK(consul_agent_members(client, false, NULL, NULL, &members));
    CHECK(consul_members_count(members) == 1 && consul_members_at(members, 1) == NULL);
    member = consul_members_at(members, 0);
    CHECK_STRING(agent->node_name, member, name);
    CHECK_STRING("alive", member, status_name);
    CHECK(member->status == CONSUL_MEMBER_ALIVE && member->is_server && member->port > 0);
    CHECK_TEXT("consul", value_of(member->tag_keys, member->tag_values, member->tag_count, "role"));
    consul_members_free(members);
    consul_agent_info_free(info);
    CHECK(consul_agent_info_row(info) == NULL);

    CHECK_OK(consul_status_leader(client, NULL, NULL, &leader));
    CHECK_OK(consul_status_peers(client, NULL, NULL, &peers));
    CHECK(consul_keys_count(peers) == 1);
    CHECK_TEXT(consul_text_data(leader), consul_keys_at(peers, 0)->data);
    consul_text_free(leader);
    consul_keys_free(peers);
    CHECK_OK(consul_catalog_datacenters(client, NULL, NULL, &datacenters));
    CHECK_TEXT("dc1", consul_keys_at(datacenters, 0)->data);
    consul_keys_free(datacenters);
}

static void catalog(void)
{
    consul_registration *registration = NULL;
    consul_service_spec *db = NULL;
    consul_check_spec *check = ttl_check();
    consul_services *services = NULL;
    consul_service_names *names = NULL;
    consul_nodes *nodes = NULL;
    consul_checks *checks = NULL;
    consul_options *options = NULL;
    const consul_node *node;
    char *node_name = unique("node");
    size_t i;
    CHECK_OK(consul_service_spec_new("db", &db));
    CHECK_OK(consul_registration_new(node_name, "10.9.8.7", &registration));
    CHECK_OK(consul_registration_set_id(registration, "0f0e0d0c-0b0a-4908-8706-050403020100"));
    CHECK_OK(consul_registration_set_datacenter(registration, "dc1"));
    CHECK_OK(consul_registration_add_tagged_address(registration, "wan", "1.2.3.4"));
    CHECK_OK(consul_registration_add_node_meta(registration, "rack", node_name));
    CHECK_OK(consul_registration_set_service(registration, db));
    CHECK_OK(consul_registration_add_check(registration, NULL, "up", "passing", "db", NULL, "out"));
    CHECK_OK(consul_registration_add_check(registration, "disk", "disk", "warning", NULL, "n", NULL));
    CHECK_OK(consul_service_spec_add_check(db, check));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "the catalog runs none",
                consul_registration_set_service(registration, db));
    CHECK_OK(consul_catalog_register(client, registration, NULL, NULL));
    consul_registration_free(registration);
    consul_service_spec_free(db);
    consul_check_spec_free(check);

    CHECK_OK(consul_catalog_node(client, node_name, NULL, NULL, &services));
    node = consul_services_node(services);
    CHECK_STRING(node_name, node, name);
    CHECK_STRING("10.9.8.7", node, address);
    CHECK_STRING("0f0e0d0c-0b0a-4908-8706-050403020100", node, id);
    CHECK_TEXT(node_name, value_of(node->meta_keys, node->meta_values, node->meta_count, "rack"));
    CHECK(consul_services_count(services) == 1);
    CHECK_STRING("db", consul_services_at(services, 0), name);
    consul_services_free(services);
    CHECK_OK(consul_catalog_node_services(client, node_name, NULL, NULL, &services));
    CHECK(consul_services_count(services) == 1 && consul_services_meta(services)->index > 0);
    consul_services_free(services);

    CHECK_OK(consul_options_new(&options));
    CHECK_OK(consul_options_add_node_meta(options, "rack", node_name));
    CHECK_OK(consul_catalog_nodes(client, options, NULL, &nodes));
    CHECK(consul_nodes_count(nodes) == 1 && consul_nodes_at(nodes, 1) == NULL);
    CHECK_STRING(node_name, consul_nodes_at(nodes, 0), name);
    CHECK(consul_nodes_meta(nodes)->known_leader);
    consul_nodes_free(nodes);
    consul_options_free(options);

    CHECK_OK(consul_catalog_services(client, NULL, NULL, &names));
    for (i = 0; i < consul_service_names_count(names); i++)
        if (strcmp(consul_service_names_at(names, i)->name, name) == 0)
            break;
    CHECK(i < consul_service_names_count(names));
    CHECK(consul_service_names_at(names, i)->tag_count == 2);
    CHECK(consul_service_names_meta(names)->index > 0);
    consul_service_names_free(names);

    CHECK_OK(consul_catalog_deregister_service(client, node_name, "db", NULL, NULL));
    CHECK_OK(consul_health_node(client, node_name, NULL, NULL, &checks));
    CHECK(consul_checks_count(checks) == 1);
    CHECK_STRING("disk", consul_checks_at(checks, 0), check_id);
    consul_checks_free(checks);
    CHECK_OK(consul_catalog_deregister_check(client, node_name, "disk", NULL, NULL));
    /* An id that is empty by mistake removes nothing. */
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "is empty",
                consul_catalog_deregister_service(client, node_name, "", NULL, NULL));
    CHECK_OK(consul_catalog_node(client, node_name, NULL, NULL, &services));
    CHECK(consul_services_count(services) == 0 && consul_services_node(services) != NULL);
    consul_services_free(services);
    CHECK_OK(consul_catalog_deregister_node(client, node_name, NULL, NULL));
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_catalog_node(client, node_name, NULL, NULL, &services));
    CHECK(consul_services_node(services) == NULL && consul_services_meta(services)->index > 0);
    consul_services_free(services);
    free(node_name);
}

/* What does not fit is said where it is set, or when it is registered. */
static void refusals(void)
{
    consul_service_spec *spec = NULL;
    consul_check_spec *check = NULL;
    CHECK_OK(consul_service_spec_new(name, &spec));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "port 70000", consul_service_spec_set_port(spec, 70000));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "passing 65536", consul_service_spec_set_weights(spec, 65536, 1));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "json", consul_service_spec_set_proxy_json(spec, "{"));
    CHECK_OK(consul_service_spec_set_address(spec, "0.0.0.0"));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "0.0.0.0",
                consul_agent_service_register(client, spec, NULL, NULL));
    consul_service_spec_free(spec);

    CHECK_OK(consul_check_spec_new("c", &check));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "exactly one of",
                consul_agent_check_register(client, check, NULL, NULL));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "status", consul_check_spec_set_status(check, "fine"));
    CHECK_OK(consul_check_spec_set_ttl_ms(check, 1000));
    CHECK_OK(consul_check_spec_set_tls_server_name(check, "localhost"));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "takes no TLS server name",
                consul_agent_check_register(client, check, NULL, NULL));
    CHECK_OK(consul_check_spec_set_http(check, "http://127.0.0.1:1"));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "both a TTL check and an HTTP check",
                consul_agent_check_register(client, check, NULL, NULL));
    consul_check_spec_free(check);
}

/* Each setter reaches the check that it is for. */
static void kinds_of_checks(void)
{
    static const char *const script[] = {"true"};
    consul_check_spec *check[6] = {NULL, NULL, NULL, NULL, NULL, NULL};
    char *id = with_suffix("-check");
    size_t i;
    for (i = 0; i < 6; i++) {
        CHECK_OK(consul_check_spec_new("c", &check[i]));
        CHECK_OK(consul_check_spec_set_id(check[i], id));
        CHECK_OK(consul_check_spec_set_status(check[i], "passing"));
    }
    for (i = 0; i < 5; i++) {
        CHECK_OK(consul_check_spec_set_interval_ms(check[i], 10000));
        CHECK_OK(consul_check_spec_set_timeout_ms(check[i], 1000));
        CHECK_OK(consul_check_spec_set_success_before_passing(check[i], 2));
        CHECK_OK(consul_check_spec_set_failures_before_critical(check[i], 2));
    }
    CHECK_OK(consul_check_spec_set_http(check[0], "https://127.0.0.1:1/"));
    CHECK_OK(consul_check_spec_set_http_method(check[0], "PUT"));
    CHECK_OK(consul_check_spec_add_http_header(check[0], "X-Probe", "yes"));
    CHECK_OK(consul_check_spec_set_http_body(check[0], "ping"));
    CHECK_OK(consul_check_spec_set_tls_skip_verify(check[0], true));
    CHECK_OK(consul_check_spec_set_tcp(check[1], "127.0.0.1:1"));
    CHECK_OK(consul_check_spec_set_grpc(check[2], "127.0.0.1:1/service"));
    CHECK_OK(consul_check_spec_set_grpc_use_tls(check[2], true));
    CHECK_OK(consul_check_spec_set_script(check[3], script, 1));
    CHECK_OK(consul_check_spec_set_script(check[4], script, 1));
    CHECK_OK(consul_check_spec_set_docker(check[4], "container", NULL));
    id[strlen(id) - strlen("-check")] = '\0';
    CHECK_OK(consul_check_spec_set_alias_service(check[5], id));
    CHECK_OK(consul_check_spec_set_deregister_after_ms(check[5], 3600000));
    strcat(id, "-check");
    for (i = 0; i < 6; i++) {
        if (i == 3 || i == 4) {
            /* Its Consul runs no scripts of strangers. */
            CHECK_ERROR(CONSUL_ERR_HTTP, "Scripts are disabled",
                        consul_agent_check_register(client, check[i], NULL, NULL));
        } else {
            CHECK_OK(consul_agent_check_register(client, check[i], NULL, NULL));
            CHECK_OK(consul_agent_check_deregister(client, id, NULL, NULL));
        }
        consul_check_spec_free(check[i]);
    }
    free(id);
}

static void deregistered(void)
{
    consul_services *services = NULL;
    char *id = with_suffix("-1");
    CHECK_OK(consul_agent_service_deregister(client, id, NULL, NULL));
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_agent_service(client, id, NULL, NULL, NULL, &services));
    consul_services_free(services);
    /* Once more is fine. */
    CHECK_OK(consul_agent_service_deregister(client, id, NULL, NULL));
    free(id);
}

/* The one event of this name that the agent keeps. */
static consul_user_events *heard_of(consul_client *to, const char *event)
{
    consul_options *options = NULL;
    uint64_t end = now_ms() + 30000;
    CHECK_OK(consul_options_new(&options));
    CHECK_OK(consul_options_set_wait_ms(options, 2000));
    for (;;) {
        consul_user_events *events = NULL;
        CHECK_OK(consul_user_event_list(to, event, options, NULL, &events));
        CHECK_OK(consul_options_set_index(options, consul_user_events_meta(events)->index));
        if (consul_user_events_count(events) == 1) {
            consul_options_free(options);
            return events;
        }
        CHECK(now_ms() < end);
        consul_user_events_free(events);
    }
}

static void user_events(consul_client *to)
{
    static const uint8_t payload[3] = {'a', 0, 255}, large[600] = {0};
    consul_user_events *fired = NULL, *events = NULL;
    consul_queue *queue = new_queue();
    consul_async async = async_of(queue, 5);
    consul_event *event = NULL;
    const consul_user_event *row;
    char *id = unique("event");
    CHECK_OK(consul_user_event_fire(to, id, NULL, 0, "^nowhere$", NULL, NULL, NULL, NULL, &fired));
    consul_user_events_free(fired);
    CHECK_STATUS(CONSUL_PENDING, consul_user_event_fire(to, id, payload, 3, ".", NULL, NULL, NULL,
                                                        &async, NULL));
    event = next_event(queue);
    CHECK_EVENT(5, CONSUL_OK, event);
    CHECK_OK(consul_event_take_user_events(event, &fired));
    consul_event_free(event);

    events = heard_of(to, id);
    row = consul_user_events_at(events, 0);
    CHECK_STRING(consul_user_events_at(fired, 0)->id, row, id);
    CHECK_STRING(id, row, name);
    CHECK_STRING(".", row, node_filter);
    CHECK_STRING("", row, service_filter);
    CHECK_STRING("", row, tag_filter);
    CHECK(row->payload_len == 3 && memcmp(row->payload, payload, 3) == 0 && row->ltime > 0);
    CHECK(consul_user_events_at(events, 1) == NULL);
    consul_user_events_free(fired);
    consul_user_events_free(events);

    CHECK_OK(consul_user_event_list(to, NULL, NULL, NULL, &events));
    CHECK(consul_user_events_count(events) >= 1);
    consul_user_events_free(events);
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "service filter",
                consul_user_event_fire(to, id, NULL, 0, NULL, NULL, "blue", NULL, NULL, &fired));
    CHECK_ERROR(CONSUL_ERR_TOO_LARGE, "512 bytes",
                consul_user_event_fire(to, id, large, 600, NULL, NULL, NULL, NULL, NULL, &fired));
    CHECK(fired == NULL);
    consul_queue_free(queue);
    free(id);
}

int main(void)
{
    consul_client *in_memory = client_with("embedded:", NULL, NULL);
    client = consul();
    name = unique("service");
    user_events(client);
    user_events(in_memory);
    consul_client_free(in_memory);
    registered();
    discovered();
    chosen();
    reported();
    known_to_the_agent();
    agent_and_servers();
    catalog();
    refusals();
    kinds_of_checks();
    deregistered();
    free(name);
    consul_client_free(client);
    CHECK_NO_HANDLES();
    return 0;
}

/* Watches, the views that read them, their events in a queue, and picking an instance. */

#include "queue.h"

static consul_client *client;
static consul_queue *queue;

static consul_watch *watch_with(consul_watch_spec *spec, consul_queue *events, uint64_t tag)
{
    consul_watch *watch = NULL;
    CHECK_OK(consul_watch_start(client, spec, events, tag, &watch));
    consul_watch_spec_free(spec);
    return watch;
}

static consul_watch_spec *spec_of(int32_t kind, const char *name)
{
    consul_watch_spec *spec = NULL;
    CHECK_OK(consul_watch_spec_new(kind, name, &spec));
    return spec;
}

static consul_view *view_of(consul_watch *watch)
{
    consul_view *view = NULL;
    CHECK_OK(consul_watch_wait_ready(watch, PATIENCE_MS));
    CHECK_OK(consul_watch_view(watch, &view));
    return view;
}

static void put(const char *key, const char *value)
{
    CHECK_OK(consul_kv_put(client, key, (const uint8_t *)value, strlen(value), 0, NULL, NULL));
}

/* The next event of a watch, which must be of this type. */
static consul_event *told(int32_t type, uint64_t tag, consul_status status)
{
    consul_event *event = NULL;
    CHECK_OK(consul_queue_next(queue, PATIENCE_MS, &event));
    CHECK(consul_event_type(event) == type);
    CHECK_EVENT(tag, status, event);
    return event;
}

static bool holds(const consul_kv_pair *pair, const char *value)
{
    return pair != NULL && pair->value_len == strlen(value) &&
           memcmp(pair->value, value, pair->value_len) == 0;
}

static void a_view_stands_still_until_it_is_moved(void)
{
    char *prefix = unique("view"), key[100], other[100];
    const consul_kv_pair *pair;
    consul_watch *watch;
    consul_view *view;
    sprintf(key, "%s/a", prefix);
    sprintf(other, "%s/b", prefix);
    watch = watch_with(spec_of(CONSUL_WATCH_PREFIX, prefix), NULL, 0);
    view = view_of(watch);
    CHECK(consul_view_state(view) == CONSUL_VIEW_EMPTY && consul_view_count(view) == 0);
    CHECK(consul_view_find_kv(view, key) == NULL && consul_view_kv_at(view, 0) == NULL);
    CHECK_STATUS(CONSUL_NO_CHANGE, consul_view_refresh(view));
    CHECK_STATUS(CONSUL_NO_CHANGE, consul_view_wait(view, 1));

    put(key, "one");
    CHECK_OK(consul_view_wait(view, PATIENCE_MS));
    CHECK(consul_view_state(view) == CONSUL_VIEW_FRESH && consul_view_count(view) == 1);
    CHECK(consul_view_version(view) == consul_watch_version(watch) && consul_view_index(view) > 0);
    pair = consul_view_find_kv(view, key);
    CHECK(pair != NULL && pair == consul_view_kv_at(view, 0));
    CHECK(holds(pair, "one"));

    put(other, "two");
    while (consul_watch_version(watch) == consul_view_version(view))
        ;
    /* Its rows are as they were. */
    CHECK(consul_view_count(view) == 1 && consul_view_find_kv(view, other) == NULL);
    CHECK(holds(pair, "one"));
    CHECK_OK(consul_view_refresh(view));
    CHECK(consul_view_count(view) == 2 && consul_view_find_kv(view, other) != NULL);

    /* It outlives its watch. */
    consul_watch_free(watch);
    CHECK(consul_view_state(view) == CONSUL_VIEW_STALE && consul_view_age_ms(view) < 60000);
    CHECK(holds(consul_view_find_kv(view, other), "two"));
    CHECK_STATUS(CONSUL_ERR_CANCELLED, consul_view_wait(view, 1000));
    /* Rows of other kinds are not there. */
    CHECK(consul_view_node_at(view, 0) == NULL && consul_view_check_at(view, 0) == NULL);
    CHECK(consul_view_body(view) == NULL && consul_view_user_event_at(view, 0) == NULL);
    CHECK(consul_view_pick(view, CONSUL_PICK_RANDOM, NULL, 0) == NULL);
    consul_view_free(view);
    CHECK_OK(consul_kv_delete_prefix(client, prefix, NULL, NULL));
    free(prefix);
}

/* Until the thread that tells of a change has done what it was at: a version can be read just before it
 * is told of. */
static void settled(void)
{
    consul_queue *own = new_queue();
    consul_async async = async_of(own, 1);
    CHECK_STATUS(CONSUL_PENDING, consul_status_leader(client, NULL, &async, NULL));
    CHECK_NEXT(own, 1, CONSUL_OK);
    consul_queue_free(own);
}

static void events_tell_of_one_change_at_a_time(void)
{
    char *key = unique("watch");
    consul_watch *watch = watch_with(spec_of(CONSUL_WATCH_KEY, key), queue, 5);
    consul_event *event = told(CONSUL_EVENT_WATCH_READY, 5, CONSUL_OK);
    uint64_t version = consul_event_version(event);
    CHECK(version == 1 && consul_event_age_ms(event) < 60000);
    CHECK(consul_event_result_type(event) == 0);
    consul_event_free(event);
    put(key, "1");
    while (consul_watch_version(watch) < 2)
        ;
    put(key, "2");
    while (consul_watch_version(watch) < 3)
        ;
    settled();
    /* Two changes, one event, which is about the second. */
    event = told(CONSUL_EVENT_WATCH_CHANGED, 5, CONSUL_OK);
    CHECK(consul_event_version(event) == 3);
    consul_event_free(event);
    check_empty(queue);
    CHECK_OK(consul_watch_stop(watch));
    CHECK_OK(consul_watch_stop(watch));
    consul_event_free(told(CONSUL_EVENT_WATCH_ENDED, 5, CONSUL_ERR_CANCELLED));
    consul_watch_free(watch);
    check_empty(queue);

    /* Who cancels its tag stops it. */
    watch = watch_with(spec_of(CONSUL_WATCH_KEY, key), queue, 6);
    consul_event_free(told(CONSUL_EVENT_WATCH_READY, 6, CONSUL_OK));
    CHECK_OK(consul_queue_cancel(queue, 6));
    consul_event_free(told(CONSUL_EVENT_WATCH_ENDED, 6, CONSUL_ERR_CANCELLED));
    /* What it has found stays. */
    CHECK_OK(consul_watch_wait_ready(watch, 0));
    consul_watch_free(watch);
    check_empty(queue);
    CHECK_OK(consul_kv_delete(client, key, NULL, NULL));
    free(key);
}

static void a_client_that_ends_ends_its_watches(void)
{
    consul_client *short_lived = consul(), *lasting = client;
    consul_watch *watch;
    client = short_lived;
    watch = watch_with(spec_of(CONSUL_WATCH_NODES, NULL), queue, 7);
    client = lasting;
    consul_event_free(told(CONSUL_EVENT_WATCH_READY, 7, CONSUL_OK));
    consul_client_free(short_lived);
    consul_event_free(told(CONSUL_EVENT_WATCH_ENDED, 7, CONSUL_ERR_CLOSED));
    consul_watch_free(watch);
    check_empty(queue);
}

/* Whose watches are not freed yet. */
static void a_client_can_be_closed(void)
{
    consul_client *closed = consul(), *lasting = client;
    consul_watch *watch;
    consul_view *view;
    client = closed;
    watch = watch_with(spec_of(CONSUL_WATCH_NODES, NULL), NULL, 0);
    client = lasting;
    view = view_of(watch);
    CHECK_OK(consul_client_close(closed, PATIENCE_MS));
    CHECK(consul_view_count(view) == 1 && consul_view_state(view) == CONSUL_VIEW_STALE);
    CHECK_STATUS(CONSUL_ERR_CLOSED, consul_view_wait(view, 1000));
    consul_client_free(closed);
    consul_view_free(view);
    consul_watch_free(watch);
}

static void a_consul_that_is_away_is_told_of(void)
{
    consul_client *refused = client_with("http://127.0.0.1:1", NULL, NULL), *lasting = client;
    consul_watch *watch;
    consul_view *view = NULL;
    client = refused;
    watch = watch_with(spec_of(CONSUL_WATCH_SERVICES, NULL), queue, 8);
    client = lasting;
    consul_event_free(told(CONSUL_EVENT_WATCH_HEALTH, 8, CONSUL_ERR_CONNECT));
    CHECK(consul_watch_consecutive_failures(watch) > 0 && consul_watch_requests(watch) > 0);
    CHECK(consul_watch_last_error(watch)->status == CONSUL_ERR_CONNECT);
    CHECK(consul_watch_last_success_age_ms(watch) == UINT64_MAX);
    CHECK(consul_watch_last_good_error(watch) == NULL && consul_watch_index(watch) == 0);
    CHECK_ERROR(CONSUL_ERR_TIMEOUT, "refused", consul_watch_wait_ready(watch, 1));
    CHECK_OK(consul_watch_view(watch, &view));
    CHECK(consul_view_state(view) == CONSUL_VIEW_PENDING && consul_view_count(view) == 0);
    CHECK(consul_view_age_ms(view) == UINT64_MAX && consul_view_version(view) == 0);
    consul_view_free(view);
    consul_watch_free(watch);
    consul_event_free(told(CONSUL_EVENT_WATCH_ENDED, 8, CONSUL_ERR_CANCELLED));
    consul_client_free(refused);
    check_empty(queue);
}

static void add_instance(const char *name, const char *id, uint32_t port)
{
    consul_service_spec *service = NULL;
    CHECK_OK(consul_service_spec_new(name, &service));
    CHECK_OK(consul_service_spec_set_id(service, id));
    CHECK_OK(consul_service_spec_set_port(service, port));
    CHECK_OK(consul_agent_service_register(client, service, NULL, NULL));
    consul_service_spec_free(service);
}

/* While Consul cannot be asked a view may refuse to be read. */
static void what_is_too_old_is_refused(void)
{
    consul_client *in_memory = client_with("embedded:", "wait_ms", "50"), *lasting = client;
    consul_watch_spec *spec = spec_of(CONSUL_WATCH_SERVICE, "web");
    consul_watch *watch;
    consul_view *view = NULL;
    consul_lease *lease = NULL;
    client = in_memory;
    add_instance("web", "web-1", 80);
    CHECK_OK(consul_watch_spec_set_policy(spec, CONSUL_POLICY_ANY));
    CHECK_OK(consul_watch_spec_set_max_age_ms(spec, 0));
    watch = watch_with(spec, queue, 8);
    client = lasting;
    consul_event_free(told(CONSUL_EVENT_WATCH_READY, 8, CONSUL_OK));
    CHECK_OK(consul_watch_view(watch, &view));
    CHECK(consul_view_state(view) == CONSUL_VIEW_FRESH && consul_view_count(view) == 1);
    CHECK_OK(consul_view_check(view));

    CHECK_OK(consul_embedded_fail_next(in_memory, NULL, 1000000, 500, "No cluster leader"));
    consul_event_free(told(CONSUL_EVENT_WATCH_HEALTH, 8, CONSUL_ERR_NO_LEADER));
    CHECK(consul_view_state(view) == CONSUL_VIEW_EXPIRED && consul_view_count(view) == 0);
    CHECK_ERROR(CONSUL_ERR_NO_LEADER, "older than", consul_view_check(view));
    CHECK(consul_view_service_entry_at(view, 0) == NULL);
    CHECK(consul_view_find_service_entry(view, "web-1") == NULL);
    CHECK(consul_view_pick(view, CONSUL_PICK_RANDOM, NULL, 0) == NULL);
    CHECK_STATUS(CONSUL_ERR_NO_LEADER, consul_view_lease(view, CONSUL_PICK_RANDOM, NULL, 0, &lease));

    CHECK_OK(consul_embedded_reset_faults(in_memory));
    consul_event_free(told(CONSUL_EVENT_WATCH_HEALTH, 8, CONSUL_OK));
    CHECK_OK(consul_view_check(view));
    CHECK(consul_view_pick(view, CONSUL_PICK_RANDOM, NULL, 0) != NULL);
    consul_view_free(view);
    consul_watch_free(watch);
    consul_event_free(told(CONSUL_EVENT_WATCH_ENDED, 8, CONSUL_ERR_CANCELLED));
    consul_client_free(in_memory);
    check_empty(queue);
}

static void instances_are_picked(void)
{
    char *name = unique("picked"), one[100], two[100];
    const consul_service_entry *entry, *next;
    consul_watch_spec *spec = spec_of(CONSUL_WATCH_SERVICE, name);
    consul_lease *lease = NULL, *second = NULL;
    consul_watch *watch;
    consul_view *view;
    int32_t pick;
    sprintf(one, "%s-1", name);
    sprintf(two, "%s-2", name);
    CHECK_OK(consul_watch_spec_set_policy(spec, CONSUL_POLICY_PASSING_OR_WARNING));
    CHECK_OK(consul_watch_spec_set_floor(spec, 50, 600000));
    watch = watch_with(spec, NULL, 0);
    view = view_of(watch);
    CHECK(consul_view_pick(view, CONSUL_PICK_ROUND_ROBIN, NULL, 0) == NULL);
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_view_lease(view, CONSUL_PICK_RANDOM, NULL, 0, &lease));
    add_instance(name, one, 8001);
    add_instance(name, two, 8002);
    while (consul_view_count(view) < 2)
        CHECK_OK(consul_view_wait(view, PATIENCE_MS));

    entry = consul_view_find_service_entry(view, two);
    CHECK(entry != NULL && entry->service->port == 8002);
    CHECK(entry == consul_view_service_entry_at(view, 1));
    entry = consul_view_pick(view, CONSUL_PICK_ROUND_ROBIN, NULL, 0);
    next = consul_view_pick(view, CONSUL_PICK_ROUND_ROBIN, NULL, 0);
    CHECK(entry != next && entry == consul_view_pick(view, CONSUL_PICK_ROUND_ROBIN, NULL, 0));
    for (pick = CONSUL_PICK_ROUND_ROBIN; pick <= CONSUL_PICK_LEAST_CONNECTIONS; pick++)
        CHECK(consul_view_pick(view, pick, NULL, 0) != NULL);
    entry = consul_view_pick(view, CONSUL_PICK_HASH, (const uint8_t *)"key", 3);
    CHECK(entry != NULL && entry == consul_view_pick(view, CONSUL_PICK_HASH, (const uint8_t *)"key", 3));
    CHECK(consul_view_pick(view, CONSUL_PICK_NEAREST, NULL, 0) == NULL);
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "near", consul_view_lease(view, CONSUL_PICK_NEAREST, NULL, 0, &lease));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "1 to 6", consul_view_lease(view, 7, NULL, 0, &lease));

    /* One in use, so the other is the one with the fewest. */
    CHECK_OK(consul_view_lease(view, CONSUL_PICK_LEAST_CONNECTIONS, NULL, 0, &lease));
    CHECK_OK(consul_view_lease(view, CONSUL_PICK_LEAST_CONNECTIONS, NULL, 0, &second));
    entry = consul_lease_service_entry(lease);
    next = consul_lease_service_entry(second);
    CHECK(entry->service->port != next->service->port);
    consul_lease_free(lease);
    CHECK(consul_view_pick(view, CONSUL_PICK_LEAST_CONNECTIONS, NULL, 0)->service->port ==
          entry->service->port);

    /* Half may go at once, the rest not. */
    CHECK_OK(consul_agent_service_deregister(client, one, NULL, NULL));
    CHECK_OK(consul_view_wait(view, PATIENCE_MS));
    CHECK(consul_view_count(view) == 1);
    CHECK_OK(consul_agent_service_deregister(client, two, NULL, NULL));
    while (!consul_watch_is_holding_back(watch))
        ;
    CHECK_STATUS(CONSUL_NO_CHANGE, consul_view_refresh(view));
    CHECK(consul_view_pick(view, CONSUL_PICK_RANDOM, NULL, 0) != NULL);
    /* A lease's instance stays readable, whatever becomes of the view. */
    consul_view_free(view);
    consul_watch_free(watch);
    CHECK(next->service->port == 8001 || next->service->port == 8002);
    consul_lease_free(second);
    free(name);
}

static void every_kind_has_its_rows(void)
{
    consul_watch *watch = watch_with(spec_of(CONSUL_WATCH_NODES, NULL), NULL, 0);
    consul_view *view = view_of(watch);
    const char *node = consul_view_node_at(view, 0)->name;
    CHECK(consul_view_count(view) == 1 && node[0] != '\0');
    {
        consul_watch *checks = watch_with(spec_of(CONSUL_WATCH_NODE_CHECKS, node), NULL, 0);
        consul_view *of_node = view_of(checks);
        CHECK_TEXT("serfHealth", consul_view_check_at(of_node, 0)->check_id);
        consul_view_free(of_node);
        consul_watch_free(checks);
    }
    consul_view_free(view);
    consul_watch_free(watch);

    watch = watch_with(spec_of(CONSUL_WATCH_SERVICES, NULL), NULL, 0);
    view = view_of(watch);
    CHECK_TEXT("consul", consul_view_service_name_at(view, 0)->name);
    consul_view_free(view);
    consul_watch_free(watch);

    watch = watch_with(spec_of(CONSUL_WATCH_PATH, "/v1/catalog/datacenters"), NULL, 0);
    view = view_of(watch);
    CHECK(strstr(consul_view_body(view), "dc1") != NULL && consul_view_count(view) == 1);
    CHECK(strlen(consul_view_body(view)) == consul_view_body_len(view));
    consul_view_free(view);
    consul_watch_free(watch);

    watch = watch_with(spec_of(CONSUL_WATCH_EVENTS, "nobody-fires-this"), NULL, 0);
    view = view_of(watch);
    CHECK(consul_view_count(view) == 0 && consul_view_user_event_at(view, 0) == NULL);
    consul_view_free(view);
    consul_watch_free(watch);
}

static void bad_input_is_named(void)
{
    consul_watch_spec *spec = NULL;
    consul_watch *watch = NULL;
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "1 to 10", consul_watch_spec_new(11, "a", &spec));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "needs a name", consul_watch_spec_new(CONSUL_WATCH_KEY, NULL, &spec));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "critical", consul_watch_spec_new(CONSUL_WATCH_STATE_CHECKS, "x", &spec));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "takes no name", consul_watch_spec_new(CONSUL_WATCH_NODES, "a", &spec));
    spec = spec_of(CONSUL_WATCH_KEY, "a");
    CHECK_OK(consul_watch_spec_add_tag(spec, "v2"));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "only the watch of a service takes a tag",
                consul_watch_start(client, spec, NULL, 0, &watch));
    consul_watch_spec_free(spec);
    spec = spec_of(CONSUL_WATCH_KEY, "/a");
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "slash", consul_watch_start(client, spec, queue, 9, &watch));
    CHECK(watch == NULL);
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "1 to 3", consul_watch_spec_set_policy(spec, 4));
    consul_watch_spec_free(spec);
    spec = spec_of(CONSUL_WATCH_KEY, "a");
    CHECK_OK(consul_watch_spec_set_last_good_file(spec, "relative"));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "absolute", consul_watch_start(client, spec, NULL, 0, &watch));
    CHECK_OK(consul_watch_spec_set_last_good_file(spec, "/dev/null"));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "other than a file", consul_watch_start(client, spec, NULL, 0, &watch));
    consul_watch_spec_free(spec);
    /* What did not start tells nothing. */
    check_empty(queue);
}

/* What the statistics of a watch say, and that they agree with what asks for one thing each. */
static void check_state(int line, const consul_watch *watch, const char *state)
{
    consul_stats *stats = NULL;
    const consul_progress *row;
    CHECK_OK(consul_watch_stats(watch, &stats));
    row = consul_stats_row(stats);
    if (strcmp(row->state, state) != 0)
        fail(__FILE__, line, "the watch is %s, not %s", row->state, state);
    CHECK(row->version == consul_watch_version(watch) && row->index == consul_watch_index(watch));
    CHECK(row->requests > 0 && row->last_success_ms < 60000 && row->consecutive_failures == 0);
    CHECK(row->last_error->status == CONSUL_OK && row->last_good_error->status == CONSUL_OK);
    CHECK(!row->is_holding_back && row->address_len == 0 && row->failures == 0 && !row->is_in_use);
    consul_stats_free(stats);
}

#define CHECK_STATE(watch, state) check_state(__LINE__, (watch), (state))

/* Waits that end in a queue: by what is found, by their time, by the end of the watch. */
static void waits_in_a_queue(void)
{
    char *name = unique("awaited");
    consul_async async = async_of(queue, 77);
    consul_watch *watch = watch_with(spec_of(CONSUL_WATCH_KEY, name), NULL, 0);
    uint64_t version;
    CHECK_STATUS(CONSUL_PENDING, consul_watch_wait_ready_async(watch, -1, &async));
    CHECK_NEXT(queue, 77, CONSUL_OK);
    version = consul_watch_version(watch);
    CHECK_STATE(watch, "empty");
    CHECK_STATUS(CONSUL_NO_CHANGE, consul_watch_wait_newer(watch, version, 1, NULL));
    CHECK_STATUS(CONSUL_PENDING, consul_watch_wait_newer(watch, version, 1, &async));
    CHECK_NEXT(queue, 77, CONSUL_NO_CHANGE);
    CHECK_STATUS(CONSUL_PENDING, consul_watch_wait_newer(watch, version, -1, &async));
    put(name, "1");
    CHECK_NEXT(queue, 77, CONSUL_OK);
    CHECK(consul_watch_version(watch) > version);
    CHECK_OK(consul_watch_wait_newer(watch, version, -1, NULL));
    CHECK_STATE(watch, "fresh");

    version = consul_watch_version(watch);
    CHECK_STATUS(CONSUL_PENDING, consul_watch_wait_newer(watch, version, -1, &async));
    CHECK_OK(consul_queue_cancel(queue, 77));
    CHECK_NEXT(queue, 77, CONSUL_ERR_CANCELLED);
    CHECK_STATUS(CONSUL_PENDING, consul_watch_wait_newer(watch, version, -1, &async));
    CHECK_OK(consul_watch_stop(watch));
    CHECK_NEXT(queue, 77, CONSUL_ERR_CANCELLED);
    CHECK_STATE(watch, "ended");
    consul_watch_free(watch);
    CHECK_OK(consul_kv_delete(client, name, NULL, NULL));
    free(name);
}

int main(void)
{
    client = consul();
    queue = new_queue();
    a_view_stands_still_until_it_is_moved();
    events_tell_of_one_change_at_a_time();
    a_client_that_ends_ends_its_watches();
    a_client_can_be_closed();
    a_consul_that_is_away_is_told_of();
    instances_are_picked();
    what_is_too_old_is_refused();
    every_kind_has_its_rows();
    waits_in_a_queue();
    bad_input_is_named();
    consul_queue_free(queue);
    consul_client_free(client);
    CHECK(consul_live_handles(CONSUL_HANDLE_ALL) == 0);
    return 0;
}

/* A ring of consistent hashes, and a cluster whose ring follows its living members. */

#include "queue.h"

#include <stdbool.h>

static consul_client *client;
static char *prefix;

/* The key of this number in tests/ring/golden.py. */
static size_t golden_key(char *key, unsigned number)
{
    size_t len = (size_t)sprintf(key, "%u:", number);
    unsigned i;
    for (i = 0; i < number % 37; i++) {
        memcpy(key + len, "\xc3\xa9", 2);
        len += 2;
    }
    return len;
}

/* What an implementation of its own says of 10,000 keys, whatever the order of the nodes. */
static void golden(void)
{
    static char names[9][128], owners[100][128];
    FILE *file = fopen("tests/ring/golden.txt", "r");
    consul_ring *ring = NULL;
    uint32_t weights[9];
    unsigned n;
    CHECK(file != NULL);
    for (n = 0; n < 9; n++)
        CHECK(fscanf(file, "%127s %u", names[n], &weights[n]) == 2);
    for (n = 0; n < 100; n++)
        CHECK(fscanf(file, "%127s", owners[n]) == 1);
    CHECK_OK(consul_ring_new(0, &ring));
    for (n = 9; n-- > 0;)
        CHECK_OK(consul_ring_add(ring, names[n], weights[n]));
    for (n = 0; n < 10000; n++) {
        char key[128];
        size_t len = golden_key(key, n);
        const char *node = consul_ring_node_for_key(ring, (const uint8_t *)key, len);
        CHECK_TEXT(names[owners[n / 100][n % 100] - 'a'], node);
    }
    for (n = 0; n < 1000; n++) {
        char key[128], letters[16];
        consul_keys *replicas = NULL;
        size_t len = golden_key(key, n), i;
        CHECK(fscanf(file, "%15s", letters) == 1);
        CHECK_OK(consul_ring_replicas_for_key(ring, (const uint8_t *)key, len, 1 + n % 9, &replicas));
        CHECK(consul_keys_count(replicas) == strlen(letters));
        for (i = 0; letters[i] != '\0'; i++)
            CHECK_TEXT(names[letters[i] - 'a'], consul_keys_at(replicas, i)->data);
        consul_keys_free(replicas);
    }
    fclose(file);
    consul_ring_free(ring);
}

static void rings(void)
{
    const char *const names[] = {"b", "a"};
    const uint32_t weights[] = {2, 3};
    const char *node;
    consul_ring *ring = NULL;
    consul_keys *keys = NULL;
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "virtual nodes", consul_ring_new(10001, &ring));
    CHECK(ring == NULL);
    CHECK_OK(consul_ring_new(40, &ring));
    CHECK(consul_ring_node_for_key(ring, (const uint8_t *)"k", 1) == NULL);
    CHECK_OK(consul_ring_set(ring, names, 2, weights));
    CHECK(consul_ring_count(ring) == 2 && consul_ring_version(ring) == 1);
    CHECK(consul_ring_weight(ring, "a") == 3 && consul_ring_weight(ring, "c") == 0);
    CHECK_OK(consul_ring_set(ring, names, 2, NULL));
    CHECK(consul_ring_weight(ring, "a") == 1);
    CHECK_OK(consul_ring_nodes(ring, &keys));
    CHECK_TEXT("a", consul_keys_at(keys, 0)->data);
    consul_keys_free(keys);
    CHECK_OK(consul_ring_remove(ring, "a"));
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_ring_remove(ring, "a"));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "weight 0", consul_ring_add(ring, "a", 0));
    CHECK_ERROR(CONSUL_ERR_HANDLE, "consul_ring", consul_ring_add(NULL, "a", 1));
    node = consul_ring_node_for_key(ring, NULL, 0);
    /* Borrowed by this thread, whatever becomes of the ring. */
    consul_ring_free(ring);
    CHECK_TEXT("b", node);
    CHECK(consul_ring_node_for_key(ring, NULL, 0) == NULL);
}

static consul_cluster_spec *spec_of(const char *id)
{
    consul_cluster_spec *spec = NULL;
    CHECK_OK(consul_cluster_spec_new(id, "127.0.0.1:7000", &spec));
    CHECK_OK(consul_cluster_spec_set_prefix(spec, prefix));
    CHECK_OK(consul_cluster_spec_set_ttl_ms(spec, 60000));
    CHECK_OK(consul_cluster_spec_set_min_nodes(spec, 2));
    CHECK_OK(consul_cluster_spec_set_lock_delay_ms(spec, 0));
    CHECK_OK(consul_cluster_spec_set_leave_after_ms(spec, 1000));
    CHECK_OK(consul_cluster_spec_set_join_after_ms(spec, 1000));
    CHECK_OK(consul_cluster_spec_set_outage_hold_ms(spec, 1000));
    CHECK_OK(consul_cluster_spec_add_meta(spec, "rack", "r1"));
    CHECK_OK(consul_cluster_spec_set_options(spec, NULL));
    return spec;
}

static consul_cluster *join(consul_cluster_spec *spec)
{
    consul_cluster *cluster = NULL;
    CHECK_OK(consul_cluster_join(client, spec, &cluster));
    consul_cluster_spec_free(spec);
    CHECK_OK(consul_cluster_wait_joined(cluster, PATIENCE_MS));
    return cluster;
}

/* Takes events of the queue until one of this type comes, which is given. */
static consul_event *told(consul_queue *queue, int32_t type)
{
    consul_event *event = NULL;
    for (;;) {
        CHECK_OK(consul_queue_next(queue, PATIENCE_MS, &event));
        CHECK(consul_event_tag(event) == 7);
        if (consul_event_type(event) == type)
            return event;
        consul_event_free(event);
    }
}

/* Waits for changes until it holds. */
#define UNTIL(cluster, holds)                                                  \
    do {                                                                       \
        uint64_t seen_ = consul_cluster_version(cluster);                      \
        for (; !(holds); seen_ = consul_cluster_version(cluster))              \
            CHECK_OK(consul_cluster_wait_change(cluster, seen_, PATIENCE_MS)); \
    } while (0)

static void clusters(void)
{
    consul_queue *queue = new_queue();
    consul_async async = {queue, 8};
    consul_cluster_spec *spec = spec_of("one");
    consul_cluster *one, *two;
    consul_cluster_nodes *nodes = NULL;
    const consul_cluster_node *node;
    consul_event *event = NULL;
    consul_text *leader = NULL;
    uint64_t version;
    char *key = malloc(strlen(prefix) + 16);
    CHECK_OK(consul_cluster_spec_set_weight(spec, 0));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "weight 0", consul_cluster_join(client, spec, &one));
    CHECK_OK(consul_cluster_spec_set_weight(spec, 3));
    one = join(spec);
    CHECK_OK(consul_cluster_set_queue(one, queue, 7));
    UNTIL(one, consul_cluster_is_leader(one) && consul_cluster_leader(one, &leader) == CONSUL_OK);
    CHECK_TEXT("one", consul_text_data(leader));
    consul_text_free(leader);
    CHECK_TEXT("one", consul_cluster_id(one));
    CHECK(consul_cluster_living(one) == 1 && !consul_cluster_has_enough_nodes(one));
    CHECK(consul_cluster_age_ms(one) < UINT64_MAX);
    CHECK_STATUS(CONSUL_NO_CHANGE, consul_cluster_wait_change(one, UINT64_MAX, 10));

    spec = spec_of("two");
    sprintf(key, "%snodes/", prefix);
    CHECK_OK(consul_cluster_spec_set_nodes_prefix(spec, key));
    sprintf(key, "%sleader", prefix);
    CHECK_OK(consul_cluster_spec_set_leader_key(spec, key));
    CHECK_OK(consul_cluster_spec_set_campaigns(spec, false));
    free(key);
    two = join(spec);
    event = told(queue, CONSUL_EVENT_CLUSTER_JOINED);
    CHECK(consul_event_result_type(event) == CONSUL_HANDLE_CLUSTER_NODES);
    CHECK_OK(consul_event_take_cluster_nodes(event, &nodes));
    consul_event_free(event);
    CHECK(consul_cluster_nodes_count(nodes) == 1);
    node = consul_cluster_nodes_at(nodes, 0);
    CHECK_TEXT("two", node->id);
    CHECK(node->state == CONSUL_CLUSTER_NODE_ALIVE && node->session_id_len == 36);
    CHECK(node->meta_count == 1 && strcmp(node->meta_values[0], "r1") == 0);
    consul_cluster_nodes_free(nodes);
    /* Taken, or the next change of the ring would be told by the same event. */
    consul_event_free(told(queue, CONSUL_EVENT_CLUSTER_RING));
    UNTIL(one, consul_cluster_living(one) == 2);
    CHECK(consul_cluster_has_enough_nodes(one));
    CHECK_OK(consul_cluster_list_nodes(one, &nodes));
    CHECK(consul_cluster_nodes_count(nodes) == 2 && consul_cluster_nodes_at(nodes, 2) == NULL);
    CHECK(consul_cluster_nodes_at(nodes, 0)->is_leader);
    consul_cluster_nodes_free(nodes);
    CHECK_OK(consul_cluster_replicas_for_key(two, (const uint8_t *)"k", 1, 9, &nodes));
    CHECK(consul_cluster_nodes_count(nodes) == 2);
    node = consul_cluster_node_for_key(two, (const uint8_t *)"k", 1);
    CHECK_TEXT(consul_cluster_nodes_at(nodes, 0)->id, node->id);
    consul_cluster_nodes_free(nodes);

    version = consul_cluster_ring_version(one);
    CHECK_OK(consul_cluster_set_weight(two, 5));
    CHECK_OK(consul_cluster_set_meta(two, "rack", NULL));
    UNTIL(one, consul_cluster_ring_version(one) != version);
    consul_event_free(told(queue, CONSUL_EVENT_CLUSTER_CHANGED));
    consul_event_free(told(queue, CONSUL_EVENT_CLUSTER_RING));
    CHECK_OK(consul_cluster_leave(two, NULL));
    CHECK_STATUS(CONSUL_ERR_CANCELLED, consul_cluster_wait_joined(two, 0));
    CHECK_STATUS(CONSUL_ERR_CANCELLED, consul_cluster_set_queue(two, queue, 9));
    consul_cluster_free(two);
    consul_event_free(told(queue, CONSUL_EVENT_CLUSTER_LEFT));
    consul_event_free(told(queue, CONSUL_EVENT_CLUSTER_RING));
    consul_queue_cancel(queue, 7);
    event = told(queue, CONSUL_EVENT_CLUSTER_ENDED);
    CHECK_EVENT(7, CONSUL_ERR_CANCELLED, event);
    consul_event_free(event);
    CHECK_STATUS(CONSUL_PENDING, consul_cluster_wait_joined_async(one, -1, &async));
    CHECK_NEXT(queue, 8, CONSUL_OK);
    CHECK_STATUS(CONSUL_PENDING, consul_cluster_wait_change_async(one, 0, -1, &async));
    CHECK_NEXT(queue, 8, CONSUL_OK);
    CHECK_STATUS(CONSUL_PENDING, consul_cluster_wait_change_async(one, UINT64_MAX, 1, &async));
    CHECK_NEXT(queue, 8, CONSUL_NO_CHANGE);
    CHECK_STATUS(CONSUL_PENDING, consul_cluster_leave(one, &async));
    CHECK_NEXT(queue, 8, CONSUL_OK);
    CHECK(consul_cluster_node_for_key(NULL, NULL, 0) == NULL);
    consul_cluster_free(one);
    consul_queue_free(queue);
}

/* Freed, it is left in the background, which closing the client waits for. */
static void freed(void)
{
    consul_kv *kv = NULL;
    consul_client *other = consul();
    consul_cluster_spec *spec = spec_of("three");
    consul_cluster *cluster = NULL;
    consul_stats *stats = NULL;
    /* A leader's key would stay. */
    CHECK_OK(consul_cluster_spec_set_campaigns(spec, false));
    CHECK_OK(consul_cluster_join(other, spec, &cluster));
    consul_cluster_spec_free(spec);
    CHECK_OK(consul_cluster_wait_joined(cluster, -1));
    CHECK_OK(consul_cluster_stats(cluster, &stats));
    CHECK_TEXT("joined", consul_stats_row(stats)->state);
    consul_stats_free(stats);
    consul_cluster_free(cluster);
    CHECK_OK(consul_client_close(other, PATIENCE_MS));
    consul_client_free(other);
    CHECK_OK(consul_kv_list(client, prefix, NULL, NULL, &kv));
    CHECK(consul_kv_count(kv) == 0);
    consul_kv_free(kv);
}

int main(void)
{
    client = consul();
    prefix = strcat(unique("clusters"), "/");
    golden();
    rings();
    clusters();
    CHECK_OK(consul_kv_delete_prefix(client, prefix, NULL, NULL));
    freed();
    consul_client_free(client);
    free(prefix);
    CHECK_NO_HANDLES();
    return 0;
}

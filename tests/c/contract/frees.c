/* Handles are freed in every order, children before and after their client, each of them twice. */

#include "sockets.h"

enum { COUNT = 6 };

/* How a set of handles comes and goes. */
struct set {
    void (*make)(void **handles);
    void (*free[COUNT])(void *handle);
};

static char *key;

static void free_client(void *handle) { consul_client_free(handle); }
static void free_config(void *handle) { consul_config_free(handle); }
static void free_options(void *handle) { consul_options_free(handle); }
static void free_text(void *handle) { consul_text_free(handle); }
static void free_kv(void *handle) { consul_kv_free(handle); }
static void free_keys(void *handle) { consul_keys_free(handle); }
static void free_txn(void *handle) { consul_txn_free(handle); }
static void free_txn_result(void *handle) { consul_txn_result_free(handle); }
static void free_session(void *handle) { consul_session_free(handle); }
static void free_lock_spec(void *handle) { consul_lock_spec_free(handle); }
static void free_lock(void *handle) { consul_lock_free(handle); }
static void free_service_spec(void *handle) { consul_service_spec_free(handle); }
static void free_kept_service_spec(void *handle) { consul_kept_service_spec_free(handle); }
static void free_kept_service(void *handle) { consul_kept_service_free(handle); }
static void free_election_spec(void *handle) { consul_election_spec_free(handle); }
static void free_election(void *handle) { consul_election_free(handle); }
static void free_leader(void *handle) { consul_leader_free(handle); }
static void free_queue(void *handle) { consul_queue_free(handle); }
static void free_stats(void *handle) { consul_stats_free(handle); }
static void free_health_report(void *handle) { consul_health_report_free(handle); }

static void make_results(void **handles)
{
    consul_config *config = NULL;
    consul_options *options = NULL;
    consul_client *client = NULL;
    consul_text *text = NULL;
    consul_kv *kv = NULL;
    consul_keys *keys = NULL;
    CHECK_OK(consul_config_new(&config));
    CHECK_OK(consul_options_new(&options));
    CHECK_OK(consul_client_new(config, &client));
    CHECK_OK(consul_config_get(config, "address", &text));
    CHECK_OK(consul_kv_get(client, key, options, NULL, &kv));
    CHECK_OK(consul_kv_keys(client, key, NULL, NULL, NULL, &keys));
    handles[0] = client, handles[1] = config, handles[2] = options;
    handles[3] = text, handles[4] = kv, handles[5] = keys;
}

/* A session, and a lock that is held by it. */
static void make_activities(void **handles)
{
    consul_client *client = consul();
    consul_session *session = NULL;
    consul_lock_spec *spec = NULL;
    consul_lock *lock = NULL;
    consul_txn *txn = NULL;
    consul_txn_result *result = NULL;
    /* Its own, since the lock-delay of the last one lasts. */
    char *lock_key = unique("frees-lock");
    CHECK_OK(consul_session_start(client, NULL, false, NULL, NULL, &session));
    CHECK_OK(consul_txn_new(&txn));
    CHECK_OK(consul_txn_delete(txn, lock_key));
    CHECK_OK(consul_txn_commit(client, txn, NULL, NULL, &result));
    CHECK_OK(consul_lock_spec_new(lock_key, &spec));
    CHECK_OK(consul_lock_spec_set_session(spec, session));
    CHECK_OK(consul_lock_new(client, spec, &lock));
    CHECK_OK(consul_lock_try_acquire(lock, NULL));
    free(lock_key);
    handles[0] = client, handles[1] = session, handles[2] = spec;
    handles[3] = lock, handles[4] = txn, handles[5] = result;
}

/* What the last one had registered, and may not have deregistered where its client ended first. */
static char *registered;

static void deregister_last(const consul_client *client)
{
    if (registered != NULL)
        CHECK_OK(consul_agent_service_deregister(client, registered, NULL, NULL));
    free(registered);
    registered = NULL;
}

/* A service that is kept registered, and what tells of it. */
static void make_registrations(void **handles)
{
    consul_client *client = consul();
    consul_service_spec *service_spec = NULL;
    consul_kept_service_spec *spec = NULL;
    consul_kept_service *service = NULL;
    consul_stats *stats = NULL;
    consul_health_report *report = NULL;
    deregister_last(client);
    /* Its own, since the last one may still be deregistered in the background. */
    registered = unique("frees-service");
    CHECK_OK(consul_service_spec_new(registered, &service_spec));
    CHECK_OK(consul_kept_service_spec_new(service_spec, &spec));
    CHECK_OK(consul_kept_service_new(client, spec, &service));
    CHECK_OK(consul_kept_service_start(service, NULL));
    CHECK_OK(consul_kept_service_stats(service, &stats));
    CHECK_OK(consul_health_report_new(client, &report));
    handles[0] = client, handles[1] = service_spec, handles[2] = spec;
    handles[3] = service, handles[4] = stats, handles[5] = report;
}

/* A candidate that leads, and what tells of it. */
static void make_elections(void **handles)
{
    consul_client *client = consul();
    consul_election_spec *spec = NULL;
    consul_election *election = NULL;
    consul_leader *leader = NULL;
    consul_queue *queue = NULL;
    consul_stats *stats = NULL;
    char *name = unique("frees-election");
    CHECK_OK(consul_election_spec_new(name, &spec));
    CHECK_OK(consul_election_spec_set_ephemeral(spec, true));
    CHECK_OK(consul_election_start(client, spec, &election));
    CHECK_OK(consul_queue_new(&queue));
    CHECK_OK(consul_election_set_queue(election, queue, 1));
    CHECK_OK(consul_election_wait_elected(election, 30000));
    CHECK_OK(consul_election_leader(election, &leader));
    CHECK_OK(consul_election_stats(election, &stats));
    free(name);
    handles[0] = client, handles[1] = spec, handles[2] = election;
    handles[3] = leader, handles[4] = queue, handles[5] = stats;
}

static const struct set results = {
    make_results, {free_client, free_config, free_options, free_text, free_kv, free_keys}};
static const struct set activities = {
    make_activities,
    {free_client, free_session, free_lock_spec, free_lock, free_txn, free_txn_result}};

static const struct set registrations = {
    make_registrations,
    {free_client, free_service_spec, free_kept_service_spec, free_kept_service, free_stats,
     free_health_report}};

static const struct set elections = {
    make_elections,
    {free_client, free_election_spec, free_election, free_leader, free_queue, free_stats}};

static void in_order(const struct set *set, const int *order)
{
    void *handles[COUNT];
    int i;
    set->make(handles);
    CHECK(consul_live_handles(CONSUL_HANDLE_ALL) == COUNT);
    for (i = 0; i < COUNT; i++) {
        set->free[order[i]](handles[order[i]]);
        CHECK(consul_live_handles(CONSUL_HANDLE_ALL) == (size_t)(COUNT - 1 - i));
        set->free[order[i]](handles[order[i]]);
    }
    for (i = 0; i < COUNT; i++)
        set->free[i](handles[i]);
    CHECK_NO_HANDLES();
}

/* Every order of the places from `from` on. */
static void permute(const struct set *set, int *order, int from)
{
    int i, kept;
    if (from == COUNT) {
        in_order(set, order);
        return;
    }
    for (i = from; i < COUNT; i++) {
        kept = order[from], order[from] = order[i], order[i] = kept;
        permute(set, order, from + 1);
        kept = order[from], order[from] = order[i], order[i] = kept;
    }
}

/* A few orders, for what takes its time: each of the places comes first once. */
static void rotate(const struct set *set)
{
    int first, i;
    for (first = 0; first < COUNT; first++) {
        int order[COUNT];
        for (i = 0; i < COUNT; i++)
            order[i] = (first + i) % COUNT;
        in_order(set, order);
    }
}

int main(void)
{
    int order[COUNT] = {0, 1, 2, 3, 4, 5};
    consul_client *client = consul();
    key = unique("frees");
    CHECK_OK(consul_kv_put(client, key, NULL, 0, 0, NULL, NULL));
    consul_client_free(client);
    permute(&results, order, 0);
    permute(&activities, order, 0);
    permute(&registrations, order, 0);
    client = consul();
    deregister_last(client);
    consul_client_free(client);
    rotate(&elections);
    /* What goes on in the background ends by itself, and leaves nothing behind. */
    while (threads() > 1)
        usleep(1000);
    CHECK(sockets(NULL) == 0);
    free(key);
    return 0;
}

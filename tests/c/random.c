/* random CALLS [SEED]: threads that share a pool of handles call every function of the header with
 * whatever comes: live, freed, doubled, foreign, NULL and invented handles, good and bad strings,
 * missing places for results. Nothing may crash, hang or leak.
 *
 * What it leaves out is what the header excludes: rows are read only while no other thread can free
 * their handle. */

#include "support.h"
#include "calls_table.h"
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>

enum { THREADS = 8, POOL = 24, HANG_AFTER_S = 150 };

/* The handles that all threads use; slots keep what was freed, so that it is used again. */
static void *pool[handle_types][POOL];
static const struct call *free_of[handle_types];
static long statuses[64];
static long called[sizeof calls / sizeof calls[0]];
static long begun;
static long calls_a_thread;
static char *big;
enum { BIG = 600 * 1024 };

/* Clients of the real Consul, and of an address where nobody answers. They stay. */
static consul_client *real, *refused;

static const char *const texts[] = {
    "", "a", "random/a", "random/b", "random/", "/dev/random", "random/\xc3\xa4", "\xff\xfe", "text",
    "passing", "warning", "critical", "any", "consul", "127.0.0.1", "127.0.0.1:1", "localhost",
    "GET", "PUT", "/v1/status/leader", "/v1/kv/random/a", "v1", "application/json", "{}", "[]",
    "{\"KV\":{\"Verb\":\"get\",\"Key\":\"random/a\"}}", "{\"Node\":", "null", "10s", "stale",
    "consistent", "default", "_agent", "dc1", "nowhere", "Node == consul", "((", "true", "0", "1",
    "18446744073709551615", "-1", "address", "token", "timeout_ms", "tls_ca_file", "/dev/null",
    "http://127.0.0.1:1", "unix:///dev/null", "https://[::1]:1", "http://", "serfHealth",
    "00000000-0000-0000-0000-000000000000", "a?b#c&d=e", "%2e%2e/", "..", "line\nbreak",
};
enum { TEXTS_COUNT = sizeof texts / sizeof texts[0] };

static uint64_t next(uint64_t *state)
{
    /* splitmix64 */
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t below(uint64_t *state, uint64_t bound)
{
    return next(state) % bound;
}

static bool chance(uint64_t *state, unsigned percent)
{
    return below(state, 100) < percent;
}

static void *load(void **slot)
{
    return __atomic_load_n(slot, __ATOMIC_RELAXED);
}

/* A handle of the type, or now and then anything else. */
static void *any_handle(uint64_t *state, int type)
{
    if (chance(state, 85))
        return load(&pool[type][below(state, POOL)]);
    switch (below(state, 6)) {
    case 0: return NULL;
    case 1: return (void *)(uintptr_t)next(state);
    case 2: return (void *)((uintptr_t)load(&pool[type][below(state, POOL)]) ^ ((uintptr_t)1 << below(state, 64)));
    case 3: return state;
    case 4: return (void *)(uintptr_t)below(state, 4096);
    default: return load(&pool[below(state, handle_types)][below(state, POOL)]);
    }
}

/* What the clients that stay must not be given to: it ends them, or makes others of them. */
static bool ends_client(const struct call *call)
{
    static const char *const names[] = {"consul_client_free", "consul_client_close",
                                        "consul_client_close_async",
                                        "consul_client_reload", "consul_client_set_token"};
    size_t i;
    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(call->name, names[i]) == 0)
            return true;
    return false;
}

static void *some_handle(uint64_t *state, int type, const struct call *call)
{
    bool ends = ends_client(call);
    void *handle;
    /* It would stop the agent. */
    if (type == CONSUL_HANDLE_CLIENT && strcmp(call->name, "consul_agent_leave") == 0)
        return chance(state, 50) ? refused : NULL;
    if (type == CONSUL_HANDLE_CLIENT && !ends && chance(state, 30))
        return chance(state, 70) ? real : refused;
    handle = any_handle(state, type);
    /* A client's handle with another bit may be that of one that stays. */
    return ends && (handle == real || handle == refused) ? NULL : handle;
}

static const char *some_text(uint64_t *state)
{
    if (chance(state, 3))
        return NULL;
    if (chance(state, 1))
        return big;
    if (chance(state, 40))
        return texts[2 + below(state, 2)];
    return texts[below(state, TEXTS_COUNT)];
}

/* Time-outs stay short, so that a call that waits is no hang. */
static uint64_t some_number(uint64_t *state, const char *name)
{
    static const uint64_t odd[] = {0, 1, 2, 7, 100, UINT64_C(1) << 32, (UINT64_C(1) << 53) + 1,
                                   UINT64_C(0x2ddccbc058a50c18), UINT64_MAX / 2, UINT64_MAX};
    size_t length = strlen(name);
    if (length > 3 && strcmp(name + length - 3, "_ms") == 0)
        return chance(state, 90) ? 1 + below(state, 5) : 10000 + below(state, 10000);
    if (chance(state, 50))
        return below(state, 4);
    return odd[below(state, sizeof odd / sizeof odd[0])];
}

/* A wait that a number of `name` could make too long to be told from a hang. */
static bool waits(const struct call *call, const struct parameter *parameter)
{
    return strcmp(parameter->name, "timeout_ms") == 0 || strcmp(parameter->name, "wait_ms") == 0 ||
           strstr(call->name, "timeout_ms") != NULL || strstr(call->name, "wait_ms") != NULL ||
           strcmp(call->name, "consul_options_set_index") == 0;
}

static void count(long *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void end(int type, void *handle)
{
    union argument argument;
    struct result result;
    argument.pointer = handle;
    free_of[type]->run(&argument, &result);
}

static void read_bytes(const void *bytes, size_t length)
{
    static unsigned char sink;
    const unsigned char *byte = bytes;
    while (length-- > 0)
        __atomic_store_n(&sink, *byte++, __ATOMIC_RELAXED);
}

/* Reads what a handle gives, while no other thread knows it. */
static void read_all(int type, void *handle)
{
    size_t i;
    for (i = 0; type == CONSUL_HANDLE_KV && i < consul_kv_count(handle); i++) {
        const consul_kv_pair *pair = consul_kv_at(handle, i);
        read_bytes(pair->key, pair->key_len + 1);
        read_bytes(pair->value, pair->value_len);
        read_bytes(pair->session, pair->session_len + 1);
    }
    for (i = 0; type == CONSUL_HANDLE_KEYS && i < consul_keys_count(handle); i++)
        read_bytes(consul_keys_at(handle, i)->data, consul_keys_at(handle, i)->len + 1);
    for (i = 0; type == CONSUL_HANDLE_CHECKS && i < consul_checks_count(handle); i++) {
        const consul_check *check = consul_checks_at(handle, i);
        read_bytes(check->check_id, check->check_id_len + 1);
        read_bytes(check->output, check->output_len + 1);
    }
    for (i = 0; type == CONSUL_HANDLE_LOG_RECORDS && i < consul_log_records_count(handle); i++)
        read_bytes(consul_log_records_at(handle, i)->message,
                   consul_log_records_at(handle, i)->message_len + 1);
    if (type == CONSUL_HANDLE_STATS) {
        const consul_progress *progress = consul_stats_row(handle);
        read_bytes(progress->state, progress->state_len + 1);
        read_bytes(progress->last_error->message, progress->last_error->message_len + 1);
    }
    if (type == CONSUL_HANDLE_TEXT)
        read_bytes(consul_text_data(handle), consul_text_len(handle) + 1);
    if (type == CONSUL_HANDLE_RESPONSE)
        read_bytes(consul_response_body(handle), consul_response_body_len(handle));
    read_bytes(consul_last_error()->message, consul_last_error()->message_len + 1);
}

/* Puts a new handle where others find it, in the place of one that ends. */
static void share(uint64_t *state, int type, void *handle)
{
    void *old = __atomic_exchange_n(&pool[type][below(state, POOL)], handle, __ATOMIC_ACQ_REL);
    end(type, old);
    if (chance(state, 5))
        end(type, old);
}

static void call_one(uint64_t *state, const struct call *call)
{
    union argument arguments[16];
    uint64_t out[16] = {0};
    static const uint32_t weights[3] = {1, 100, 0};
    const char *lists[16][3];
    consul_async async = {NULL, 1};
    struct result result = {0, 0, NULL};
    size_t i;

    for (i = 0; i < call->count; i++) {
        const struct parameter *parameter = &call->parameters[i];
        arguments[i].number = 0;
        switch (parameter->kind) {
        case HANDLE:
            arguments[i].pointer = some_handle(state, parameter->type, call);
            if (strcmp(parameter->name, "options") == 0 && chance(state, 70))
                arguments[i].pointer = NULL;
            break;
        case TEXT:
            arguments[i].pointer = (void *)some_text(state);
            /* Consul 1.8.7 dies of an alias of another node that does not have the service. */
            if (strcmp(call->name, "consul_check_spec_set_alias_node") == 0)
                arguments[i].pointer = NULL;
            /* Only one file does not mind what is written to it. */
            if (strcmp(call->name, "consul_log_set_file") == 0 && arguments[i].pointer != NULL)
                arguments[i].pointer = (void *)"/dev/null";
            /* A file that nobody can make. */
            if (strcmp(call->name, "consul_snapshot_save") == 0 && arguments[i].pointer != NULL)
                arguments[i].pointer = (void *)"/dev/null/snapshot";
            break;
        case BYTES: arguments[i].pointer = chance(state, 3) ? NULL : big; break;
        case TEXTS:
            lists[i][0] = some_text(state);
            lists[i][1] = some_text(state);
            lists[i][2] = some_text(state);
            arguments[i].pointer = chance(state, 10) ? NULL : (void *)lists[i];
            break;
        case NUMBERS: arguments[i].pointer = chance(state, 10) ? NULL : (void *)weights; break;
        case LENGTH:
            if (arguments[i - 1].pointer == NULL)
                arguments[i].number = some_number(state, parameter->name);
            else if (parameter[-1].kind == TEXT)
                arguments[i].number = strlen(arguments[i - 1].pointer);
            else if (parameter[-1].kind == TEXTS)
                arguments[i].number = below(state, 4);
            else
                arguments[i].number = chance(state, 1) ? BIG : below(state, 300);
            if (chance(state, 1) && parameter[-1].kind != TEXT)
                arguments[i].number = UINT64_MAX - below(state, 3);
            break;
        case NUMBER:
            arguments[i].number = waits(call, parameter) ? below(state, 6)
                                                         : some_number(state, parameter->name);
            break;
        case ASYNC:
            async.queue = some_handle(state, CONSUL_HANDLE_QUEUE, call);
            async.tag = below(state, 4);
            arguments[i].pointer = chance(state, 50) ? &async : NULL;
            break;
        case OUT_HANDLE:
        case OUT_VALUE: arguments[i].pointer = chance(state, 2) ? NULL : &out[i]; break;
        }
    }
    call->run(arguments, &result);
    if (call->returns == STATUS)
        count(&statuses[32 + (result.status > -32 && result.status < 32 ? result.status : 31)]);
    for (i = 0; i < call->count; i++)
        if (call->parameters[i].kind == OUT_HANDLE && out[i] != 0) {
            read_all(call->parameters[i].type, (void *)(uintptr_t)out[i]);
            share(state, call->parameters[i].type, (void *)(uintptr_t)out[i]);
        }
}

/* A call that reaches an agent costs a thousand times what the others cost. */
static bool is_network(const struct call *call)
{
    size_t i;
    for (i = 0; i < call->count; i++)
        if (call->parameters[i].kind == ASYNC)
            return true;
    /* It goes on calling in the background. */
    return strcmp(call->name, "consul_cluster_join") == 0;
}

static void *caller(void *seed)
{
    uint64_t state = *(uint64_t *)seed;
    long n;
    for (n = 0; n < calls_a_thread; n++) {
        size_t which = below(&state, calls_count);
        if (is_network(&calls[which]) && chance(&state, 70))
            which = below(&state, calls_count);
        count(&called[which]);
        count(&begun);
        call_one(&state, &calls[which]);
    }
    return NULL;
}

/* However slow the machine is: it hangs when no call has begun for so long. */
static void watch_over(int signal)
{
    static long last = -1;
    long now = __atomic_load_n(&begun, __ATOMIC_RELAXED);
    if (now == last)
        abort();
    last = now;
    (void)signal;
    alarm(HANG_AFTER_S);
}

static void find_frees(void)
{
    size_t i;
    int type;
    for (i = 0; i < calls_count; i++)
        for (type = 1; type < handle_types; type++) {
            char name[80];
            sprintf(name, "%s_free", handle_names[type]);
            if (strcmp(calls[i].name, name) == 0)
                free_of[type] = &calls[i];
        }
}

int main(int argc, char **argv)
{
    uint64_t seed = 0, seeds[THREADS];
    pthread_t threads[THREADS];
    size_t i;
    int type, status;
    char folder[] = "/tmp/random-XXXXXX";

    CHECK(argc > 1);
    calls_a_thread = atol(argv[1]) / THREADS;
    if (argc > 2) {
        seed = strtoull(argv[2], NULL, 0);
    } else {
        FILE *random = fopen("/dev/urandom", "rb");
        CHECK(random != NULL && fread(&seed, sizeof seed, 1, random) == 1);
        fclose(random);
    }
    printf("random: %s calls, seed %" PRIu64 "\n", argv[1], seed);
    fflush(stdout);
    CHECK(signal(SIGALRM, watch_over) != SIG_ERR);
    alarm(HANG_AFTER_S);

    /* Where the sockets of the queues come and go. */
    CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0);
    big = calloc(1, BIG + 1);
    memset(big, 'b', BIG);
    find_frees();
    real = client_with(consul_address(), "timeout_ms", "300");
    refused = client_with("http://127.0.0.1:1", "timeout_ms", "20");
    for (i = 0; i < THREADS; i++) {
        seeds[i] = next(&seed);
        CHECK(pthread_create(&threads[i], NULL, caller, &seeds[i]) == 0);
    }
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);

    for (status = -32; status < 32; status++)
        if (statuses[status + 32] != 0)
            printf("%10ld %s\n", statuses[status + 32], consul_status_name(status));
    for (i = 0; i < calls_count; i++)
        if (called[i] == 0)
            fail(__FILE__, __LINE__, "%s was never called", calls[i].name);
    CHECK(statuses[32 + CONSUL_OK] > 0 && statuses[32 + CONSUL_ERR_HANDLE] > 0);
    CHECK(statuses[32 + CONSUL_ERR_INTERNAL] == 0);

    /* It was there all the time. */
    {
        consul_client *patient = consul();
        consul_text *leader = NULL;
        CHECK_OK(consul_status_leader(patient, NULL, NULL, &leader));
        consul_text_free(leader);
        consul_client_free(patient);
    }

    for (type = 1; type < handle_types; type++)
        for (i = 0; i < POOL; i++)
            if (pool[type][i] != NULL)
                end(type, pool[type][i]);
    consul_client_free(real);
    consul_client_free(refused);
    free(big);
    CHECK(chdir("/") == 0 && rmdir(folder) == 0);
    CHECK_NO_HANDLES();
    return 0;
}

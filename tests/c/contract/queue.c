/* Asynchronous calls: each arrives in its queue once, with the status, the error and the result that
 * the blocking call would have had. */

#include "control.h"
#include "queue.h"
#include "sockets.h"
#include <sys/stat.h>
#include <sys/un.h>

static consul_client *client;
static consul_queue *queue;
static char *key;

static const uint8_t *const VALUE = (const uint8_t *)"value";

static void one_answer(void)
{
    consul_async async = async_of(queue, 7);
    consul_event *event;
    consul_kv *kv = (consul_kv *)(void *)&async, *again = kv;
    consul_keys *keys = NULL;
    CHECK_STATUS(CONSUL_PENDING, consul_kv_put(client, key, VALUE, 5, 3, NULL, &async));
    CHECK_NEXT(queue, 7, CONSUL_OK);
    /* The place for a result is cleared, and not used. */
    CHECK_STATUS(CONSUL_PENDING, consul_kv_get(client, key, NULL, &async, &kv));
    CHECK(kv == NULL);
    event = next_event(queue);
    CHECK_EVENT(7, CONSUL_OK, event);
    CHECK(consul_event_result_type(event) == CONSUL_HANDLE_KV);
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "consul_kv", consul_event_take_keys(event, &keys));
    CHECK_OK(consul_event_take_kv(event, &kv));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "taken already", consul_event_take_kv(event, &again));
    CHECK(again == NULL);
    consul_kv_free(kv);
    consul_event_free(event);
    check_empty(queue);
}

/* The result outlives its event, its queue and its client. */
static void a_result_is_the_callers(void)
{
    consul_queue *own = new_queue();
    consul_async async = async_of(own, 1);
    consul_client *short_lived = consul();
    consul_event *event;
    consul_kv *kv = NULL;
    CHECK_STATUS(CONSUL_PENDING, consul_kv_get(short_lived, key, NULL, &async, NULL));
    event = next_event(own);
    CHECK_OK(consul_event_take_kv(event, &kv));
    consul_client_free(short_lived);
    consul_queue_free(own);
    consul_event_free(event);
    CHECK(consul_kv_count(kv) == 1 && consul_kv_at(kv, 0)->flags == 3);
    CHECK(memcmp(consul_kv_at(kv, 0)->value, "value", 5) == 0);
    consul_kv_free(kv);
}

static void honest_answers(void)
{
    consul_async async = async_of(queue, 8);
    consul_event *event;
    consul_kv *kv = NULL;
    char absent[200];
    sprintf(absent, "%s/absent", key);
    CHECK_STATUS(CONSUL_PENDING, consul_kv_get(client, absent, NULL, &async, NULL));
    event = next_event(queue);
    CHECK_EVENT(8, CONSUL_NOT_FOUND, event);
    CHECK_OK(consul_event_take_kv(event, &kv));
    CHECK(consul_kv_count(kv) == 0 && consul_kv_meta(kv)->index > 0);
    consul_kv_free(kv);
    consul_event_free(event);

    CHECK_STATUS(CONSUL_PENDING, consul_kv_cas(client, key, VALUE, 5, 0, 0, NULL, &async));
    event = next_event(queue);
    CHECK_EVENT(8, CONSUL_CONFLICT, event);
    CHECK(consul_event_result_type(event) == 0);
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "no result", consul_event_take_kv(event, &kv));
    consul_event_free(event);
    CHECK_STATUS(CONSUL_PENDING, consul_agent_check_pass(client, key, NULL, NULL, &async));
    CHECK_NEXT(queue, 8, CONSUL_NOT_FOUND);
}

/* What is not allowed is said at once, and nothing arrives. */
static void bad_input(void)
{
    consul_async async = async_of(queue, 9), nowhere = async_of(NULL, 9);
    consul_event *event = NULL;
    consul_kv *kv = (consul_kv *)(void *)&async;
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "slash", consul_kv_get(client, "/a", NULL, &async, &kv));
    CHECK(kv == NULL);
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "session", consul_session_renew(client, "", NULL, &async, NULL));
    CHECK_ERROR(CONSUL_ERR_HANDLE, "consul_queue", consul_kv_get(client, key, NULL, &nowhere, NULL));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "out", consul_kv_get(client, key, NULL, NULL, NULL));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "-2", consul_queue_next(queue, -2, &event));
    check_empty(queue);
}

/* An event's error is its own; the thread's last error stays. */
static void failures(void)
{
    consul_client *refused = client_with("http://127.0.0.1:1", NULL, NULL);
    consul_async async = async_of(queue, 10);
    const consul_error *before;
    consul_event *event;
    CHECK_STATUS(CONSUL_ERR_ARGUMENT, consul_kv_delete(client, "/", NULL, NULL));
    before = consul_last_error();
    CHECK_STATUS(CONSUL_PENDING, consul_kv_put(refused, key, VALUE, 5, 0, NULL, &async));
    event = next_event(queue);
    CHECK_EVENT(10, CONSUL_ERR_CONNECT, event);
    CHECK_TEXT("http://127.0.0.1:1", consul_event_error(event)->endpoint);
    CHECK(consul_event_error(event)->retryable && !consul_event_error(event)->outcome_unknown);
    CHECK(consul_last_error() == before && before->status == CONSUL_ERR_ARGUMENT);
    consul_event_free(event);
    consul_client_free(refused);
}

/* Many at once, each with its own answer, and the order is the answers'. */
static void many_in_flight(void)
{
    enum { COUNT = 200 };
    char name[200];
    bool seen[COUNT] = {false};
    int i;
    for (i = 0; i < COUNT; i++) {
        consul_async async = async_of(queue, 1000 + (uint64_t)i);
        sprintf(name, "%s/%d", key, i);
        CHECK_STATUS(CONSUL_PENDING, consul_kv_put(client, name, NULL, 0, (uint64_t)i, NULL, &async));
    }
    for (i = 0; i < COUNT; i++)
        consul_event_free(next_event(queue));
    for (i = 0; i < COUNT; i++) {
        consul_async async = async_of(queue, (uint64_t)i);
        sprintf(name, "%s/%d", key, i);
        CHECK_STATUS(CONSUL_PENDING, consul_kv_get(client, name, NULL, &async, NULL));
    }
    for (i = 0; i < COUNT; i++) {
        consul_event *event = next_event(queue);
        consul_kv *kv = NULL;
        uint64_t tag = consul_event_tag(event);
        CHECK_EVENT(tag, CONSUL_OK, event);
        CHECK(tag < COUNT && !seen[tag]);
        seen[tag] = true;
        CHECK_OK(consul_event_take_kv(event, &kv));
        CHECK(consul_kv_at(kv, 0)->flags == tag);
        consul_kv_free(kv);
        consul_event_free(event);
    }
    check_empty(queue);
}

static void the_bound(void)
{
    consul_async async = async_of(queue, 11);
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "max_in_flight", consul_queue_set_max_in_flight(queue, 0));
    CHECK_OK(consul_queue_set_max_in_flight(queue, 2));
    CHECK_STATUS(CONSUL_PENDING, consul_kv_get(client, key, NULL, &async, NULL));
    CHECK_STATUS(CONSUL_PENDING, consul_kv_get(client, key, NULL, &async, NULL));
    CHECK_ERROR(CONSUL_ERR_BUSY, "2", consul_kv_get(client, key, NULL, &async, NULL));
    CHECK_NEXT(queue, 11, CONSUL_OK);
    CHECK_STATUS(CONSUL_PENDING, consul_kv_get(client, key, NULL, &async, NULL));
    CHECK_NEXT(queue, 11, CONSUL_OK);
    CHECK_NEXT(queue, 11, CONSUL_OK);
    CHECK_OK(consul_queue_set_max_in_flight(queue, 1024));
}

/* A blocking query that would wait for a minute. */
static void wait_for_news(consul_client *of, const consul_async *async)
{
    consul_options *options = NULL;
    consul_kv *kv = NULL;
    CHECK_STATUS(CONSUL_OK, consul_kv_get(client, key, NULL, NULL, &kv));
    CHECK_OK(consul_options_new(&options));
    CHECK_OK(consul_options_set_index(options, consul_kv_meta(kv)->index));
    CHECK_OK(consul_options_set_wait_ms(options, 60000));
    CHECK_STATUS(CONSUL_PENDING, consul_kv_get(of, key, options, async, NULL));
    consul_kv_free(kv);
    consul_options_free(options);
}

static void cancelling(void)
{
    consul_async one = async_of(queue, 12), other = async_of(queue, 13);
    struct control control;
    wait_for_news(client, &one);
    wait_for_news(client, &other);
    wait_for_news(client, &one);
    control_start(&control);
    CHECK_OK(consul_queue_cancel(queue, 12));
    CHECK_NEXT(queue, 12, CONSUL_ERR_CANCELLED);
    CHECK_NEXT(queue, 12, CONSUL_ERR_CANCELLED);
    check_empty(queue);
    CHECK_OK(consul_queue_cancel(queue, 13));
    CHECK_NEXT(queue, 13, CONSUL_ERR_CANCELLED);
    CHECK_OK(consul_queue_cancel(queue, 99));
    CHECK(control_stop_ms(&control) < 10000);
}

static void waking(void)
{
    consul_event *event = NULL;
    CHECK_OK(consul_queue_wake(queue));
    CHECK_STATUS(CONSUL_NO_CHANGE, consul_queue_next(queue, -1, &event));
    CHECK(event == NULL);
    CHECK_STATUS(CONSUL_NO_CHANGE, consul_queue_next(queue, 5, &event));
}

static bool readable(int fd, int timeout_ms)
{
    struct pollfd poll_fd;
    poll_fd.fd = fd;
    poll_fd.events = POLLIN;
    return poll(&poll_fd, 1, timeout_ms) == 1;
}

/* Readable as long as something waits: who takes one event of two is told again. */
static void the_descriptor(void)
{
    consul_async async = async_of(queue, 14);
    int fd = consul_queue_fd(queue);
    CHECK(fd >= 0 && consul_queue_fd(queue) == fd && !readable(fd, 0));
    CHECK_STATUS(CONSUL_PENDING, consul_kv_get(client, key, NULL, &async, NULL));
    CHECK_STATUS(CONSUL_PENDING, consul_kv_get(client, key, NULL, &async, NULL));
    CHECK(readable(fd, PATIENCE_MS));
    CHECK_NEXT(queue, 14, CONSUL_OK);
    CHECK(readable(fd, PATIENCE_MS));
    CHECK_NEXT(queue, 14, CONSUL_OK);
    CHECK(!readable(fd, 0));
    CHECK_OK(consul_queue_wake(queue));
    CHECK(readable(fd, 0));
    check_empty(queue);
    CHECK(!readable(fd, 0));
    CHECK(consul_queue_fd(NULL) == -1);
}

static void the_socket(void)
{
    consul_async async = async_of(queue, 15);
    struct sockaddr_un name;
    struct stat file;
    char byte = 0;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), round;
    memset(&name, 0, sizeof name);
    name.sun_family = AF_UNIX;
    sprintf(name.sun_path, "/tmp/%.60s", key);
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "path", consul_queue_serve(queue, ""));
    CHECK_ERROR(CONSUL_ERR_IO, "/no/such", consul_queue_serve(queue, "/no/such/folder"));
    CHECK_OK(consul_queue_serve(queue, name.sun_path));
    CHECK(stat(name.sun_path, &file) == 0 && (file.st_mode & 0777) == 0600);
    CHECK(connect(fd, (struct sockaddr *)&name, sizeof name) == 0);
    for (round = 0; round < 3; round++) {
        CHECK_STATUS(CONSUL_PENDING, consul_kv_get(client, key, NULL, &async, NULL));
        CHECK(recv(fd, &byte, 1, 0) == 1 && byte == 1);
        CHECK_NEXT(queue, 15, CONSUL_OK);
    }
    close(fd);
}

/* What is in flight when its client or its queue is freed. */
static void frees(void)
{
    int order;
    for (order = 0; order < 2; order++) {
        consul_client *of = consul();
        consul_queue *own = new_queue();
        consul_async async = async_of(own, 16);
        int i;
        for (i = 0; i < 5; i++)
            wait_for_news(of, &async);
        if (order == 0) {
            consul_queue_free(own);
            CHECK_STATUS(CONSUL_ERR_HANDLE, consul_kv_get(of, key, NULL, &async, NULL));
            consul_client_free(of);
            continue;
        }
        consul_client_free(of);
        for (i = 0; i < 5; i++)
            CHECK_NEXT(own, 16, CONSUL_ERR_CLOSED);
        check_empty(own);
        consul_queue_free(own);
    }
}

/* Every kind of result, by a call of its own. */
#define RESULT(what, call)                                        \
    do {                                                          \
        consul_##what *result_ = NULL;                            \
        consul_event *event_;                                     \
        CHECK_STATUS(CONSUL_PENDING, (call));                     \
        event_ = next_event(queue);                               \
        CHECK_EVENT(async.tag, CONSUL_OK, event_);                \
        CHECK_OK(consul_event_take_##what(event_, &result_));     \
        CHECK(result_ != NULL);                                   \
        consul_event_free(event_);                                \
        consul_##what##_free(result_);                            \
    } while (0)

static consul_client *encrypting(void)
{
    consul_config *config = NULL;
    consul_client *encrypting = NULL;
    CHECK_OK(consul_config_new(&config));
    CHECK_OK(consul_config_set(config, "address", consul_address()));
    CHECK_OK(consul_config_set(config, "encryption_key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
    CHECK_OK(consul_config_set(config, "encryption_prefixes", key));
    CHECK_OK(consul_client_new(config, &encrypting));
    consul_config_free(config);
    return encrypting;
}

static void every_result(void)
{
    consul_async async = async_of(queue, UINT64_MAX);
    consul_client *sealing = encrypting();
    consul_txn *txn = NULL;
    CHECK_OK(consul_txn_new(&txn));
    CHECK_OK(consul_txn_get(txn, key));
    RESULT(kv, consul_kv_list(client, key, NULL, &async, NULL));
    RESULT(reencryption, consul_kv_reencrypt(sealing, key, NULL, &async, NULL));
    RESULT(keys, consul_kv_keys(client, key, NULL, NULL, &async, NULL));
    RESULT(keys, consul_status_peers(client, NULL, &async, NULL));
    RESULT(keys, consul_catalog_datacenters(client, NULL, &async, NULL));
    RESULT(text, consul_status_leader(client, NULL, &async, NULL));
    RESULT(text, consul_session_create(client, NULL, NULL, &async, NULL));
    RESULT(txn_result, consul_txn_commit(client, txn, NULL, &async, NULL));
    RESULT(session, consul_session_start(client, NULL, false, NULL, &async, NULL));
    RESULT(sessions, consul_session_list(client, NULL, &async, NULL));
    RESULT(checks, consul_health_state(client, "any", NULL, &async, NULL));
    RESULT(checks, consul_agent_checks(client, NULL, &async, NULL));
    RESULT(nodes, consul_catalog_nodes(client, NULL, &async, NULL));
    RESULT(services, consul_agent_services(client, NULL, &async, NULL));
    RESULT(service_names, consul_catalog_services(client, NULL, &async, NULL));
    RESULT(service_entries, consul_health_service(client, "consul", true, NULL, 0, NULL, &async, NULL));
    RESULT(service_entries, consul_catalog_service(client, "consul", NULL, 0, NULL, &async, NULL));
    RESULT(agent_info, consul_agent_self(client, NULL, &async, NULL));
    RESULT(members, consul_agent_members(client, false, NULL, &async, NULL));
    RESULT(response, consul_request(client, "GET", "/v1/status/leader", NULL, 0, NULL, NULL, &async, NULL));
    consul_txn_free(txn);
    consul_client_free(sealing);
}

/* A client is closed while its host does something else; what it holds is given back. */
static void closing(void)
{
    consul_client *other = consul();
    consul_session *session = NULL;
    consul_sessions *found = NULL;
    consul_async async = async_of(queue, 18);
    char id[64];
    CHECK_OK(consul_session_start(other, NULL, false, NULL, NULL, &session));
    snprintf(id, sizeof id, "%s", consul_session_id(session));
    CHECK_STATUS(CONSUL_PENDING, consul_client_close_async(other, PATIENCE_MS, &async));
    CHECK_NEXT(queue, 18, CONSUL_OK);
    CHECK_STATUS(CONSUL_ERR_CLOSED, consul_session_list(other, NULL, NULL, &found));
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_session_info(client, id, NULL, NULL, &found));
    consul_sessions_free(found);
    /* Cancelling it ends the wait alone. */
    CHECK_STATUS(CONSUL_PENDING, consul_client_close_async(other, PATIENCE_MS, &async));
    CHECK_OK(consul_queue_cancel(queue, 18));
    consul_event_free(next_event(queue));
    check_empty(queue);
    consul_session_free(session);
    consul_client_free(other);
}

/* Results that nobody takes end with their event, and with their queue. */
static void results_left_alone(void)
{
    consul_queue *own = new_queue();
    consul_async async = async_of(own, 17);
    CHECK_STATUS(CONSUL_PENDING, consul_session_start(client, NULL, false, NULL, &async, NULL));
    CHECK_NEXT(own, 17, CONSUL_OK);
    CHECK_STATUS(CONSUL_PENDING, consul_session_start(client, NULL, false, NULL, &async, NULL));
    CHECK(readable(consul_queue_fd(own), PATIENCE_MS));
    consul_queue_free(own);
}

int main(void)
{
    client = consul();
    queue = new_queue();
    key = unique("queue");
    one_answer();
    a_result_is_the_callers();
    honest_answers();
    bad_input();
    failures();
    many_in_flight();
    the_bound();
    cancelling();
    waking();
    the_descriptor();
    the_socket();
    frees();
    every_result();
    results_left_alone();
    closing();
    CHECK_OK(consul_kv_delete_prefix(client, key, NULL, NULL));
    consul_queue_free(queue);
    consul_client_free(client);
    free(key);
    CHECK_NO_HANDLES();
    return 0;
}

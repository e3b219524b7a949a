/* How things are getting on, a program's own health, the log, and the agent in memory. */

#include "queue.h"
#include <sys/wait.h>

static const consul_progress *row(const consul_stats *stats)
{
    const consul_progress *progress = consul_stats_row(stats);
    CHECK(progress != NULL && progress->last_error != NULL);
    CHECK(strlen(progress->state) == progress->state_len);
    return progress;
}

static void stats(void)
{
    consul_client *client = consul();
    consul_session *session = NULL;
    consul_lock_spec *spec = NULL;
    consul_lock *lock = NULL;
    consul_stats *stats = NULL;
    char *key = unique("observe-lock");
    CHECK_OK(consul_session_start(client, NULL, false, NULL, NULL, &session));
    CHECK_OK(consul_session_stats(session, &stats));
    CHECK_TEXT("kept", row(stats)->state);
    CHECK(row(stats)->last_success_ms < 15000 && row(stats)->next_try_ms < 15000);
    CHECK(row(stats)->consecutive_failures == 0);
    CHECK(row(stats)->last_error->status == CONSUL_OK);
    consul_stats_free(stats);

    CHECK_OK(consul_lock_spec_new(key, &spec));
    CHECK_OK(consul_lock_spec_set_session(spec, session));
    CHECK_OK(consul_lock_new(client, spec, &lock));
    consul_lock_spec_free(spec);
    CHECK_OK(consul_lock_stats(lock, &stats));
    CHECK_TEXT("free", row(stats)->state);
    CHECK(row(stats)->last_success_ms == UINT64_MAX && row(stats)->next_try_ms == UINT64_MAX);
    consul_stats_free(stats);
    CHECK_OK(consul_lock_try_acquire(lock, NULL));
    CHECK_OK(consul_lock_stats(lock, &stats));
    CHECK_TEXT("held", row(stats)->state);
    consul_lock_free(lock);
    consul_session_free(session);
    consul_client_free(client);
    /* The answer does not need what it is about. */
    CHECK(row(stats)->last_success_ms < 15000);
    consul_stats_free(stats);
    CHECK(consul_stats_row(stats) == NULL);
    free(key);
}

static void failing_stats(void)
{
    consul_client *client = client_with("http://127.0.0.1:1", NULL, NULL);
    consul_service_spec *web = NULL;
    consul_kept_service_spec *spec = NULL;
    consul_kept_service *service = NULL;
    consul_stats *stats = NULL;
    CHECK_OK(consul_service_spec_new("web", &web));
    CHECK_OK(consul_kept_service_spec_new(web, &spec));
    CHECK_OK(consul_kept_service_new(client, spec, &service));
    CHECK_STATUS(CONSUL_ERR_CONNECT, consul_kept_service_start(service, NULL));
    CHECK_OK(consul_kept_service_stats(service, &stats));
    CHECK_TEXT("registering", row(stats)->state);
    CHECK(row(stats)->consecutive_failures > 0 && row(stats)->last_success_ms == UINT64_MAX);
    CHECK(row(stats)->last_error->status == CONSUL_ERR_CONNECT);
    CHECK(row(stats)->last_error->message_len > 0 && row(stats)->next_try_ms < 60000);
    consul_stats_free(stats);
    consul_kept_service_free(service);
    consul_kept_service_spec_free(spec);
    consul_service_spec_free(web);
    consul_client_free(client);
}

static void document(const consul_health_report *report, int32_t wanted, const char *part)
{
    consul_text *text = NULL;
    int32_t http_status = 0;
    CHECK_OK(consul_health_report_document(report, &http_status, &text));
    CHECK(http_status == wanted);
    if (strstr(consul_text_data(text), part) == NULL)
        fail(__FILE__, __LINE__, "no %s in %s", part, consul_text_data(text));
    consul_text_free(text);
}

static void health(void)
{
    consul_client *client = client_with("http://127.0.0.1:1", NULL, NULL);
    consul_health_report *report = NULL;
    consul_text *text = NULL;
    CHECK_OK(consul_health_report_new(NULL, &report));
    document(report, 200, "\"status\":\"passing\"");
    CHECK_OK(consul_health_report_set(report, "cache", "warning", "cold", 0));
    document(report, 429, "\"note\":\"cold\"");
    CHECK_OK(consul_health_report_set(report, "worker", "passing", NULL, 1));
    usleep(5000);
    document(report, 503, "\"expired\":true");
    CHECK_OK(consul_health_report_remove(report, "worker"));
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_health_report_remove(report, "worker"));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "passing, warning or critical",
                consul_health_report_set(report, "cache", "fine", NULL, 0));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "1 to 256",
                consul_health_report_set(report, "", "passing", NULL, 0));
    CHECK_OK(consul_health_report_document(report, NULL, &text));
    CHECK(strstr(consul_text_data(text), "consul") == NULL);
    consul_text_free(text);
    consul_health_report_free(report);

    CHECK_OK(consul_health_report_new(client, &report));
    document(report, 200, "\"reachable\":null");
    CHECK_STATUS(CONSUL_ERR_CONNECT, consul_status_leader(client, NULL, NULL, &text));
    document(report, 200, "\"reachable\":false");
    consul_client_free(client);
    /* It outlives its client. */
    document(report, 200, "\"endpoint\":\"http://127.0.0.1:1\"");
    consul_health_report_free(report);
}

static void a_log(void)
{
    consul_log_records *records = NULL;
    const consul_log_record *record;
    char path[] = "/tmp/consul-ffi-log-XXXXXX", line[400], old[64];
    FILE *file;
    int fd;
    /* Everything before was silent. */
    CHECK_STATUS(CONSUL_NO_CHANGE, consul_log_take(10, &records));
    CHECK(records == NULL && consul_log_dropped() == 0);
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "error, warning, info or debug", consul_log_set_level("loud"));

    CHECK_OK(consul_log_set_level("info"));
    consul_client_free(client_with("http://127.0.0.1:1", "token", "a-secret"));
    CHECK_OK(consul_log_take(1, &records));
    CHECK(consul_log_records_count(records) == 1 && consul_log_records_at(records, 1) == NULL);
    record = consul_log_records_at(records, 0);
    CHECK(record->level == CONSUL_LOG_INFO && record->time_ms > UINT64_C(1500000000000));
    CHECK_TEXT("info", record->level_name);
    CHECK_TEXT("client", record->area);
    CHECK_TEXT("opened for http://127.0.0.1:1", record->message);
    CHECK(record->message_len == strlen(record->message));
    consul_log_records_free(records);
    CHECK(consul_log_records_count(records) == 0);
    CHECK_OK(consul_log_take(10, &records));
    CHECK(strstr(consul_log_records_at(records, 0)->message, "closed") != NULL);
    consul_log_records_free(records);

    CHECK_ERROR(CONSUL_ERR_IO, "/no/such/folder/log", consul_log_set_file("/no/such/folder/log"));
    fd = mkstemp(path);
    CHECK(fd >= 0 && close(fd) == 0);
    CHECK_OK(consul_log_set_file(path));
    consul_client_free(client_with("http://127.0.0.1:1", NULL, NULL));
    CHECK_OK(consul_log_set_file(NULL));
    CHECK_STATUS(CONSUL_NO_CHANGE, consul_log_take(10, &records));
    file = fopen(path, "r");
    CHECK(file != NULL && fgets(line, sizeof line, file) != NULL);
    CHECK(strstr(line, " info client: opened for http://127.0.0.1:1\n") != NULL);
    fclose(file);

    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "max_files does nothing", consul_log_set_rotation(0, 1, 0));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "at most 1000", consul_log_set_rotation(1, 1001, 0));
    CHECK_OK(consul_log_set_rotation(1, 1, 7));
    CHECK_OK(consul_log_set_file(path));
    consul_client_free(client_with("http://127.0.0.1:1", NULL, NULL));
    CHECK_OK(consul_log_set_file(NULL));
    CHECK_OK(consul_log_set_rotation(0, 0, 0));
    snprintf(old, sizeof old, "%s.1", path);
    CHECK(unlink(path) == 0 && unlink(old) == 0);

    CHECK_OK(consul_log_set_level(NULL));
    consul_client_free(client_with("http://127.0.0.1:1", NULL, NULL));
    CHECK_STATUS(CONSUL_NO_CHANGE, consul_log_take(10, &records));
}

/* Makes a record: a client is opened, or closed. */
static void open_a_client(bool close)
{
    static consul_client *client;
    if (close)
        consul_client_free(client);
    else
        client = client_with("http://127.0.0.1:1", NULL, NULL);
}

static void log_event(consul_queue *queue, consul_status status, size_t count)
{
    consul_event *event = NULL;
    consul_log_records *records = NULL;
    CHECK_OK(consul_queue_next(queue, PATIENCE_MS, &event));
    CHECK(event != NULL && consul_event_type(event) == CONSUL_EVENT_LOG);
    CHECK(consul_event_tag(event) == 9);
    CHECK_STATUS(status, consul_event_status(event));
    CHECK(consul_event_result_type(event) == (count > 0 ? CONSUL_HANDLE_LOG_RECORDS : 0));
    if (count > 0) {
        CHECK_OK(consul_event_take_log_records(event, &records));
        CHECK(consul_log_records_count(records) == count);
        consul_log_records_free(records);
    }
    consul_event_free(event);
}

static void a_log_in_a_queue(void)
{
    consul_queue *queue = new_queue(), *other = new_queue();
    consul_log_records *records = NULL;
    uint64_t dropped;
    int i;
    CHECK_OK(consul_queue_set_max_in_flight(queue, 1));
    CHECK_OK(consul_log_set_level("info"));
    CHECK_OK(consul_log_set_queue(queue, 9));
    check_empty(queue);
    open_a_client(false);
    log_event(queue, CONSUL_OK, 1);
    check_empty(queue);
    /* One event, however much it has to say. */
    open_a_client(true);
    open_a_client(false);
    log_event(queue, CONSUL_OK, 2);
    check_empty(queue);
    /* Somebody was faster. */
    open_a_client(true);
    CHECK_OK(consul_log_take(10, &records));
    consul_log_records_free(records);
    log_event(queue, CONSUL_NO_CHANGE, 0);
    /* What nobody takes gives way. */
    dropped = consul_log_dropped();
    for (i = 0; i < 600; i++)
        open_a_client(i % 2 == 1);
    CHECK(consul_log_dropped() == dropped);
    for (i = 0; i < 600; i++)
        open_a_client(i % 2 == 1);
    CHECK(consul_log_dropped() == dropped + 1200 - 1024);
    log_event(queue, CONSUL_OK, 1024);
    check_empty(queue);
    CHECK_OK(consul_queue_cancel(queue, 9));
    log_event(queue, CONSUL_ERR_CANCELLED, 0);
    open_a_client(false);
    check_empty(queue);
    CHECK_OK(consul_log_take(10, &records));
    consul_log_records_free(records);

    /* Another queue takes its place, and what the first one has to say is left to it. */
    CHECK_OK(consul_log_set_queue(queue, 9));
    open_a_client(true);
    CHECK_OK(consul_log_set_queue(other, 9));
    log_event(queue, CONSUL_NO_CHANGE, 0);
    open_a_client(false);
    log_event(other, CONSUL_OK, 2);
    CHECK_OK(consul_log_set_queue(NULL, 0));
    open_a_client(true);
    check_empty(other);
    CHECK_OK(consul_log_set_queue(other, 9));
    consul_queue_free(other);
    open_a_client(false);
    open_a_client(true);
    CHECK_ERROR(CONSUL_ERR_HANDLE, "consul_queue", consul_log_set_queue(other, 9));
    CHECK_OK(consul_log_set_level(NULL));
    CHECK_OK(consul_log_set_queue(NULL, 0));
    CHECK_OK(consul_log_take(10, &records));
    CHECK(consul_log_records_count(records) == 3);
    consul_log_records_free(records);
    consul_queue_free(queue);
}

static void embedded(void)
{
    consul_client *client = client_with("embedded:", NULL, NULL);
    consul_client *other = client_with("http://127.0.0.1:1", NULL, NULL);
    consul_kv *kv = NULL;
    uint64_t now = 0, later = 0;
    CHECK_TEXT("embedded:", consul_client_endpoint(client));
    CHECK_OK(consul_embedded_now(client, &now));
    CHECK_OK(consul_embedded_advance(client, 60000));
    CHECK_OK(consul_embedded_now(client, &later));
    CHECK(later >= now + 60000);

    CHECK_OK(consul_embedded_fail_next(client, "/v1/kv/", 1, 500, "No cluster leader"));
    CHECK_STATUS(CONSUL_ERR_NO_LEADER, consul_kv_get(client, "a", NULL, NULL, &kv));
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_kv_get(client, "a", NULL, NULL, &kv));
    consul_kv_free(kv);
    CHECK_OK(consul_embedded_lose_answers(client, NULL, 1));
    CHECK_STATUS(CONSUL_ERR_IO, consul_kv_put(client, "a", (const uint8_t *)"1", 1, 0, NULL, NULL));
    CHECK(consul_last_error()->outcome_unknown);
    CHECK_OK(consul_embedded_no_leader(client, "/v1/session/", true));
    CHECK_OK(consul_kv_get(client, "a", NULL, NULL, &kv));
    CHECK(consul_kv_at(kv, 0)->value_len == 1);
    consul_kv_free(kv);
    CHECK_OK(consul_embedded_set_latency(client, NULL, 3600000));
    CHECK_OK(consul_embedded_reset_faults(client));
    CHECK_OK(consul_kv_get(client, "a", NULL, NULL, &kv));
    consul_kv_free(kv);

    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "400 to 599",
                consul_embedded_fail_next(client, NULL, 1, 200, NULL));
    CHECK_ERROR(CONSUL_ERR_UNSUPPORTED, "not embedded", consul_embedded_advance(other, 1));
    consul_client_free(other);
    consul_client_free(client);
}

static consul_config *config_with(const char *name, const char *value)
{
    consul_config *config = NULL;
    CHECK_OK(consul_config_new(&config));
    CHECK_OK(consul_config_set(config, name, value));
    return config;
}

/* How many lines of a file have this part; none has the secret. */
static size_t lines_with(const char *path, const char *part)
{
    char line[1000];
    size_t count = 0;
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    while (fgets(line, sizeof line, file) != NULL) {
        CHECK(strstr(line, "s3cr3t") == NULL && strchr(line, '\n') != NULL);
        count += strstr(line, part) != NULL;
    }
    fclose(file);
    return count;
}

static void audit(void)
{
    char path[] = "/tmp/consul-ffi-audit-XXXXXX";
    const uint8_t *value = (const uint8_t *)"s3cr3t";
    consul_config *config = config_with("audit_actor", "a \"program\"");
    consul_client *client = NULL;
    consul_queue *queue = NULL;
    consul_event *event = NULL;
    consul_async async;
    int fd = mkstemp(path);
    CHECK(fd >= 0 && close(fd) == 0);
    CHECK_OK(consul_config_set(config, "address", "embedded:"));
    CHECK_OK(consul_config_set(config, "token", "s3cr3t"));
    CHECK_OK(consul_config_set(config, "audit_log_max_files", "5"));
    CHECK_ERROR(CONSUL_ERR_CONFIG, "audit_log_max_bytes", consul_client_new(config, &client));
    CHECK_OK(consul_config_set(config, "audit_log_max_bytes", "1000000"));
    CHECK_OK(consul_config_set(config, "audit_log_file", path));
    CHECK_OK(consul_client_new(config, &client));
    consul_config_free(config);

    CHECK_OK(consul_kv_put(client, "a", value, 6, 0, NULL, NULL));
    CHECK_STATUS(CONSUL_CONFLICT, consul_kv_cas(client, "a", value, 6, 0, 0, NULL, NULL));
    CHECK_OK(consul_queue_new(&queue));
    async.queue = queue;
    async.tag = 1;
    CHECK_STATUS(CONSUL_PENDING, consul_kv_put(client, "b", value, 6, 0, NULL, &async));
    CHECK_OK(consul_queue_next(queue, PATIENCE_MS, &event));
    consul_event_free(event);
    consul_queue_free(queue);
    CHECK(lines_with(path, "") == 3);
    CHECK(lines_with(path, "\"actor\":\"a \\\"program\\\"\"") == 3);
    CHECK(lines_with(path, "\"path\":\"/v1/kv/a\"") == 2);
    CHECK(lines_with(path, "\"outcome\":\"refused\"") == 1);
    consul_client_free(client);
    unlink(path);
}

static void endpoints(void)
{
    char addresses[200];
    consul_client *client;
    consul_stats *stats = NULL;
    consul_keys *peers = NULL;
    sprintf(addresses, "http://127.0.0.1:1,%s", consul_address());
    client = client_with(addresses, NULL, NULL);
    CHECK(consul_client_endpoint_count(client) == 2);
    CHECK_TEXT("http://127.0.0.1:1", consul_client_endpoint(client));
    CHECK_OK(consul_status_peers(client, NULL, NULL, &peers));
    consul_keys_free(peers);
    CHECK(strcmp("http://127.0.0.1:1", consul_client_endpoint(client)) != 0);
    CHECK_OK(consul_client_endpoint_stats(client, 0, &stats));
    CHECK_TEXT("down", row(stats)->state);
    CHECK_TEXT("http://127.0.0.1:1", row(stats)->address);
    CHECK(row(stats)->requests >= 1 && row(stats)->failures >= 1 && !row(stats)->is_in_use);
    CHECK(row(stats)->last_error->status == CONSUL_ERR_CONNECT);
    CHECK(row(stats)->last_success_ms == UINT64_MAX);
    consul_stats_free(stats);
    CHECK_OK(consul_client_endpoint_stats(client, 1, &stats));
    CHECK_TEXT("up", row(stats)->state);
    CHECK(row(stats)->is_in_use && row(stats)->failures == 0);
    CHECK_TEXT(row(stats)->address, consul_client_endpoint(client));
    consul_stats_free(stats);
    CHECK(consul_client_endpoint_stats(client, 2, &stats) == CONSUL_NOT_FOUND && stats == NULL);
    consul_client_free(client);
    CHECK(consul_client_endpoint_count(client) == 0);
}

/* What is on at the only address of a client. */
static void check_usage(const consul_client *client, uint32_t in_flight, uint32_t connections)
{
    consul_stats *stats = NULL;
    CHECK_OK(consul_client_endpoint_stats(client, 0, &stats));
    CHECK(row(stats)->in_flight == in_flight);
    CHECK(row(stats)->connections == connections);
    consul_stats_free(stats);
}

/* At a server that answers when it is told to; the first to use the library. */
static void usage(void)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue";
    struct listener server = listener();
    consul_client *client = client_with(server.address, NULL, NULL);
    consul_queue *queue = new_queue();
    consul_async async = async_of(queue, 3);
    char request[1000];
    int fd, status = 0;
    pid_t pid;
    CHECK(consul_library_threads() == 0);
    check_usage(client, 0, 0);
    CHECK_STATUS(CONSUL_PENDING, consul_kv_put(client, "a", NULL, 0, 0, NULL, &async));
    fd = accept(server.fd, NULL, NULL);
    CHECK(fd >= 0 && recv(fd, request, sizeof request, 0) > 0);
    check_usage(client, 1, 1);
    CHECK(consul_library_threads() == 1);

    /* A child has none of it. */
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(consul_library_threads() == 0);
        check_usage(client, 0, 0);
        /* So that nothing looks for leaks at its end: what its parent had in flight is one. */
        execlp("true", "true", (char *)NULL);
        _exit(1);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);

    CHECK(send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) == (ssize_t)sizeof answer - 1);
    CHECK_NEXT(queue, 3, CONSUL_OK);
    check_usage(client, 0, 1);
    CHECK_OK(consul_client_close(client, PATIENCE_MS));
    check_usage(client, 0, 0);
    CHECK(recv(fd, request, sizeof request, 0) == 0);
    CHECK(consul_library_threads() == 0);
    consul_client_free(client);
    consul_queue_free(queue);
    close(fd);
    close(server.fd);
}

/* The changes of an event of this tag. */
static consul_endpoint_changes *changes_of(consul_queue *queue, uint64_t tag)
{
    consul_event *event = NULL;
    consul_endpoint_changes *changes = NULL;
    CHECK_OK(consul_queue_next(queue, PATIENCE_MS, &event));
    CHECK_EVENT(tag, CONSUL_OK, event);
    CHECK(consul_event_type(event) == CONSUL_EVENT_ENDPOINT_CHANGED);
    CHECK(consul_event_result_type(event) == CONSUL_HANDLE_ENDPOINT_CHANGES);
    CHECK_OK(consul_event_take_endpoint_changes(event, &changes));
    consul_event_free(event);
    return changes;
}

static void last_of(consul_queue *queue, uint64_t tag, consul_status status)
{
    consul_event *event = NULL;
    CHECK_OK(consul_queue_next(queue, PATIENCE_MS, &event));
    CHECK_EVENT(tag, status, event);
    CHECK(consul_event_type(event) == CONSUL_EVENT_ENDPOINT_ENDED);
    consul_event_free(event);
    check_empty(queue);
}

static void endpoints_that_change(void)
{
    char addresses[200];
    consul_client *client;
    consul_keys *peers = NULL;
    consul_queue *queue = new_queue();
    consul_endpoint_changes *changes;
    const consul_endpoint_change *change;
    sprintf(addresses, "http://127.0.0.1:1,%s", consul_address());
    client = client_with(addresses, NULL, NULL);
    CHECK_OK(consul_client_set_endpoint_queue(client, queue, 9));
    CHECK_OK(consul_status_peers(client, NULL, NULL, &peers));
    consul_keys_free(peers);
    /* That it failed and that calls go elsewhere has come together. */
    changes = changes_of(queue, 9);
    check_empty(queue);
    CHECK(consul_endpoint_changes_count(changes) == 2);
    change = consul_endpoint_changes_at(changes, 0);
    CHECK_TEXT("http://127.0.0.1:1", change->address);
    CHECK(change->address_len == strlen(change->address) && change->changes == 2);
    CHECK(change->condition == CONSUL_ENDPOINT_DOWN && !change->is_in_use);
    CHECK(change->condition_before == CONSUL_ENDPOINT_UP && change->was_in_use);
    CHECK(change->reason->status == CONSUL_ERR_CONNECT && change->reason->message_len > 0);
    change = consul_endpoint_changes_at(changes, 1);
    CHECK_TEXT(consul_address(), change->address);
    CHECK(change->condition == CONSUL_ENDPOINT_UP && change->condition_before == CONSUL_ENDPOINT_UP);
    CHECK(change->is_in_use && !change->was_in_use && change->changes == 1);
    CHECK(change->reason->status == CONSUL_OK);
    CHECK(consul_endpoint_changes_at(changes, 2) == NULL);
    consul_endpoint_changes_free(changes);

    CHECK_OK(consul_queue_cancel(queue, 9));
    last_of(queue, 9, CONSUL_ERR_CANCELLED);
    CHECK_OK(consul_client_set_endpoint_queue(client, queue, 10));
    CHECK_OK(consul_client_set_endpoint_queue(client, NULL, 0));
    check_empty(queue);
    CHECK_OK(consul_client_set_endpoint_queue(client, queue, 11));
    consul_client_free(client);
    last_of(queue, 11, CONSUL_ERR_CLOSED);
    consul_queue_free(queue);
}

/* However often it changes before somebody looks, it is one row. */
static void one_that_flaps(void)
{
    consul_client *client = client_with("embedded:", NULL, NULL);
    consul_queue *queue = new_queue();
    consul_endpoint_changes *changes;
    const consul_endpoint_change *change;
    int i;
    CHECK_OK(consul_client_set_endpoint_queue(client, queue, 1));
    for (i = 0; i < 100; i++) {
        consul_kv *kv = NULL;
        CHECK_OK(consul_embedded_fail_next(client, NULL, 1, 500, "No cluster leader"));
        CHECK_STATUS(CONSUL_ERR_NO_LEADER, consul_kv_get(client, "a", NULL, NULL, &kv));
        CHECK_OK(consul_kv_put(client, "a", NULL, 0, 0, NULL, NULL));
    }
    changes = changes_of(queue, 1);
    check_empty(queue);
    CHECK(consul_endpoint_changes_count(changes) == 1);
    change = consul_endpoint_changes_at(changes, 0);
    CHECK(change->condition == CONSUL_ENDPOINT_UP && change->condition_before == CONSUL_ENDPOINT_UP);
    CHECK(change->changes == 200 && change->reason->status == CONSUL_ERR_NO_LEADER);
    consul_endpoint_changes_free(changes);
    CHECK_OK(consul_client_close(client, 5000));
    last_of(queue, 1, CONSUL_ERR_CLOSED);
    CHECK_STATUS(CONSUL_ERR_CLOSED, consul_client_set_endpoint_queue(client, queue, 2));
    check_empty(queue);
    consul_queue_free(queue);
    consul_client_free(client);
}

static void reload(void)
{
    consul_client *client = client_with("http://127.0.0.1:1", NULL, NULL);
    const char *before = consul_client_endpoint(client);
    consul_config *config;
    consul_keys *peers = NULL;
    CHECK_STATUS(CONSUL_ERR_CONNECT, consul_status_peers(client, NULL, NULL, &peers));
    config = config_with("address", consul_address());
    CHECK_OK(consul_client_reload(client, config));
    consul_config_free(config);
    CHECK_OK(consul_status_peers(client, NULL, NULL, &peers));
    consul_keys_free(peers);
    /* What was given stays readable. */
    CHECK_TEXT("http://127.0.0.1:1", before);
    config = config_with("tls_ca_file", "/does/not/exist");
    CHECK_OK(consul_config_set(config, "address", "https://127.0.0.1:1"));
    CHECK_ERROR(CONSUL_ERR_CONFIG, "/does/not/exist", consul_client_reload(client, config));
    consul_config_free(config);
    CHECK_OK(consul_client_set_token(client, "a-token"));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "token", consul_client_set_token(client, "a\ntoken"));
    CHECK_OK(consul_client_set_token(client, NULL));
    CHECK_OK(consul_status_peers(client, NULL, NULL, &peers));
    consul_keys_free(peers);
    consul_client_free(client);
}

int main(void)
{
    usage();
    /* Before a client is freed amid what it gives back: that one tells of its end later. */
    a_log();
    a_log_in_a_queue();
    audit();
    endpoints();
    endpoints_that_change();
    one_that_flaps();
    reload();
    stats();
    failing_stats();
    health();
    embedded();
    CHECK_NO_HANDLES();
    return 0;
}

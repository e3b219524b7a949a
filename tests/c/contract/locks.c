/* A lock: acquired, contended, fenced, released, lost with its reason. A semaphore: the same for its
   slots. An election, which holds a lock. */

#include "queue.h"

static consul_client *client;
static char *key;

/* A lock on `key` with a session of its own, without lock-delay. */
static consul_lock *lock_new(const char *session_id)
{
    consul_session_spec *session = NULL;
    consul_lock_spec *spec = NULL;
    consul_lock *lock = NULL;
    CHECK_OK(consul_lock_spec_new(key, &spec));
    CHECK_OK(consul_lock_spec_set_value(spec, (const uint8_t *)"owner", 5));
    if (session_id == NULL) {
        CHECK_OK(consul_session_spec_new(&session));
        CHECK_OK(consul_session_spec_set_ttl_ms(session, 60000));
        CHECK_OK(consul_session_spec_set_lock_delay_ms(session, 0));
        CHECK_OK(consul_lock_spec_set_session_spec(spec, session));
        consul_session_spec_free(session);
    } else {
        CHECK_OK(consul_lock_spec_set_session_id(spec, session_id));
    }
    CHECK_OK(consul_lock_new(client, spec, &lock));
    consul_lock_spec_free(spec);
    return lock;
}

static void held_and_released(void)
{
    consul_lock *lock = lock_new(NULL);
    consul_text *id = NULL;
    consul_kv *kv = NULL;
    CHECK(!consul_lock_is_held(lock) && consul_lock_fencing_token(lock) == 0);
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_lock_session_id(lock, &id));
    CHECK(id == NULL);
    CHECK_STATUS(CONSUL_ERR_NOT_HELD, consul_lock_release(lock, NULL));

    CHECK_OK(consul_lock_acquire(lock, PATIENCE_MS, NULL));
    CHECK(consul_lock_is_held(lock) && consul_lock_remaining_ms(lock) > 0);
    CHECK(consul_lock_lost_reason(lock) == CONSUL_LOST_NONE);
    CHECK_STATUS(CONSUL_ERR_ALREADY_HELD, consul_lock_acquire(lock, 0, NULL));
    CHECK_STATUS(CONSUL_ERR_ALREADY_HELD, consul_lock_destroy(lock, NULL));
    CHECK_STATUS(CONSUL_NO_CHANGE, consul_lock_wait_lost(lock, 10));

    CHECK_OK(consul_lock_session_id(lock, &id));
    CHECK_OK(consul_kv_get(client, key, NULL, NULL, &kv));
    CHECK_TEXT(consul_text_data(id), consul_kv_at(kv, 0)->session);
    CHECK(consul_kv_at(kv, 0)->modify_index == consul_lock_fencing_token(lock));
    /* The official client's mark of a lock. */
    CHECK(consul_kv_at(kv, 0)->flags == UINT64_C(0x2ddccbc058a50c18));
    CHECK(memcmp(consul_kv_at(kv, 0)->value, "owner", 5) == 0);
    consul_kv_free(kv);
    consul_text_free(id);

    CHECK_OK(consul_lock_release(lock, NULL));
    CHECK(!consul_lock_is_held(lock) && consul_lock_remaining_ms(lock) == 0);
    CHECK_OK(consul_lock_destroy(lock, NULL));
    consul_lock_free(lock);
}

/* Waits in vain for what others hold, and longer where Consul takes longer to say so. */
static consul_status acquire_in_vain(const consul_lock *lock)
{
    consul_status status = CONSUL_ERR_TIMEOUT;
    uint64_t ms;
    for (ms = 100; status == CONSUL_ERR_TIMEOUT && ms < PATIENCE_MS; ms *= 2)
        status = consul_lock_acquire(lock, ms, NULL);
    return status;
}

static void contended(void)
{
    consul_lock *first = lock_new(NULL), *second = lock_new(NULL);
    consul_text *holder = NULL, *id = NULL;
    uint64_t token;
    CHECK_OK(consul_lock_try_acquire(first, NULL));
    token = consul_lock_fencing_token(first);
    CHECK_STATUS(CONSUL_HELD, consul_lock_try_acquire(second, NULL));
    CHECK_STATUS(CONSUL_HELD, acquire_in_vain(second));
    CHECK_OK(consul_lock_session_id(first, &id));
    CHECK_OK(consul_lock_holder(second, &holder));
    CHECK_TEXT(consul_text_data(id), consul_text_data(holder));
    consul_text_free(holder);
    consul_text_free(id);
    CHECK_STATUS(CONSUL_HELD, consul_lock_destroy(second, NULL));
    CHECK_OK(consul_lock_release(first, NULL));
    CHECK_OK(consul_lock_acquire(second, PATIENCE_MS, NULL));
    CHECK(consul_lock_fencing_token(second) > token);
    consul_lock_free(first);
    consul_lock_free(second);
}

static void fenced_writes(void)
{
    consul_lock *lock = lock_new(NULL);
    consul_text *id = NULL;
    char guarded[200];
    sprintf(guarded, "%.100s/guarded", key);
    CHECK_STATUS(CONSUL_ERR_NOT_HELD,
                 consul_lock_put(lock, guarded, (const uint8_t *)"1", 1, 0, NULL, NULL));
    CHECK_OK(consul_lock_acquire(lock, PATIENCE_MS, NULL));
    CHECK_OK(consul_lock_put(lock, guarded, (const uint8_t *)"1", 1, 0, NULL, NULL));
    CHECK_OK(consul_lock_session_id(lock, &id));
    CHECK_OK(consul_kv_put_held(client, guarded, (const uint8_t *)"2", 1, 0, key,
                                consul_text_data(id), NULL, NULL));
    CHECK_OK(consul_lock_release(lock, NULL));
    CHECK_STATUS(CONSUL_CONFLICT, consul_kv_put_held(client, guarded, (const uint8_t *)"3", 1, 0,
                                                     key, consul_text_data(id), NULL, NULL));
    consul_text_free(id);
    consul_lock_free(lock);
}

static void lost(void)
{
    consul_lock *lock = lock_new(NULL);
    consul_text *id = NULL;
    CHECK_OK(consul_lock_acquire(lock, PATIENCE_MS, NULL));
    CHECK_OK(consul_lock_session_id(lock, &id));
    CHECK_OK(consul_session_destroy(client, consul_text_data(id), NULL, NULL));
    CHECK_STATUS(CONSUL_ERR_LOCK_LOST, consul_lock_wait_lost(lock, PATIENCE_MS));
    CHECK(!consul_lock_is_held(lock));
    CHECK(consul_lock_lost_reason(lock) != CONSUL_LOST_NONE);
    CHECK_STATUS(CONSUL_ERR_LOCK_LOST, consul_lock_release(lock, NULL));
    consul_text_free(id);

    CHECK_OK(consul_lock_acquire(lock, PATIENCE_MS, NULL));
    CHECK(consul_lock_lost_reason(lock) == CONSUL_LOST_NONE);
    CHECK_OK(consul_kv_delete(client, key, NULL, NULL));
    CHECK_STATUS(CONSUL_ERR_LOCK_LOST, consul_lock_wait_lost(lock, PATIENCE_MS));
    CHECK(consul_lock_lost_reason(lock) == CONSUL_LOST_KEY_DELETED);
    consul_lock_free(lock);
}

/* Waits for a loss that end in a queue: by the loss, by their time, by a cancellation, at once. */
static void awaited_losses(void)
{
    consul_queue *queue = new_queue();
    consul_async async = async_of(queue, 1);
    consul_lock *lock = lock_new(NULL);
    CHECK_STATUS(CONSUL_PENDING, consul_lock_wait_lost_async(lock, -1, &async));
    CHECK_NEXT(queue, 1, CONSUL_ERR_NOT_HELD);
    CHECK_OK(consul_lock_acquire(lock, 5000, NULL));
    CHECK_STATUS(CONSUL_PENDING, consul_lock_wait_lost_async(lock, 10, &async));
    CHECK_NEXT(queue, 1, CONSUL_NO_CHANGE);
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "timeout_ms", consul_lock_wait_lost_async(lock, -2, &async));

    CHECK_STATUS(CONSUL_PENDING, consul_lock_wait_lost_async(lock, -1, &async));
    CHECK_OK(consul_queue_cancel(queue, 1));
    CHECK_NEXT(queue, 1, CONSUL_ERR_CANCELLED);
    CHECK_STATUS(CONSUL_PENDING, consul_lock_wait_lost_async(lock, -1, &async));
    CHECK_OK(consul_lock_stop(lock));
    CHECK_NEXT(queue, 1, CONSUL_ERR_CANCELLED);
    CHECK(consul_lock_is_held(lock));
    CHECK_STATUS(CONSUL_PENDING, consul_lock_wait_lost_async(lock, -1, &async));
    CHECK_OK(consul_kv_delete(client, key, NULL, NULL));
    CHECK_NEXT(queue, 1, CONSUL_ERR_LOCK_LOST);
    CHECK(consul_lock_lost_reason(lock) == CONSUL_LOST_KEY_DELETED);

    CHECK_OK(consul_lock_acquire(lock, 5000, NULL));
    CHECK_STATUS(CONSUL_PENDING, consul_lock_wait_lost_async(lock, -1, &async));
    consul_lock_free(lock);
    CHECK_NEXT(queue, 1, CONSUL_ERR_CANCELLED);
    check_empty(queue);
    consul_queue_free(queue);
}

/* The next event is one of a loss, or the last of its tag. */
static void loss_event(consul_queue *queue, int32_t type, uint64_t tag, consul_status status)
{
    consul_event *event = NULL;
    CHECK_OK(consul_queue_next(queue, PATIENCE_MS, &event));
    CHECK(event != NULL && consul_event_type(event) == type);
    CHECK_EVENT(tag, status, event);
    CHECK(consul_event_result_type(event) == 0);
    consul_event_free(event);
}

static void losses_of_a_session(consul_queue *queue)
{
    consul_client *other = consul();
    consul_session_spec *session_spec = NULL;
    consul_session *session = NULL;
    consul_lock_spec *spec = NULL;
    consul_lock *lock = NULL;
    consul_event *event = NULL;
    int i, seen = 0;
    CHECK_OK(consul_session_spec_new(&session_spec));
    CHECK_OK(consul_session_spec_set_lock_delay_ms(session_spec, 0));
    CHECK_OK(consul_session_start(client, session_spec, false, NULL, NULL, &session));
    consul_session_spec_free(session_spec);
    CHECK_OK(consul_lock_spec_new(key, &spec));
    CHECK_OK(consul_lock_spec_set_session(spec, session));
    CHECK_OK(consul_lock_new(client, spec, &lock));
    consul_lock_spec_free(spec);
    CHECK_OK(consul_session_set_queue(session, queue, 1));
    CHECK_OK(consul_lock_set_queue(lock, queue, 2));
    CHECK_OK(consul_lock_acquire(lock, PATIENCE_MS, NULL));
    check_empty(queue);

    /* Somebody else destroys it: both tell, though nobody asks them. */
    CHECK_OK(consul_session_destroy(other, consul_session_id(session), NULL, NULL));
    for (i = 0; i < 2; i++) {
        CHECK_OK(consul_queue_next(queue, PATIENCE_MS, &event));
        if (consul_event_type(event) == CONSUL_EVENT_SESSION_LOST) {
            CHECK_EVENT(1, CONSUL_ERR_SESSION_INVALID, event);
            seen |= 1;
        } else {
            CHECK(consul_event_type(event) == CONSUL_EVENT_LOCK_LOST);
            CHECK_EVENT(2, CONSUL_ERR_LOCK_LOST, event);
            CHECK(strstr(consul_event_error(event)->message, "session ended") != NULL);
            seen |= 2;
        }
        consul_event_free(event);
    }
    CHECK(seen == 3);
    CHECK(consul_lock_lost_reason(lock) == CONSUL_LOST_SESSION_INVALID);
    check_empty(queue);

    /* Who comes late is told at once; the place under the old tag is free without a word. */
    CHECK_OK(consul_session_set_queue(session, queue, 3));
    loss_event(queue, CONSUL_EVENT_SESSION_LOST, 3, CONSUL_ERR_SESSION_INVALID);
    CHECK_OK(consul_lock_set_queue(lock, queue, 4));
    loss_event(queue, CONSUL_EVENT_LOCK_LOST, 4, CONSUL_ERR_LOCK_LOST);
    CHECK_OK(consul_session_stop(session));
    loss_event(queue, CONSUL_EVENT_SESSION_LOST, 3, CONSUL_ERR_CANCELLED);
    consul_lock_free(lock);
    loss_event(queue, CONSUL_EVENT_LOCK_LOST, 4, CONSUL_ERR_CANCELLED);
    consul_session_free(session);
    check_empty(queue);

    /* What this program ends is not lost. */
    CHECK_OK(consul_session_start(client, NULL, false, NULL, NULL, &session));
    CHECK_OK(consul_session_set_queue(session, queue, 5));
    CHECK_OK(consul_session_destroy(client, consul_session_id(session), NULL, NULL));
    loss_event(queue, CONSUL_EVENT_SESSION_LOST, 5, CONSUL_ERR_CANCELLED);
    consul_session_free(session);
    check_empty(queue);
    consul_client_free(other);
}

static void losses_of_a_lock(consul_queue *queue)
{
    consul_lock *lock = lock_new(NULL);
    consul_queue *other = new_queue();
    CHECK_OK(consul_lock_set_queue(lock, queue, 6));
    CHECK_OK(consul_lock_acquire(lock, PATIENCE_MS, NULL));
    CHECK_OK(consul_lock_release(lock, NULL));
    check_empty(queue);
    CHECK_OK(consul_lock_acquire(lock, PATIENCE_MS, NULL));
    CHECK_OK(consul_kv_delete(client, key, NULL, NULL));
    loss_event(queue, CONSUL_EVENT_LOCK_LOST, 6, CONSUL_ERR_LOCK_LOST);
    CHECK(consul_lock_lost_reason(lock) == CONSUL_LOST_KEY_DELETED);
    /* It can be lost again. */
    CHECK_OK(consul_lock_acquire(lock, PATIENCE_MS, NULL));
    CHECK_OK(consul_kv_delete(client, key, NULL, NULL));
    loss_event(queue, CONSUL_EVENT_LOCK_LOST, 6, CONSUL_ERR_LOCK_LOST);

    CHECK_OK(consul_lock_acquire(lock, PATIENCE_MS, NULL));
    CHECK_OK(consul_queue_cancel(queue, 6));
    loss_event(queue, CONSUL_EVENT_LOCK_LOST, 6, CONSUL_ERR_CANCELLED);
    CHECK_OK(consul_lock_set_queue(lock, queue, 7));
    CHECK_OK(consul_lock_set_queue(lock, NULL, 0));
    CHECK_OK(consul_lock_set_queue(lock, other, 8));
    consul_queue_free(other);
    CHECK_ERROR(CONSUL_ERR_HANDLE, "consul_queue", consul_lock_set_queue(lock, other, 8));
    CHECK_OK(consul_kv_delete(client, key, NULL, NULL));
    CHECK_STATUS(CONSUL_ERR_LOCK_LOST, consul_lock_wait_lost(lock, PATIENCE_MS));
    consul_lock_free(lock);
    check_empty(queue);
}

static void losses_in_a_queue(void)
{
    consul_queue *queue = new_queue();
    CHECK_ERROR(CONSUL_ERR_HANDLE, "consul_lock", consul_lock_set_queue(NULL, queue, 1));
    CHECK_ERROR(CONSUL_ERR_HANDLE, "consul_session", consul_session_set_queue(NULL, queue, 1));
    losses_of_a_session(queue);
    losses_of_a_lock(queue);
    consul_queue_free(queue);
}

static void conflicts(void)
{
    consul_lock *lock;
    CHECK_OK(consul_kv_put(client, key, (const uint8_t *)"data", 4, 7, NULL, NULL));
    lock = lock_new(NULL);
    CHECK_ERROR(CONSUL_ERR_LOCK_CONFLICT, "7", consul_lock_try_acquire(lock, NULL));
    CHECK_STATUS(CONSUL_ERR_LOCK_CONFLICT, consul_lock_destroy(lock, NULL));
    consul_lock_free(lock);
    CHECK_OK(consul_kv_delete(client, key, NULL, NULL));

    lock = lock_new("00000000-0000-0000-0000-000000000000");
    CHECK_STATUS(CONSUL_ERR_SESSION_INVALID, consul_lock_try_acquire(lock, NULL));
    consul_lock_free(lock);
}

/* A closed client releases what it holds; its locks say why they are gone. */
static void closed(void)
{
    consul_client *other = client;
    consul_queue *queue = new_queue();
    consul_lock *lock;
    consul_kv *kv = NULL;
    client = consul();
    lock = lock_new(NULL);
    CHECK_OK(consul_lock_acquire(lock, PATIENCE_MS, NULL));
    CHECK_OK(consul_lock_set_queue(lock, queue, 1));
    CHECK_OK(consul_client_close(client, PATIENCE_MS));
    CHECK(!consul_lock_is_held(lock));
    loss_event(queue, CONSUL_EVENT_LOCK_LOST, 1, CONSUL_ERR_LOCK_LOST);
    loss_event(queue, CONSUL_EVENT_LOCK_LOST, 1, CONSUL_ERR_CLOSED);
    CHECK(consul_lock_lost_reason(lock) == CONSUL_LOST_CLOSED);
    CHECK_STATUS(CONSUL_ERR_CLOSED, consul_lock_set_queue(lock, queue, 2));
    check_empty(queue);
    consul_queue_free(queue);
    CHECK_STATUS(CONSUL_ERR_CLOSED, consul_lock_acquire(lock, 0, NULL));
    CHECK_STATUS(CONSUL_ERR_CLOSED, consul_kv_get(client, key, NULL, NULL, &kv));
    consul_client_free(client);
    consul_lock_free(lock);
    client = other;
    CHECK_OK(consul_kv_get(client, key, NULL, NULL, &kv));
    CHECK(consul_kv_at(kv, 0)->session_len == 0);
    consul_kv_free(kv);
}

/* A semaphore at `key` with a session of its own, or a borrowed one. */
static consul_semaphore *semaphore_new(uint64_t limit, const consul_session *borrowed,
                                       const char *session_id)
{
    consul_session_spec *session = NULL;
    consul_semaphore_spec *spec = NULL;
    consul_semaphore *semaphore = NULL;
    CHECK_OK(consul_semaphore_spec_new(key, limit, &spec));
    CHECK_OK(consul_semaphore_spec_set_value(spec, (const uint8_t *)"owner", 5));
    CHECK_OK(consul_semaphore_spec_set_monitor_retry_ms(spec, 50000));
    CHECK_OK(consul_semaphore_spec_set_options(spec, NULL));
    CHECK_OK(consul_session_spec_new(&session));
    CHECK_OK(consul_session_spec_set_ttl_ms(session, 60000));
    CHECK_OK(consul_semaphore_spec_set_session_spec(spec, session));
    consul_session_spec_free(session);
    if (borrowed != NULL)
        CHECK_OK(consul_semaphore_spec_set_session(spec, borrowed));
    if (session_id != NULL)
        CHECK_OK(consul_semaphore_spec_set_session_id(spec, session_id));
    CHECK_OK(consul_semaphore_new(client, spec, &semaphore));
    consul_semaphore_spec_free(spec);
    return semaphore;
}

static consul_status slot_in_vain(const consul_semaphore *semaphore)
{
    consul_status status = CONSUL_ERR_TIMEOUT;
    uint64_t ms;
    for (ms = 50; status == CONSUL_ERR_TIMEOUT && ms < PATIENCE_MS; ms *= 2)
        status = consul_semaphore_acquire(semaphore, ms, NULL);
    return status;
}

static void slots(void)
{
    consul_semaphore *first = semaphore_new(2, NULL, NULL), *second, *third;
    consul_session *session = NULL;
    consul_keys *holders = NULL;
    consul_stats *stats = NULL;
    consul_text *id = NULL;
    CHECK_OK(consul_session_start(client, NULL, false, NULL, NULL, &session));
    second = semaphore_new(2, session, NULL);
    third = semaphore_new(2, NULL, NULL);
    CHECK_STATUS(CONSUL_ERR_NOT_HELD, consul_semaphore_release(first, NULL));
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_semaphore_session_id(first, &id));
    CHECK_OK(consul_semaphore_acquire(first, PATIENCE_MS, NULL));
    CHECK(consul_semaphore_is_held(first) && consul_semaphore_remaining_ms(first) > 0);
    CHECK(consul_semaphore_lost_reason(first) == CONSUL_LOST_NONE);
    CHECK_STATUS(CONSUL_ERR_ALREADY_HELD, consul_semaphore_acquire(first, 0, NULL));
    CHECK_STATUS(CONSUL_NO_CHANGE, consul_semaphore_wait_lost(first, 10));
    CHECK_OK(consul_semaphore_try_acquire(second, NULL));
    CHECK_OK(consul_semaphore_session_id(second, &id));
    CHECK_TEXT(consul_session_id(session), consul_text_data(id));
    consul_text_free(id);
    CHECK_STATUS(CONSUL_HELD, consul_semaphore_try_acquire(third, NULL));
    CHECK_STATUS(CONSUL_HELD, slot_in_vain(third));
    CHECK_STATUS(CONSUL_HELD, consul_semaphore_destroy(third, NULL));
    CHECK_OK(consul_semaphore_holders(third, &holders));
    CHECK(consul_keys_count(holders) == 2 && consul_keys_at(holders, 2) == NULL);
    consul_keys_free(holders);
    CHECK_OK(consul_semaphore_stats(first, &stats));
    CHECK_TEXT("held", consul_stats_row(stats)->state);
    consul_stats_free(stats);
    CHECK_OK(consul_semaphore_release(first, NULL));
    CHECK_OK(consul_semaphore_acquire(third, PATIENCE_MS, NULL));
    CHECK_OK(consul_semaphore_stop(third));
    CHECK(consul_semaphore_is_held(third));
    /* Freed, both are given back in the background. */
    consul_semaphore_free(second);
    consul_semaphore_free(third);
    CHECK_OK(consul_semaphore_acquire(first, PATIENCE_MS, NULL));
    consul_session_free(session);
    CHECK_OK(consul_semaphore_release(first, NULL));
    consul_semaphore_free(first);
}

/* By the queue: acquired, contended, lost and ended. */
static void slots_in_a_queue(void)
{
    consul_queue *queue = new_queue();
    consul_semaphore *held = semaphore_new(2, NULL, NULL), *other;
    consul_async async = async_of(queue, 1);
    consul_text *id = NULL;
    CHECK_ERROR(CONSUL_ERR_HANDLE, "consul_semaphore", consul_semaphore_set_queue(NULL, queue, 1));
    CHECK_STATUS(CONSUL_PENDING, consul_semaphore_acquire(held, PATIENCE_MS, &async));
    CHECK_NEXT(queue, 1, CONSUL_OK);
    CHECK_OK(consul_semaphore_session_id(held, &id));
    other = semaphore_new(2, NULL, consul_text_data(id));
    CHECK_STATUS(CONSUL_PENDING, consul_semaphore_release(other, &async));
    CHECK_NEXT(queue, 1, CONSUL_ERR_NOT_HELD);
    CHECK_OK(consul_semaphore_set_queue(held, queue, 7));
    CHECK_OK(consul_session_destroy(client, consul_text_data(id), NULL, NULL));
    loss_event(queue, CONSUL_EVENT_LOCK_LOST, 7, CONSUL_ERR_LOCK_LOST);
    CHECK(consul_semaphore_lost_reason(held) == CONSUL_LOST_SESSION_INVALID);
    CHECK_ERROR(CONSUL_ERR_LOCK_LOST, "semaphore", consul_semaphore_wait_lost(held, 0));
    CHECK_STATUS(CONSUL_PENDING, consul_semaphore_wait_lost_async(held, -1, &async));
    CHECK_NEXT(queue, 1, CONSUL_ERR_LOCK_LOST);
    consul_text_free(id);
    consul_semaphore_free(held);
    loss_event(queue, CONSUL_EVENT_LOCK_LOST, 7, CONSUL_ERR_CANCELLED);
    CHECK_STATUS(CONSUL_ERR_SESSION_INVALID, consul_semaphore_try_acquire(other, NULL));
    consul_semaphore_free(other);
    check_empty(queue);
    consul_queue_free(queue);
}

/* A candidate of this value, or an observer for NULL. */
static consul_election *election_new(const char *value)
{
    consul_election_spec *spec = NULL;
    consul_election *election = NULL;
    CHECK_OK(consul_election_spec_new(key, &spec));
    if (value == NULL)
        CHECK_OK(consul_election_spec_set_observe_only(spec, true));
    else
        CHECK_OK(consul_election_spec_set_value(spec, (const uint8_t *)value, strlen(value)));
    CHECK_OK(consul_election_spec_set_session_ttl_ms(spec, 60000));
    CHECK_OK(consul_election_spec_set_lock_delay_ms(spec, 0));
    CHECK_OK(consul_election_start(client, spec, &election));
    consul_election_spec_free(spec);
    return election;
}

/* Waits until this one sees this leader, or nobody for NULL. */
static void sees(const consul_election *election, const char *value)
{
    consul_leader *leader = NULL;
    uint64_t version = 0;
    bool seen = false;
    while (!seen) {
        const consul_leadership *row;
        CHECK_OK(consul_election_wait_change(election, version, PATIENCE_MS, &leader));
        row = consul_leader_row(leader);
        version = row->version;
        seen = value == NULL ? !row->is_present
                             : row->is_present && row->value_len == strlen(value) &&
                                   memcmp(row->value, value, row->value_len) == 0;
        CHECK(row->is_present == (row->session_len > 0));
        CHECK(row->is_present == (row->modify_index > 0));
        consul_leader_free(leader);
    }
}

static void elected_and_resigned(void)
{
    consul_election *one = election_new("one"), *observer = election_new(NULL), *two;
    consul_leader *leader = NULL;
    consul_stats *stats = NULL;
    consul_text *id = NULL;
    uint64_t token;
    CHECK_OK(consul_election_wait_elected(one, PATIENCE_MS));
    CHECK(consul_election_is_leader(one) && consul_election_remaining_ms(one) > 0);
    CHECK_OK(consul_election_leader(one, &leader));
    CHECK(consul_leader_row(leader)->is_present && consul_leader_row(leader)->is_self);
    CHECK_OK(consul_election_session_id(one, &id));
    CHECK_TEXT(consul_text_data(id), consul_leader_row(leader)->session);
    consul_leader_free(leader);
    consul_text_free(id);
    CHECK_OK(consul_election_stats(one, &stats));
    CHECK_TEXT("leading", consul_stats_row(stats)->state);
    consul_stats_free(stats);
    token = consul_election_fencing_token(one);
    CHECK(token > 0);
    sees(observer, "one");

    two = election_new("two");
    CHECK_OK(consul_election_wait_leader(two, PATIENCE_MS, &leader));
    CHECK(consul_leader_row(leader)->is_present && !consul_leader_row(leader)->is_self);
    CHECK(consul_leader_row(leader)->modify_index == token && consul_leader_row(leader)->node_len > 0);
    consul_leader_free(leader);
    CHECK_STATUS(CONSUL_NO_CHANGE, consul_election_wait_elected(two, 0));
    CHECK_OK(consul_election_set_value(one, (const uint8_t *)"changed", 7, NULL));
    sees(observer, "changed");
    CHECK(consul_election_is_leader(one) && consul_election_fencing_token(one) == token);

    CHECK_OK(consul_election_resign(one, NULL));
    CHECK(!consul_election_is_leader(one) && consul_election_remaining_ms(one) == 0);
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_election_session_id(one, &id));
    CHECK_OK(consul_election_wait_elected(two, PATIENCE_MS));
    CHECK(consul_election_fencing_token(two) > token);
    sees(observer, "two");
    CHECK_OK(consul_election_resign(one, NULL));
    CHECK_OK(consul_election_campaign(one));
    consul_election_free(two);
    CHECK_OK(consul_election_wait_elected(one, PATIENCE_MS));
    consul_election_free(one);
    sees(observer, NULL);
    consul_election_free(observer);
}

/* Takes events of the election until one of this type comes. */
static void election_event(consul_queue *queue, int32_t type, consul_status status)
{
    consul_event *event = NULL;
    int32_t seen = 0;
    while (seen != type) {
        CHECK_OK(consul_queue_next(queue, PATIENCE_MS, &event));
        CHECK(event != NULL && consul_event_result_type(event) == 0);
        seen = consul_event_type(event);
        CHECK(seen == type || seen == CONSUL_EVENT_ELECTION_CHANGED);
        if (seen == type)
            CHECK_EVENT(7, status, event);
        consul_event_free(event);
    }
}

static void elections_in_a_queue(void)
{
    consul_queue *queue = new_queue();
    consul_election *election = election_new("one");
    consul_async async = {queue, 8};
    consul_event *event = NULL;
    bool resigned = false;
    CHECK_ERROR(CONSUL_ERR_HANDLE, "consul_election", consul_election_set_queue(NULL, queue, 7));
    CHECK_OK(consul_election_set_queue(election, queue, 7));
    election_event(queue, CONSUL_EVENT_ELECTION_WON, CONSUL_OK);
    CHECK_OK(consul_kv_delete(client, key, NULL, NULL));
    election_event(queue, CONSUL_EVENT_ELECTION_LOST, CONSUL_ERR_LOCK_LOST);
    election_event(queue, CONSUL_EVENT_ELECTION_WON, CONSUL_OK);

    CHECK_STATUS(CONSUL_PENDING, consul_election_resign(election, &async));
    while (!resigned) {
        CHECK_OK(consul_queue_next(queue, PATIENCE_MS, &event));
        if (consul_event_type(event) == CONSUL_EVENT_DONE) {
            CHECK_EVENT(8, CONSUL_OK, event);
            resigned = true;
        }
        consul_event_free(event);
    }
    CHECK(!consul_election_is_leader(election));
    /* A resignation is no loss. */
    consul_election_free(election);
    election_event(queue, CONSUL_EVENT_ELECTION_ENDED, CONSUL_ERR_CANCELLED);
    check_empty(queue);
    consul_queue_free(queue);
}

/* Who leads, as an event of this tag gives it. */
static consul_leader *leader_of(consul_queue *queue, uint64_t tag)
{
    consul_leader *leader = NULL;
    consul_event *event = next_event(queue);
    CHECK_EVENT(tag, CONSUL_OK, event);
    CHECK_OK(consul_event_take_leader(event, &leader));
    consul_event_free(event);
    return leader;
}

static void awaited_elections(void)
{
    consul_queue *queue = new_queue();
    consul_async async = async_of(queue, 3);
    consul_election *one = election_new("one"), *observer = election_new(NULL);
    consul_leader *leader;
    uint64_t version;
    CHECK_STATUS(CONSUL_PENDING, consul_election_wait_elected_async(one, -1, &async));
    CHECK_NEXT(queue, 3, CONSUL_OK);
    CHECK_STATUS(CONSUL_PENDING, consul_election_wait_leader_async(observer, -1, &async, NULL));
    leader = leader_of(queue, 3);
    CHECK(consul_leader_row(leader)->is_present);
    version = consul_leader_row(leader)->version;
    consul_leader_free(leader);
    CHECK_STATUS(CONSUL_PENDING,
                 consul_election_wait_change_async(observer, version, -1, &async, NULL));
    CHECK_OK(consul_election_resign(one, NULL));
    leader = leader_of(queue, 3);
    CHECK(consul_leader_row(leader)->version > version);
    consul_leader_free(leader);
    CHECK_STATUS(CONSUL_PENDING, consul_election_wait_elected_async(one, 10, &async));
    CHECK_NEXT(queue, 3, CONSUL_NO_CHANGE);
    CHECK_STATUS(CONSUL_PENDING, consul_election_wait_elected_async(one, -1, &async));
    consul_election_free(one);
    CHECK_NEXT(queue, 3, CONSUL_ERR_CANCELLED);
    consul_election_free(observer);
    check_empty(queue);
    consul_queue_free(queue);
}

static void limits(void)
{
    consul_semaphore_spec *spec = NULL;
    consul_semaphore *semaphore = semaphore_new(3, NULL, NULL);
    CHECK_ERROR(CONSUL_ERR_LIMIT_CONFLICT, "limit 2 at Consul, not 3",
                consul_semaphore_try_acquire(semaphore, NULL));
    CHECK_OK(consul_semaphore_destroy(semaphore, NULL));
    CHECK_OK(consul_semaphore_try_acquire(semaphore, NULL));
    CHECK_STATUS(CONSUL_ERR_ALREADY_HELD, consul_semaphore_destroy(semaphore, NULL));
    CHECK_OK(consul_semaphore_release(semaphore, NULL));
    CHECK_OK(consul_semaphore_destroy(semaphore, NULL));
    consul_semaphore_free(semaphore);
    semaphore = NULL;
    CHECK_OK(consul_semaphore_spec_new(key, 0, &spec));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "limit", consul_semaphore_new(client, spec, &semaphore));
    CHECK(semaphore == NULL);
    consul_semaphore_spec_free(spec);
}

/* What is freed before its client is given back, though nobody closes that: others have it at once, and
   not after the TTL of a minute. */
static void freed_before_their_client(void)
{
    consul_client *other = client;
    consul_lock *lock;
    consul_semaphore *semaphore;
    consul_election *election;

    client = consul();
    lock = lock_new(NULL);
    CHECK_OK(consul_lock_acquire(lock, PATIENCE_MS, NULL));
    consul_lock_free(lock);
    consul_client_free(client);
    client = other;
    lock = lock_new(NULL);
    CHECK_OK(consul_lock_acquire(lock, PATIENCE_MS, NULL));
    CHECK_OK(consul_lock_release(lock, NULL));
    CHECK_OK(consul_lock_destroy(lock, NULL));
    consul_lock_free(lock);

    client = consul();
    semaphore = semaphore_new(1, NULL, NULL);
    CHECK_OK(consul_semaphore_acquire(semaphore, PATIENCE_MS, NULL));
    consul_semaphore_free(semaphore);
    consul_client_free(client);
    client = other;
    semaphore = semaphore_new(1, NULL, NULL);
    CHECK_OK(consul_semaphore_acquire(semaphore, PATIENCE_MS, NULL));
    CHECK_OK(consul_semaphore_release(semaphore, NULL));
    CHECK_OK(consul_semaphore_destroy(semaphore, NULL));
    consul_semaphore_free(semaphore);

    client = consul();
    election = election_new("first");
    sees(election, "first");
    consul_election_free(election);
    consul_client_free(client);
    client = other;
    election = election_new("second");
    sees(election, "second");
    CHECK_OK(consul_election_resign(election, NULL));
    consul_election_free(election);
}

int main(void)
{
    client = consul();
    key = unique("locks");
    held_and_released();
    contended();
    fenced_writes();
    lost();
    awaited_losses();
    losses_in_a_queue();
    closed();
    freed_before_their_client();
    CHECK_OK(consul_kv_delete(client, key, NULL, NULL));
    conflicts();
    slots();
    slots_in_a_queue();
    limits();
    elected_and_resigned();
    elections_in_a_queue();
    awaited_elections();
    CHECK_OK(consul_kv_delete(client, key, NULL, NULL));
    consul_client_free(client);
    free(key);
    CHECK_NO_HANDLES();
    return 0;
}

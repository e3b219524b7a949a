/* A lock: acquired, contended, fenced, released, lost with its reason. */

#include "support.h"

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
        CHECK_OK(consul_session_spec_set_ttl_ms(session, 10000));
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

    CHECK_OK(consul_lock_acquire(lock, 5000, NULL));
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

static void contended(void)
{
    consul_lock *first = lock_new(NULL), *second = lock_new(NULL);
    consul_text *holder = NULL, *id = NULL;
    uint64_t token;
    CHECK_OK(consul_lock_try_acquire(first, NULL));
    token = consul_lock_fencing_token(first);
    CHECK_STATUS(CONSUL_HELD, consul_lock_try_acquire(second, NULL));
    CHECK_STATUS(CONSUL_HELD, consul_lock_acquire(second, 100, NULL));
    CHECK_OK(consul_lock_session_id(first, &id));
    CHECK_OK(consul_lock_holder(second, &holder));
    CHECK_TEXT(consul_text_data(id), consul_text_data(holder));
    consul_text_free(holder);
    consul_text_free(id);
    CHECK_STATUS(CONSUL_HELD, consul_lock_destroy(second, NULL));
    CHECK_OK(consul_lock_release(first, NULL));
    CHECK_OK(consul_lock_acquire(second, 5000, NULL));
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
    CHECK_OK(consul_lock_acquire(lock, 5000, NULL));
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
    CHECK_OK(consul_lock_acquire(lock, 5000, NULL));
    CHECK_OK(consul_lock_session_id(lock, &id));
    CHECK_OK(consul_session_destroy(client, consul_text_data(id), NULL, NULL));
    CHECK_STATUS(CONSUL_ERR_LOCK_LOST, consul_lock_wait_lost(lock, 20000));
    CHECK(!consul_lock_is_held(lock));
    CHECK(consul_lock_lost_reason(lock) != CONSUL_LOST_NONE);
    CHECK_STATUS(CONSUL_ERR_LOCK_LOST, consul_lock_release(lock, NULL));
    consul_text_free(id);

    CHECK_OK(consul_lock_acquire(lock, 5000, NULL));
    CHECK(consul_lock_lost_reason(lock) == CONSUL_LOST_NONE);
    CHECK_OK(consul_kv_delete(client, key, NULL, NULL));
    CHECK_STATUS(CONSUL_ERR_LOCK_LOST, consul_lock_wait_lost(lock, 20000));
    CHECK(consul_lock_lost_reason(lock) == CONSUL_LOST_KEY_DELETED);
    consul_lock_free(lock);
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
    consul_lock *lock;
    consul_kv *kv = NULL;
    client = consul();
    lock = lock_new(NULL);
    CHECK_OK(consul_lock_acquire(lock, 5000, NULL));
    CHECK_OK(consul_client_close(client, 10000));
    CHECK(!consul_lock_is_held(lock));
    CHECK_STATUS(CONSUL_ERR_CLOSED, consul_lock_acquire(lock, 0, NULL));
    CHECK_STATUS(CONSUL_ERR_CLOSED, consul_kv_get(client, key, NULL, NULL, &kv));
    consul_client_free(client);
    consul_lock_free(lock);
    client = other;
    CHECK_OK(consul_kv_get(client, key, NULL, NULL, &kv));
    CHECK(consul_kv_at(kv, 0)->session_len == 0);
    consul_kv_free(kv);
}

int main(void)
{
    client = consul();
    key = unique("locks");
    held_and_released();
    contended();
    fenced_writes();
    lost();
    closed();
    CHECK_OK(consul_kv_delete(client, key, NULL, NULL));
    conflicts();
    consul_client_free(client);
    free(key);
    CHECK_NO_HANDLES();
    return 0;
}

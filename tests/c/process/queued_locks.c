/* Locks that are acquired through a queue: any number may wait with a few threads, one has it at a
 * time, and each acquire ends with one event, however it ends. */

#include "lock.h"
#include "queue.h"
#include "sockets.h"

static consul_client *client;
static consul_queue *queue;

/* Waits in vain for what others hold, and longer where Consul takes longer to say so. */
static void in_vain(consul_lock *lock, const consul_async *async)
{
    consul_status status = CONSUL_ERR_TIMEOUT;
    uint64_t ms;
    for (ms = 100; status == CONSUL_ERR_TIMEOUT && ms < PATIENCE_MS; ms *= 2) {
        consul_event *event;
        CHECK_STATUS(CONSUL_PENDING, consul_lock_acquire(lock, ms, async));
        event = next_event(queue);
        status = consul_event_status(event);
        CHECK_EVENT(async->tag, status, event);
        consul_event_free(event);
    }
    CHECK_STATUS(CONSUL_HELD, status);
}

/* What a blocking acquire says of a lock, an asynchronous one says too. */
static void one_after_the_other(void)
{
    char *key = unique("queued");
    consul_lock *lock = lock_of(client, key), *other = lock_of(client, key);
    consul_async async = async_of(queue, 1), second = async_of(queue, 2);
    CHECK_STATUS(CONSUL_PENDING, consul_lock_acquire(lock, PATIENCE_MS, &async));
    CHECK_NEXT(queue, 1, CONSUL_OK);
    CHECK(consul_lock_is_held(lock) && consul_lock_fencing_token(lock) > 0);
    CHECK_STATUS(CONSUL_PENDING, consul_lock_acquire(lock, PATIENCE_MS, &async));
    CHECK_NEXT(queue, 1, CONSUL_ERR_ALREADY_HELD);
    CHECK_STATUS(CONSUL_PENDING, consul_lock_try_acquire(other, &second));
    CHECK_NEXT(queue, 2, CONSUL_HELD);
    in_vain(other, &second);
    CHECK_STATUS(CONSUL_PENDING, consul_lock_destroy(other, &second));
    CHECK_NEXT(queue, 2, CONSUL_HELD);
    CHECK_STATUS(CONSUL_PENDING, consul_lock_put(lock, key, NULL, 0, 0, NULL, &async));
    CHECK_NEXT(queue, 1, CONSUL_OK);
    CHECK_STATUS(CONSUL_PENDING, consul_lock_release(lock, &async));
    CHECK_NEXT(queue, 1, CONSUL_OK);
    CHECK(!consul_lock_is_held(lock));
    CHECK_STATUS(CONSUL_PENDING, consul_lock_release(lock, &async));
    CHECK_NEXT(queue, 1, CONSUL_ERR_NOT_HELD);
    CHECK_STATUS(CONSUL_PENDING, consul_lock_destroy(other, &second));
    CHECK_NEXT(queue, 2, CONSUL_OK);
    consul_lock_free(lock);
    consul_lock_free(other);
    free(key);
}

/* The ways in which a waiting acquire ends without the lock. */
static void ended_early(void)
{
    char *key = unique("queued");
    consul_lock *holder = lock_of(client, key), *stopped = lock_of(client, key), *freed = lock_of(client, key),
                *cancelled = lock_of(client, key);
    consul_async one = async_of(queue, 1), two = async_of(queue, 2), three = async_of(queue, 3);
    CHECK_OK(consul_lock_acquire(holder, PATIENCE_MS, NULL));
    CHECK_STATUS(CONSUL_PENDING, consul_lock_acquire(stopped, UINT64_MAX, &one));
    CHECK_STATUS(CONSUL_PENDING, consul_lock_acquire(freed, UINT64_MAX, &two));
    CHECK_STATUS(CONSUL_PENDING, consul_lock_acquire(cancelled, UINT64_MAX, &three));
    check_empty(queue);
    CHECK_OK(consul_lock_stop(stopped));
    CHECK_NEXT(queue, 1, CONSUL_ERR_CANCELLED);
    consul_lock_free(freed);
    CHECK_NEXT(queue, 2, CONSUL_ERR_CANCELLED);
    CHECK_OK(consul_queue_cancel(queue, 3));
    CHECK_NEXT(queue, 3, CONSUL_ERR_CANCELLED);
    check_empty(queue);
    CHECK_OK(consul_lock_release(holder, NULL));
    /* None of them has it, or keeps it: of one that was ended amid its request, which comes after the
     * release, it is taken back. */
    CHECK_OK(consul_lock_acquire(holder, PATIENCE_MS, NULL));
    CHECK(!consul_lock_is_held(stopped) && !consul_lock_is_held(cancelled));
    CHECK_OK(consul_lock_release(holder, NULL));
    consul_lock_free(holder);
    consul_lock_free(stopped);
    consul_lock_free(cancelled);
    free(key);
}

static void many_wait(void)
{
    enum { LOCKS = 100, WIN = 12 };
    char *key = unique("queued");
    consul_lock *holder = lock_of(client, key), *locks[LOCKS];
    int i, won, most = 0;
    CHECK_OK(consul_lock_acquire(holder, PATIENCE_MS, NULL));
    for (i = 0; i < LOCKS; i++) {
        consul_async async = async_of(queue, (uint64_t)i);
        locks[i] = lock_of(client, key);
        CHECK_STATUS(CONSUL_PENDING, consul_lock_acquire(locks[i], 120000, &async));
        most = library_threads() > most ? library_threads() : most;
    }
    /* The I/O thread, and the lane's. */
    if (most > 7)
        fail(__FILE__, __LINE__, "%d threads for %d waiting locks", most, LOCKS);
    check_empty(queue);
    CHECK_OK(consul_lock_release(holder, NULL));
    for (won = 0; won < WIN; won++) {
        consul_event *event = next_event(queue);
        uint64_t tag = consul_event_tag(event);
        CHECK_EVENT(tag, CONSUL_OK, event);
        consul_event_free(event);
        for (i = 0; i < LOCKS; i++)
            CHECK(consul_lock_is_held(locks[i]) == ((uint64_t)i == tag));
        CHECK_OK(consul_lock_release(locks[tag], NULL));
    }
    for (i = 0; i < LOCKS; i++)
        consul_lock_free(locks[i]);
    for (i = 0; i < LOCKS - WIN; i++) {
        /* One may just have won, and gives the lock back. */
        consul_event *event = next_event(queue);
        CHECK(consul_event_status(event) == CONSUL_ERR_CANCELLED ||
              consul_event_status(event) == CONSUL_OK);
        consul_event_free(event);
    }
    check_empty(queue);
    consul_lock_free(holder);
    free(key);
}

int main(void)
{
    client = consul();
    queue = new_queue();
    one_after_the_other();
    ended_early();
    many_wait();
    consul_queue_free(queue);
    CHECK_OK(consul_client_close(client, PATIENCE_MS));
    consul_client_free(client);
    await_library_threads();
    CHECK_NO_HANDLES();
    return 0;
}

/* A process forks while its threads call, hold a lock, lead, keep a session and a service, and have calls
 * in flight. In the child the client goes on working, and what belongs to the parent says so, is left
 * alone, and can be freed. The parent notices nothing. */

#include "queue.h"
#include "sockets.h"
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* The TTL is longer than a machine may stand still while the children come and go. */
enum { CHILDREN = 20, CALLERS = 4, TTL_MS = 120000 };

static consul_client *client;
static consul_lock *lock;
static consul_semaphore *semaphore;
static consul_election *election;
static consul_lock_spec *spec;
static consul_session *session;
static consul_kept_service *service;
static consul_queue *queue;
static consul_event *event;
static char *lock_key, *election_key, *key;
static bool over;

static consul_lock *lock_new(const consul_lock_spec *from)
{
    consul_lock *new = NULL;
    CHECK_OK(consul_lock_new(client, from, &new));
    return new;
}

static consul_election *election_new(const char *name)
{
    consul_election_spec *description = NULL;
    consul_election *new = NULL;
    CHECK_OK(consul_election_spec_new(name, &description));
    CHECK_OK(consul_election_spec_set_session_ttl_ms(description, TTL_MS));
    CHECK_OK(consul_election_spec_set_lock_delay_ms(description, 0));
    CHECK_OK(consul_election_start(client, description, &new));
    consul_election_spec_free(description);
    CHECK_OK(consul_election_wait_elected(new, PATIENCE_MS));
    return new;
}

/* Calls without a pause, both ways, so that a fork finds every lock of the library taken once. */
static void *call(void *unused)
{
    consul_queue *own = new_queue();
    (void)unused;
    while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
        consul_async async = async_of(own, 1);
        consul_kv *kv = NULL;
        CHECK_OK(consul_kv_get(client, key, NULL, NULL, &kv));
        consul_kv_free(kv);
        CHECK_STATUS(CONSUL_PENDING, consul_kv_get(client, key, NULL, &async, NULL));
        CHECK_NEXT(own, 1, CONSUL_OK);
    }
    consul_queue_free(own);
    return NULL;
}

static void the_client_works(void)
{
    consul_queue *own = new_queue();
    consul_async async = async_of(own, 5);
    consul_session *kept = NULL;
    consul_lock_spec *own_spec = NULL;
    consul_lock *own_lock;
    consul_election *own_election;
    consul_kv *kv = NULL;
    char *name = unique("fork-child");
    CHECK_OK(consul_kv_get(client, key, NULL, NULL, &kv));
    CHECK(consul_kv_count(kv) == 1);
    consul_kv_free(kv);
    CHECK_STATUS(CONSUL_PENDING, consul_kv_get(client, key, NULL, &async, NULL));
    CHECK_NEXT(own, 5, CONSUL_OK);
    CHECK_OK(consul_session_start(client, NULL, false, NULL, NULL, &kept));
    CHECK(consul_session_is_valid(kept));
    CHECK_OK(consul_lock_spec_new(name, &own_spec));
    CHECK_OK(consul_lock_spec_set_session(own_spec, kept));
    own_lock = lock_new(own_spec);
    CHECK_OK(consul_lock_acquire(own_lock, PATIENCE_MS, NULL));
    CHECK_STATUS(CONSUL_PENDING, consul_lock_release(own_lock, &async));
    CHECK_NEXT(own, 5, CONSUL_OK);
    consul_lock_free(own_lock);
    consul_lock_spec_free(own_spec);
    CHECK_OK(consul_session_destroy(client, consul_session_id(kept), NULL, NULL));
    consul_session_free(kept);
    own_election = election_new(name);
    CHECK_OK(consul_election_resign(own_election, NULL));
    consul_election_free(own_election);
    consul_queue_free(own);
    free(name);
}

static void the_rest_is_the_parents(void)
{
    consul_async async = async_of(queue, 1);
    consul_event *none = NULL;
    consul_kv *kv = NULL;
    consul_lock *other = NULL;
    consul_leader *leader = NULL;
    CHECK_ERROR(CONSUL_ERR_FORKED, "consul_queue", consul_queue_next(queue, -1, &none));
    CHECK_ERROR(CONSUL_ERR_FORKED, "parent", consul_kv_get(client, key, NULL, &async, NULL));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_queue_wake(queue));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_queue_cancel(queue, 1));
    CHECK(consul_queue_fd(queue) == -1);
    CHECK_ERROR(CONSUL_ERR_FORKED, "consul_event", consul_event_take_kv(event, &kv));
    CHECK(consul_event_type(event) == 0);
    CHECK_ERROR(CONSUL_ERR_FORKED, "consul_lock", consul_lock_acquire(lock, UINT64_MAX, NULL));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_lock_release(lock, NULL));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_lock_wait_lost(lock, -1));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_lock_stop(lock));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_lock_set_queue(lock, NULL, 0));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_session_set_queue(session, queue, 1));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_lock_put(lock, key, NULL, 0, 0, NULL, NULL));
    CHECK(!consul_lock_is_held(lock) && consul_lock_remaining_ms(lock) == 0);
    CHECK_ERROR(CONSUL_ERR_FORKED, "consul_semaphore", consul_semaphore_acquire(semaphore, 0, NULL));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_semaphore_release(semaphore, NULL));
    CHECK(!consul_semaphore_is_held(semaphore));
    CHECK_ERROR(CONSUL_ERR_FORKED, "consul_election", consul_election_resign(election, NULL));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_election_campaign(election));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_election_wait_elected(election, -1));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_election_leader(election, &leader));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_election_set_value(election, NULL, 0, NULL));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_election_set_queue(election, NULL, 0));
    CHECK(!consul_election_is_leader(election) && consul_election_fencing_token(election) == 0);
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_session_stop(session));
    CHECK(!consul_session_is_valid(session) && consul_session_id(session) == NULL);
    CHECK_ERROR(CONSUL_ERR_FORKED, "consul_kept_service", consul_kept_service_start(service, NULL));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_kept_service_close(service, NULL));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_kept_service_stop(service));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_kept_service_pat(service));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_kept_service_set_status(service, "critical", NULL));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_kept_service_set_token(service, NULL));
    CHECK_STATUS(CONSUL_ERR_FORKED, consul_kept_service_maintenance(service, true, NULL, NULL));
    CHECK(!consul_kept_service_is_registered(service) && consul_kept_service_id(service) == NULL);
    /* A description that leads to the parent's session. */
    CHECK_ERROR(CONSUL_ERR_FORKED, "session", consul_lock_new(client, spec, &other));
}

static int child(int number)
{
    size_t live = consul_live_handles(CONSUL_HANDLE_ALL);
    alarm(60);
    CHECK(library_threads() == 0 && consul_library_threads() == 0);
    if (number % 2 == 0)
        the_client_works();
    the_rest_is_the_parents();
    the_client_works();
    CHECK(consul_live_handles(CONSUL_HANDLE_ALL) == live);
    consul_event_free(event);
    consul_lock_free(lock);
    consul_semaphore_free(semaphore);
    consul_election_free(election);
    consul_session_free(session);
    consul_kept_service_free(service);
    consul_lock_spec_free(spec);
    CHECK_STATUS(CONSUL_ERR_HANDLE, consul_lock_release(lock, NULL));
    if (number % 3 == 0)
        CHECK_OK(consul_client_close(client, PATIENCE_MS));
    consul_queue_free(queue);
    consul_client_free(client);
    /* What is left is what the parent's other threads had. */
    CHECK(consul_live_handles(CONSUL_HANDLE_ALL) == live - 9);
    return 0;
}

/* Who holds the key is the session whose handle the parent has. */
static void check_holder(void)
{
    consul_kv *kv = NULL;
    CHECK_OK(consul_kv_get(client, lock_key, NULL, NULL, &kv));
    CHECK_TEXT(consul_session_id(session), consul_kv_at(kv, 0)->session);
    consul_kv_free(kv);
    CHECK(consul_lock_is_held(lock) && consul_session_is_valid(session));
    CHECK(consul_semaphore_is_held(semaphore));
    CHECK(consul_election_is_leader(election));
}

/* Whether the agent has the service that the parent keeps; and nobody has written it again. */
static void check_service(bool wanted)
{
    consul_services *services = NULL;
    consul_status status = consul_agent_service(client, key, NULL, NULL, NULL, &services);
    CHECK_STATUS(wanted ? CONSUL_OK : CONSUL_NOT_FOUND, status);
    CHECK(!wanted || consul_kept_service_registrations(service) == 1);
    consul_services_free(services);
}

/* A slot with the session of the parent. */
static void hold_slot(void)
{
    consul_semaphore_spec *slot = NULL;
    CHECK_OK(consul_semaphore_spec_new(key, 1, &slot));
    CHECK_OK(consul_semaphore_spec_set_session(slot, session));
    CHECK_OK(consul_semaphore_new(client, slot, &semaphore));
    CHECK_OK(consul_semaphore_acquire(semaphore, PATIENCE_MS, NULL));
    consul_semaphore_spec_free(slot);
}

static void keep_service(void)
{
    consul_service_spec *description = NULL;
    consul_kept_service_spec *kept = NULL;
    CHECK_OK(consul_service_spec_new(key, &description));
    CHECK_OK(consul_kept_service_spec_new(description, &kept));
    CHECK_OK(consul_kept_service_spec_set_ttl_ms(kept, 1000));
    CHECK_OK(consul_kept_service_new(client, kept, &service));
    CHECK_OK(consul_kept_service_start(service, NULL));
    consul_kept_service_spec_free(kept);
    consul_service_spec_free(description);
}

static void wait_for_news(const consul_async *async)
{
    consul_options *options = NULL;
    consul_kv *kv = NULL;
    CHECK_OK(consul_kv_get(client, lock_key, NULL, NULL, &kv));
    CHECK_OK(consul_options_new(&options));
    CHECK_OK(consul_options_set_index(options, consul_kv_meta(kv)->index));
    CHECK_OK(consul_options_set_wait_ms(options, 120000));
    CHECK_STATUS(CONSUL_PENDING, consul_kv_get(client, lock_key, options, async, NULL));
    consul_kv_free(kv);
    consul_options_free(options);
}

static void keep_session(void)
{
    consul_session_spec *description = NULL;
    CHECK_OK(consul_session_spec_new(&description));
    CHECK_OK(consul_session_spec_set_ttl_ms(description, TTL_MS));
    CHECK_OK(consul_session_start(client, description, false, NULL, NULL, &session));
    consul_session_spec_free(description);
}

int main(void)
{
    consul_async one = async_of(NULL, 1), two = async_of(NULL, 2);
    pthread_t callers[CALLERS];
    char path[100];
    int i;
    client = consul();
    queue = new_queue();
    one.queue = two.queue = queue;
    key = unique("fork");
    lock_key = unique("fork-lock");
    CHECK_OK(consul_kv_put(client, key, NULL, 0, 0, NULL, NULL));
    keep_session();
    CHECK_OK(consul_lock_spec_new(lock_key, &spec));
    CHECK_OK(consul_lock_spec_set_session(spec, session));
    lock = lock_new(spec);
    CHECK_OK(consul_lock_acquire(lock, PATIENCE_MS, NULL));
    hold_slot();
    election_key = unique("fork-election");
    election = election_new(election_key);
    keep_service();
    sprintf(path, "/tmp/%.60s", key);
    CHECK_OK(consul_queue_serve(queue, path));
    CHECK(consul_queue_fd(queue) >= 0);

    /* An event that was taken, one that waits, and a call that is in flight. */
    CHECK_STATUS(CONSUL_PENDING, consul_kv_get(client, key, NULL, &one, NULL));
    event = next_event(queue);
    wait_for_news(&two);
    CHECK_STATUS(CONSUL_PENDING, consul_kv_get(client, key, NULL, &one, NULL));
    for (i = 0; i < CALLERS; i++)
        CHECK(pthread_create(&callers[i], NULL, call, NULL) == 0);

    for (i = 0; i < CHILDREN; i++) {
        int status = 0;
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0)
            _exit(child(i));
        CHECK(waitpid(pid, &status, 0) == pid);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            fail(__FILE__, __LINE__, "child %d ended with %#x", i, (unsigned)status);
        check_holder();
        check_service(true);
    }

    __atomic_store_n(&over, true, __ATOMIC_RELAXED);
    for (i = 0; i < CALLERS; i++)
        CHECK(pthread_join(callers[i], NULL) == 0);
    CHECK_NEXT(queue, 1, CONSUL_OK);
    check_empty(queue);
    CHECK_OK(consul_lock_put(lock, lock_key, (const uint8_t *)"news", 4, 0, NULL, NULL));
    CHECK_NEXT(queue, 2, CONSUL_OK);
    CHECK(access(path, F_OK) == 0);
    CHECK_OK(consul_lock_release(lock, NULL));
    CHECK_OK(consul_semaphore_release(semaphore, NULL));
    CHECK_OK(consul_kept_service_close(service, NULL));
    check_service(false);
    consul_kept_service_free(service);
    consul_event_free(event);
    consul_lock_free(lock);
    consul_semaphore_free(semaphore);
    consul_election_free(election);
    consul_lock_spec_free(spec);
    consul_session_free(session);
    consul_queue_free(queue);
    CHECK(access(path, F_OK) != 0);
    CHECK_OK(consul_client_close(client, PATIENCE_MS));
    consul_client_free(client);
    await_library_threads();
    CHECK(consul_library_threads() == 0);
    free(key);
    free(lock_key);
    free(election_key);
    CHECK_NO_HANDLES();
    return 0;
}

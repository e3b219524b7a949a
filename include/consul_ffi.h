/*
 * consul_ffi: a Consul client for every program that can load a C library.
 *
 *     #include <consul_ffi.h>            cc program.c -lconsul_ffi
 *
 *     consul_kv *kv = NULL;
 *     consul_status status = consul_kv_get(client, "app/limit", NULL, NULL, &kv);
 *     if (status == CONSUL_OK)
 *         puts((const char *)consul_kv_at(kv, 0)->key);
 *     else if (status < 0)
 *         fprintf(stderr, "%s\n", consul_last_error()->message);
 *     consul_kv_free(kv);
 *
 * Results. Every function that can fail returns a consul_status: CONSUL_OK is 0, positive ones are
 * honest answers that are not errors (CONSUL_NOT_FOUND), negative ones are errors, of which
 * consul_last_error() has the details. Results leave through the last parameter, `out`, which is
 * set to NULL before anything else; an error leaves it so, but for those of consul_txn_commit that
 * say otherwise. The order of parameters is: handle, inputs, options, async, outputs.
 *
 * Ownership. What comes through `out` is yours: end it with the `_free` of its type. What a
 * function returns directly is borrowed and lives as long as the handle you asked. What you pass
 * in is copied before the call returns.
 *
 * Handles. A handle is checked on every use: NULL, freed, freed twice, of another type, after its
 * client is gone, from any thread gives CONSUL_ERR_HANDLE, and does nothing in a `_free`. What is
 * not checked is a borrowed pointer that is used after its handle was freed.
 *
 * Threads. Any function may be called from any thread. A handle that is being changed
 * (`_set_...`) is for one thread at a time: the others get CONSUL_ERR_BUSY.
 *
 * Strings are NUL-terminated UTF-8, and never NULL in a row. Those that come from Consul have
 * their length beside them. Values are bytes with a length and may hold anything. Units are in the
 * names (`timeout_ms`).
 *
 * Growth. Within a major version functions, constants, and fields at the end of rows are added,
 * nothing is changed. Rows (the structs whose fields you see) are made by the library only.
 *
 * This file is generated.
 */

#ifndef CONSUL_FFI_H
#define CONSUL_FFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The version of the library that this header came with. */
#define CONSUL_VERSION "0.1.0"
#define CONSUL_VERSION_MAJOR 0
#define CONSUL_VERSION_MINOR 1
#define CONSUL_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif


/*
 * Versions
 * ========
 *
 * Within one major version of the ABI functions, constants and trailing row fields are added,
 * never changed. So a program runs with every library of the same major and the same or a higher
 * minor version than it was compiled for:
 *
 *     uint32_t abi = consul_abi_version();
 *     if (abi >> 16 != CONSUL_ABI_MAJOR || (abi & 0xffff) < CONSUL_ABI_MINOR)
 *         fprintf(stderr, "libconsul_ffi has ABI %u.%u\n", abi >> 16, abi & 0xffff);
 */

/**
 * The major version of the ABI that this header describes.
 */
#define CONSUL_ABI_MAJOR 1

/**
 * The minor version of the ABI that this header describes.
 */
#define CONSUL_ABI_MINOR 1

/**
 * The version of the library in use, such as `"1.2.3"`. Valid for ever.
 */
const char *consul_version(void);

/**
 * The version of the ABI of the library in use: `major << 16 | minor`.
 */
uint32_t consul_abi_version(void);


/*
 * Statuses
 * ========
 *
 * Zero is success, positive statuses are honest answers that are not errors, negative ones are
 * errors. Numbers never change; programs should expect new ones.
 */

/**
 * How a call ended: one of the constants below.
 */
typedef int32_t consul_status;

/**
 * Done.
 */
#define CONSUL_OK 0

/**
 * What was asked for does not exist.
 */
#define CONSUL_NOT_FOUND 1

/**
 * A compare-and-set or a transaction lost: something else changed the data first.
 */
#define CONSUL_CONFLICT 2

/**
 * An acquire found another holder, or the lock-delay, until its time was up.
 */
#define CONSUL_HELD 3

/**
 * The operation goes on; its end arrives in the queue.
 */
#define CONSUL_PENDING 4

/**
 * A wait ended with nothing new.
 */
#define CONSUL_NO_CHANGE 5

/**
 * An argument is not allowed; nothing was sent.
 */
#define CONSUL_ERR_ARGUMENT (-1)

/**
 * The handle is not a live handle of the right type.
 */
#define CONSUL_ERR_HANDLE (-2)

/**
 * The configuration has an unknown setting or a value out of range.
 */
#define CONSUL_ERR_CONFIG (-3)

/**
 * No connection to Consul could be made.
 */
#define CONSUL_ERR_CONNECT (-4)

/**
 * The deadline passed.
 */
#define CONSUL_ERR_TIMEOUT (-5)

/**
 * The TLS handshake failed, or a certificate or key cannot be used.
 */
#define CONSUL_ERR_TLS (-6)

/**
 * Consul refused the token (403).
 */
#define CONSUL_ERR_DENIED (-7)

/**
 * The Consul servers have no leader at the moment.
 */
#define CONSUL_ERR_NO_LEADER (-8)

/**
 * Consul limits the rate of requests or of connections.
 */
#define CONSUL_ERR_RATE_LIMITED (-9)

/**
 * Consul answered with an HTTP status that means failure.
 */
#define CONSUL_ERR_HTTP (-10)

/**
 * The answer could not be understood.
 */
#define CONSUL_ERR_DECODE (-11)

/**
 * A value, request or answer is above its limit.
 */
#define CONSUL_ERR_TOO_LARGE (-12)

/**
 * The session does not exist any more.
 */
#define CONSUL_ERR_SESSION_INVALID (-13)

/**
 * The lock was lost.
 */
#define CONSUL_ERR_LOCK_LOST (-14)

/**
 * The key exists and is used for something other than this lock.
 */
#define CONSUL_ERR_LOCK_CONFLICT (-15)

/**
 * The semaphore exists with another limit.
 */
#define CONSUL_ERR_LIMIT_CONFLICT (-16)

/**
 * The lock is not held.
 */
#define CONSUL_ERR_NOT_HELD (-17)

/**
 * The lock is held already.
 */
#define CONSUL_ERR_ALREADY_HELD (-18)

/**
 * The client was closed.
 */
#define CONSUL_ERR_CLOSED (-19)

/**
 * The operation was cancelled.
 */
#define CONSUL_ERR_CANCELLED (-20)

/**
 * Too many operations are in flight.
 */
#define CONSUL_ERR_BUSY (-21)

/**
 * The handle belongs to the parent of this process.
 */
#define CONSUL_ERR_FORKED (-22)

/**
 * A signal interrupted the call.
 */
#define CONSUL_ERR_INTERRUPTED (-23)

/**
 * This library does not support what was asked for.
 */
#define CONSUL_ERR_UNSUPPORTED (-24)

/**
 * A file or a socket failed.
 */
#define CONSUL_ERR_IO (-25)

/**
 * A value could not be encrypted or decrypted.
 */
#define CONSUL_ERR_CRYPTO (-26)

/**
 * Memory or handles ran out.
 */
#define CONSUL_ERR_NO_MEMORY (-27)

/**
 * A fault in the library itself.
 */
#define CONSUL_ERR_INTERNAL (-28)


/*
 * Errors
 * ======
 *
 * A negative status is an error, and `consul_last_error()` has the details:
 *
 *     if (consul_kv_put(client, "app/limit", value, len, 0, NULL, NULL) < 0) {
 *         const consul_error *error = consul_last_error();
 *         fprintf(stderr, "%s: %s\n", consul_status_name(error->status), error->message);
 *     }
 */

/**
 * What went wrong.
 */
typedef struct consul_error {
    /**
     * Which error it is, `CONSUL_ERR_...`; `CONSUL_OK` when there was none.
     */
    consul_status status;
    /**
     * The HTTP status that came with it; 0 where there was none.
     */
    int32_t http_status;
    /**
     * The same call may succeed later.
     */
    bool retryable;
    /**
     * A change was sent and may have been applied, now or within minutes: there was no answer,
     * or one that does not prove that nothing was done.
     */
    bool outcome_unknown;
    /**
     * The address of the Consul agent it concerns; empty where there is none.
     */
    const char *endpoint;
    /**
     * The bytes in `endpoint`.
     */
    size_t endpoint_len;
    /**
     * One line for people. Holds no secret.
     */
    const char *message;
    /**
     * The bytes in `message`.
     */
    size_t message_len;
} consul_error;

/**
 * The last error of a call on this thread. Only a call that fails replaces it: calls that
 * succeed, accessors and `_free` leave it as it is. Never NULL; before any failure its status is
 * `CONSUL_OK`.
 *
 * The row is borrowed, and valid until this thread has failed 16 times more.
 */
const consul_error *consul_last_error(void);

/**
 * The name of a status, such as `"CONSUL_ERR_TIMEOUT"`; `"unknown status"` for a number that is
 * none. Valid for ever.
 */
const char *consul_status_name(consul_status status);

/**
 * What a status means, in a sentence; `"unknown status"` for a number that is none. Valid for
 * ever.
 */
const char *consul_status_message(consul_status status);


/*
 * Handles
 * =======
 *
 * A handle is a pointer to a type that is never defined, and not an address: the library checks
 * it on every use. A NULL, freed, foreign or invented handle gives `CONSUL_ERR_HANDLE`, and does
 * nothing in a `_free`.
 *
 * After a `fork` a client goes on working in the child, with connections of its own; so do
 * configurations, options and answers. Queues, events, locks, kept sessions and kept services stay
 * with the parent: in the child their calls give `CONSUL_ERR_FORKED`, their accessors what they give
 * for a handle that is not live, and their `_free` tells nobody. No call in a child hangs for what
 * another thread of the parent was doing.
 */

/**
 * Talks to Consul. One is enough for a process; any number of threads may use it at once.
 */
typedef struct consul_client consul_client;

/**
 * The settings a client is made from.
 */
typedef struct consul_config consul_config;

/**
 * The settings of single calls. One may serve any number of calls and threads at once.
 */
typedef struct consul_options consul_options;

/**
 * Keys with their values, as one answer gave them.
 */
typedef struct consul_kv consul_kv;

/**
 * The names of keys, as one answer gave them.
 */
typedef struct consul_keys consul_keys;

/**
 * An answer that is one run of bytes: a text, an id, JSON.
 */
typedef struct consul_text consul_text;

/**
 * What a session is created from.
 */
typedef struct consul_session_spec consul_session_spec;

/**
 * A session that the library keeps alive.
 */
typedef struct consul_session consul_session;

/**
 * Sessions, as one answer gave them.
 */
typedef struct consul_sessions consul_sessions;

/**
 * What a lock is made from.
 */
typedef struct consul_lock_spec consul_lock_spec;

/**
 * A lock on a key.
 */
typedef struct consul_lock consul_lock;

/**
 * A transaction that is being put together.
 */
typedef struct consul_txn consul_txn;

/**
 * What a transaction came to.
 */
typedef struct consul_txn_result consul_txn_result;

/**
 * What a check is registered from.
 */
typedef struct consul_check_spec consul_check_spec;

/**
 * What a service is registered from.
 */
typedef struct consul_service_spec consul_service_spec;

/**
 * The services of an agent, as one answer gave them.
 */
typedef struct consul_services consul_services;

/**
 * Instances of a service with their node and checks, as one answer gave them.
 */
typedef struct consul_service_entries consul_service_entries;

/**
 * Health checks, as one answer gave them.
 */
typedef struct consul_checks consul_checks;

/**
 * Nodes of the catalog, as one answer gave them.
 */
typedef struct consul_nodes consul_nodes;

/**
 * Names of services with their tags, as one answer gave them.
 */
typedef struct consul_service_names consul_service_names;

/**
 * Members of the gossip pool, as one answer gave them.
 */
typedef struct consul_members consul_members;

/**
 * Where everything asynchronous arrives.
 */
typedef struct consul_queue consul_queue;

/**
 * One thing that arrived in a queue.
 */
typedef struct consul_event consul_event;

/**
 * The answer to a generic request.
 */
typedef struct consul_response consul_response;

/**
 * Who an agent is, as it told.
 */
typedef struct consul_agent_info consul_agent_info;

/**
 * What is written into the catalog in one step.
 */
typedef struct consul_registration consul_registration;

/**
 * What a service that stays registered is made from.
 */
typedef struct consul_kept_service_spec consul_kept_service_spec;

/**
 * A service that the library keeps registered.
 */
typedef struct consul_kept_service consul_kept_service;

/**
 * How something was getting on when it was asked for.
 */
typedef struct consul_stats consul_stats;

/**
 * What to watch, and how to be told of it.
 */
typedef struct consul_watch_spec consul_watch_spec;

/**
 * A query that the library keeps asking.
 */
typedef struct consul_watch consul_watch;

/**
 * A reader's own look at what a watch has found.
 */
typedef struct consul_view consul_view;

/**
 * A use of an instance of a service.
 */
typedef struct consul_lease consul_lease;

/**
 * How the parts of a program are.
 */
typedef struct consul_health_report consul_health_report;

/**
 * Records that were taken from the log.
 */
typedef struct consul_log_records consul_log_records;

/**
 * The servers of Raft, as one answer gave them.
 */
typedef struct consul_raft_peers consul_raft_peers;

/**
 * What a semaphore is made from.
 */
typedef struct consul_semaphore_spec consul_semaphore_spec;

/**
 * A semaphore of which one slot can be held.
 */
typedef struct consul_semaphore consul_semaphore;

/**
 * What an election is made from.
 */
typedef struct consul_election_spec consul_election_spec;

/**
 * Of all candidates for a key, one leads.
 */
typedef struct consul_election consul_election;

/**
 * Who led when it was asked.
 */
typedef struct consul_leader consul_leader;

/**
 * A node's part in a cluster, and what it knows of the others.
 */
typedef struct consul_cluster consul_cluster;

/**
 * Tells which node a key belongs to.
 */
typedef struct consul_ring consul_ring;

/**
 * What a node joins a cluster with.
 */
typedef struct consul_cluster_spec consul_cluster_spec;

/**
 * Nodes of a cluster, as they were at one moment.
 */
typedef struct consul_cluster_nodes consul_cluster_nodes;

/**
 * User events, as one answer gave them.
 */
typedef struct consul_user_events consul_user_events;

/**
 * Addresses of a client that have changed.
 */
typedef struct consul_endpoint_changes consul_endpoint_changes;

/**
 * What a re-encryption came to.
 */
typedef struct consul_reencryption consul_reencryption;

/**
 * All types of handles together.
 */
#define CONSUL_HANDLE_ALL 0

#define CONSUL_HANDLE_CLIENT 1
#define CONSUL_HANDLE_CONFIG 2
#define CONSUL_HANDLE_OPTIONS 3
#define CONSUL_HANDLE_KV 4
#define CONSUL_HANDLE_KEYS 5
#define CONSUL_HANDLE_TEXT 6
#define CONSUL_HANDLE_SESSION_SPEC 7
#define CONSUL_HANDLE_SESSION 8
#define CONSUL_HANDLE_SESSIONS 9
#define CONSUL_HANDLE_LOCK_SPEC 10
#define CONSUL_HANDLE_LOCK 11
#define CONSUL_HANDLE_TXN 12
#define CONSUL_HANDLE_TXN_RESULT 13
#define CONSUL_HANDLE_CHECK_SPEC 14
#define CONSUL_HANDLE_SERVICE_SPEC 15
#define CONSUL_HANDLE_SERVICES 16
#define CONSUL_HANDLE_SERVICE_ENTRIES 17
#define CONSUL_HANDLE_CHECKS 18
#define CONSUL_HANDLE_NODES 19
#define CONSUL_HANDLE_SERVICE_NAMES 20
#define CONSUL_HANDLE_MEMBERS 21
#define CONSUL_HANDLE_QUEUE 22
#define CONSUL_HANDLE_EVENT 23
#define CONSUL_HANDLE_RESPONSE 24
#define CONSUL_HANDLE_AGENT_INFO 25
#define CONSUL_HANDLE_REGISTRATION 26
#define CONSUL_HANDLE_KEPT_SERVICE_SPEC 27
#define CONSUL_HANDLE_KEPT_SERVICE 28
#define CONSUL_HANDLE_STATS 29
#define CONSUL_HANDLE_WATCH_SPEC 30
#define CONSUL_HANDLE_WATCH 31
#define CONSUL_HANDLE_VIEW 32
#define CONSUL_HANDLE_LEASE 33
#define CONSUL_HANDLE_HEALTH_REPORT 34
#define CONSUL_HANDLE_LOG_RECORDS 35
#define CONSUL_HANDLE_RAFT_PEERS 48
#define CONSUL_HANDLE_SEMAPHORE_SPEC 36
#define CONSUL_HANDLE_SEMAPHORE 37
#define CONSUL_HANDLE_ELECTION_SPEC 38
#define CONSUL_HANDLE_ELECTION 39
#define CONSUL_HANDLE_LEADER 40
#define CONSUL_HANDLE_CLUSTER 41
#define CONSUL_HANDLE_RING 42
#define CONSUL_HANDLE_CLUSTER_SPEC 43
#define CONSUL_HANDLE_CLUSTER_NODES 44
#define CONSUL_HANDLE_USER_EVENTS 45
#define CONSUL_HANDLE_ENDPOINT_CHANGES 46
#define CONSUL_HANDLE_REENCRYPTION 52

/**
 * How many handles of a type (`CONSUL_HANDLE_...`) were not freed yet; `CONSUL_HANDLE_ALL` counts
 * all types together. 0 for a number that is no type.
 */
size_t consul_live_handles(int32_t handle_type);


/*
 * Asynchronous calls
 * ==================
 *
 * Every call that waits for Consul takes a `consul_async`. NULL makes it a blocking call. Otherwise
 * it checks what it is given, as always, and returns `CONSUL_PENDING`; its end arrives in the queue
 * as a `consul_event` with the same status and the same result as the blocking call has. `out` is
 * not used then, may be NULL, and is set to NULL where it is not. What such a call returns
 * other than `CONSUL_PENDING` is an error, and nothing arrives.
 *
 * What waits for something else than an answer, such as `consul_lock_wait_lost`, has a second form for
 * it, whose name ends with `_async`; `consul_view_wait` has `consul_watch_wait_newer`. What has none
 * returns at once, or reads local files, such as `consul_client_new` and `consul_snapshot_inspect`.
 *
 * No callback, no foreign thread: whoever has the queue takes its events when it wants to, on any
 * thread, with a descriptor to sleep on.
 *
 *     consul_queue *queue = NULL;
 *     consul_event *event = NULL;
 *     consul_queue_new(&queue);
 *     consul_async async = {queue, 7};
 *     consul_kv_get(client, "app/greeting", NULL, &async, NULL);
 *     if (consul_queue_next(queue, 5000, &event) == CONSUL_OK) {
 *         consul_kv *kv = NULL;
 *         if (consul_event_tag(event) == 7 && consul_event_status(event) == CONSUL_OK &&
 *             consul_event_take_kv(event, &kv) == CONSUL_OK)
 *             puts((const char *)consul_kv_at(kv, 0)->value);
 *         consul_kv_free(kv);
 *         consul_event_free(event);
 *     }
 *     consul_queue_free(queue);
 */

/**
 * Where the end of an asynchronous call arrives. This layout never changes.
 */
typedef struct consul_async {
    /**
     * The queue it arrives in.
     */
    consul_queue *queue;
    /**
     * The caller's own number for the call. Several calls may have the same.
     */
    uint64_t tag;
} consul_async;

/**
 * Makes an empty queue. Starts no thread. Free it with `consul_queue_free`.
 */
consul_status consul_queue_new(consul_queue **out);

/**
 * How many operations may be in flight in this queue, 1024 unless set: those that have begun and
 * whose event was not taken yet. A call past it gives `CONSUL_ERR_BUSY`. 1 at least.
 */
consul_status consul_queue_set_max_in_flight(const consul_queue *queue, uint32_t max_in_flight);

/**
 * Takes the next event, waiting this long for it at most; 0 does not wait, -1 waits for ever.
 * `CONSUL_NO_CHANGE`, with `out` NULL, when there was none, or somebody called
 * `consul_queue_wake`. `CONSUL_ERR_CLOSED` when the queue is freed meanwhile. Free the event with
 * `consul_event_free`.
 *
 * The answer of an operation is decoded here, on the caller's thread. While it waits, this thread may
 * do the work of the library's I/O thread, which saves a wake-up an answer: a signal handler must not
 * jump out of it.
 */
consul_status consul_queue_next(const consul_queue *queue,
                                int64_t timeout_ms,
                                consul_event **out);

/**
 * Ends the wait of one thread in `consul_queue_next`, or of the next that would wait there.
 */
consul_status consul_queue_wake(const consul_queue *queue);

/**
 * A descriptor for `poll`, `epoll` and event loops: it is readable as long as events wait,
 * level-triggered, so that nothing is missed. Take events with a `timeout_ms` of 0 when it is. It
 * belongs to the queue and ends with it: neither read, write nor close it. -1 for a handle that is
 * not live, or where no descriptor is left.
 */
int32_t consul_queue_fd(const consul_queue *queue);

/**
 * Serves the news at a unix socket of this path and mode 0600, for a host that can read sockets
 * but not wait on a descriptor, such as nginx's Lua. Whoever connects reads one byte, 1, each time
 * that events come to wait where none did before, and one at once where some wait already. Having
 * read any number of bytes, take events with a `timeout_ms` of 0 until there are no more. Nothing
 * is to be written.
 *
 * Any number may connect; each is told. A file of the path that a dead process left behind is
 * replaced; `CONSUL_ERR_IO` when the path is in use or cannot be made. Serving again at another
 * path ends the first. It ends with the queue, and the file is removed.
 */
consul_status consul_queue_serve(const consul_queue *queue, const char *path);

/**
 * Cancels everything in flight in this queue that has this tag. Each ends at once with its last
 * event, `CONSUL_ERR_CANCELLED` unless it had ended already. `CONSUL_OK` also when there is none.
 */
consul_status consul_queue_cancel(const consul_queue *queue, uint64_t tag);

/**
 * Ends a queue. What is in flight in it is cancelled and ends silently; events that were taken
 * stay. Before or after the clients, whatever is in flight. NULL is fine.
 */
void consul_queue_free(consul_queue *queue);

/**
 * A call ended; it is the last event of its tag. Its status, error and result are the call's.
 */
#define CONSUL_EVENT_DONE 1

/**
 * What it tells, `CONSUL_EVENT_...`; 0 for a handle that is not live. Ignore the types that you do
 * not know: there will be more.
 */
int32_t consul_event_type(const consul_event *event);

/**
 * The tag that its call was given; 0 for a handle that is not live.
 */
uint64_t consul_event_tag(const consul_event *event);

/**
 * What the blocking call would have returned; `CONSUL_ERR_HANDLE` for a handle that is not live.
 */
consul_status consul_event_status(const consul_event *event);

/**
 * What went wrong; a row with the status `CONSUL_OK` when nothing did. `consul_last_error` is not
 * touched by what arrives. NULL for a handle that is not live. Borrowed: valid until `event` is
 * freed.
 */
const consul_error *consul_event_error(const consul_event *event);

/**
 * The type of its result, `CONSUL_HANDLE_...`: which `consul_event_take_...` gives it. 0 when it
 * has none, and for a handle that is not live.
 */
int32_t consul_event_result_type(const consul_event *event);

/**
 * The version of the watch's newest state when the event was taken; 0 for other events.
 */
uint64_t consul_event_version(const consul_event *event);

/**
 * How long ago Consul confirmed the state of the watch that the event is about; `UINT64_MAX` when
 * it never did, and for other events.
 */
uint64_t consul_event_age_ms(const consul_event *event);

/**
 * Ends an event, and its result unless that was taken. NULL is fine.
 */
void consul_event_free(consul_event *event);

/**
 * Moves the result out of an event: it is the caller's from then on. `CONSUL_ERR_ARGUMENT` when the
 * event has no such result, or it was taken before.
 * This one is for the pairs of `consul_kv_get` and `consul_kv_list`.
 */
consul_status consul_event_take_kv(const consul_event *event, consul_kv **out);

/**
 * As `consul_event_take_kv`, for the strings of `consul_kv_keys`, `consul_catalog_datacenters` and `consul_status_peers`.
 */
consul_status consul_event_take_keys(const consul_event *event,
                                     consul_keys **out);

/**
 * As `consul_event_take_kv`, for the text of `consul_session_create`, `consul_status_leader`, and of what is answered as JSON.
 */
consul_status consul_event_take_text(const consul_event *event,
                                     consul_text **out);

/**
 * As `consul_event_take_kv`, for what `consul_txn_commit` came to.
 */
consul_status consul_event_take_txn_result(const consul_event *event, consul_txn_result **out);

/**
 * As `consul_event_take_kv`, for the session that `consul_session_start` keeps alive.
 */
consul_status consul_event_take_session(const consul_event *event, consul_session **out);

/**
 * As `consul_event_take_kv`, for who leads, of `consul_election_wait_leader_async` and
 * `consul_election_wait_change_async`.
 */
consul_status consul_event_take_leader(const consul_event *event, consul_leader **out);

/**
 * As `consul_event_take_kv`, for the servers of `consul_operator_raft_peers`.
 */
consul_status consul_event_take_raft_peers(const consul_event *event, consul_raft_peers **out);

/**
 * As `consul_event_take_kv`, for the sessions that a read found.
 */
consul_status consul_event_take_sessions(const consul_event *event, consul_sessions **out);

/**
 * As `consul_event_take_kv`, for the checks that a read found.
 */
consul_status consul_event_take_checks(const consul_event *event, consul_checks **out);

/**
 * As `consul_event_take_kv`, for the nodes that a read found.
 */
consul_status consul_event_take_nodes(const consul_event *event, consul_nodes **out);

/**
 * As `consul_event_take_kv`, for the services that a read found.
 */
consul_status consul_event_take_services(const consul_event *event, consul_services **out);

/**
 * As `consul_event_take_kv`, for the names of `consul_catalog_services`.
 */
consul_status consul_event_take_service_names(const consul_event *event,
                                              consul_service_names **out);

/**
 * As `consul_event_take_kv`, for the instances that a read found.
 */
consul_status consul_event_take_service_entries(const consul_event *event,
                                                consul_service_entries **out);

/**
 * As `consul_event_take_kv`, for the answer of `consul_agent_self`.
 */
consul_status consul_event_take_agent_info(const consul_event *event, consul_agent_info **out);

/**
 * As `consul_event_take_kv`, for what `consul_kv_reencrypt` came to.
 */
consul_status consul_event_take_reencryption(const consul_event *event, consul_reencryption **out);

/**
 * As `consul_event_take_kv`, for the events of `consul_user_event_fire` and `consul_user_event_list`.
 */
consul_status consul_event_take_user_events(const consul_event *event,
                                            consul_user_events **out);

/**
 * As `consul_event_take_kv`, for the members of `consul_agent_members`.
 */
consul_status consul_event_take_members(const consul_event *event, consul_members **out);

/**
 * As `consul_event_take_kv`, for the answer of `consul_request`.
 */
consul_status consul_event_take_response(const consul_event *event, consul_response **out);

/**
 * As `consul_event_take_kv`, for the nodes of a `CONSUL_EVENT_CLUSTER_...`.
 */
consul_status consul_event_take_cluster_nodes(const consul_event *event,
                                              consul_cluster_nodes **out);

/**
 * As `consul_event_take_kv`, for the addresses of a `CONSUL_EVENT_ENDPOINT_CHANGED`.
 */
consul_status consul_event_take_endpoint_changes(const consul_event *event,
                                                 consul_endpoint_changes **out);

/**
 * As `consul_event_take_kv`, for the records of a `CONSUL_EVENT_LOG`.
 */
consul_status consul_event_take_log_records(const consul_event *event, consul_log_records **out);


/*
 * Texts
 * =====
 *
 * Answers that are one run of bytes.
 */

/**
 * The bytes of a text, with a NUL after the last one; NULL for a handle that is not live.
 * Borrowed: valid until the text is freed.
 */
const char *consul_text_data(const consul_text *text);

/**
 * How many bytes a text has, without the NUL; 0 for a handle that is not live.
 */
size_t consul_text_len(const consul_text *text);

/**
 * Ends a text. NULL is fine.
 */
void consul_text_free(consul_text *text);


/*
 * What every answer says
 * ======================
 *
 * Answers of reads carry what Consul's headers say about them: `consul_<answer>_meta`.
 */

/**
 * The headers of an answer; 0 and false where Consul did not send one.
 */
typedef struct consul_meta {
    /**
     * `X-Consul-Index`: the index to pass to the next blocking query. It fills 64 bits.
     */
    uint64_t index;
    /**
     * `X-Consul-LastContact`: how long ago the answering server heard from the leader, in ms.
     */
    uint64_t last_contact_ms;
    /**
     * `Age`: how long a cached answer has been without contact to the servers, in seconds.
     */
    uint64_t cache_age_s;
    /**
     * `X-Consul-KnownLeader`: whether the answering server knew a leader.
     */
    bool known_leader;
    /**
     * `X-Cache: HIT`: the agent answered from its cache.
     */
    bool cache_hit;
} consul_meta;


/*
 * Configuration
 * =============
 *
 * Settings by name and string. What a program sets beats the token file, which beats the
 * environment (`CONSUL_HTTP_ADDR` and the other official names), which beats the default. The
 * page docs/settings.md lists them.
 */

/**
 * Makes a configuration with the defaults and what the environment sets, which is read here, once,
 * on this thread. Free it with `consul_config_free`.
 */
consul_status consul_config_new(consul_config **out);

/**
 * Makes a configuration with the defaults alone.
 */
consul_status consul_config_new_without_environment(consul_config **out);

/**
 * Sets one setting. `CONSUL_ERR_CONFIG` for an unknown name or a value that is not allowed: the
 * message says what is, and nothing is changed. An empty value goes back to the default, past the
 * environment.
 */
consul_status consul_config_set(consul_config *config, const char *name, const char *value);

/**
 * Gives the value in force. Secrets are not given out: one that is set reads `<hidden>`.
 */
consul_status consul_config_get(const consul_config *config, const char *name, consul_text **out);

/**
 * Gives every setting with its value, a line each, secrets hidden.
 */
consul_status consul_config_dump(const consul_config *config, consul_text **out);

/**
 * Ends a configuration; the clients that were made from it stay as they are. NULL is fine.
 */
void consul_config_free(consul_config *config);


/*
 * Options of a call
 * =================
 *
 * The settings of single calls; NULL in a call means the client's. One may serve any number of
 * calls and threads at once, as long as nobody changes it meanwhile.
 */

/**
 * Makes options that change nothing. Free them with `consul_options_free`.
 */
consul_status consul_options_new(consul_options **out);

/**
 * Only nodes with this metadata; several must all match.
 */
consul_status consul_options_add_node_meta(consul_options *options,
                                           const char *key,
                                           const char *value);

/**
 * Ends options. NULL is fine.
 */
void consul_options_free(consul_options *options);

/**
 * The ACL token, sent in the `X-Consul-Token` header only. NULL or an empty text unsets it.
 */
consul_status consul_options_set_token(consul_options *options, const char *value);

/**
 * The datacenter to ask; unset means the agent's own. NULL or an empty text unsets it.
 */
consul_status consul_options_set_datacenter(consul_options *options, const char *value);

/**
 * The namespace (Consul Enterprise). NULL or an empty text unsets it.
 */
consul_status consul_options_set_namespace(consul_options *options, const char *value);

/**
 * The admin partition (Consul Enterprise). NULL or an empty text unsets it.
 */
consul_status consul_options_set_partition(consul_options *options, const char *value);

/**
 * How fresh a read must be: the leader's answer (`default`), one that the leader had confirmed by a quorum (`consistent`), or any server's (`stale`). It takes one of default, consistent, stale. NULL or an empty text unsets it.
 */
consul_status consul_options_set_consistency(consul_options *options,
                                             const char *value);

/**
 * How far behind the leader the answer of a `stale` read may be; the leader is asked where it is further. Unset: any age will do. It takes a whole number from 1 to 86400000.
 */
consul_status consul_options_set_max_stale_ms(consul_options *options,
                                              uint64_t value);

/**
 * Let any server answer a `default` read while there is no leader: it may be old, as `last_contact_ms` and `known_leader` of the result tell.
 */
consul_status consul_options_set_stale_on_no_leader(consul_options *options,
                                                    bool value);

/**
 * How long a call may take in all, connecting included. A blocking query may take its wait and a sixteenth of it more. It takes a whole number from 1 to 86400000.
 */
consul_status consul_options_set_timeout_ms(consul_options *options,
                                            uint64_t value);

/**
 * How long a blocking query asks Consul to wait for news. It takes a whole number from 1 to 600000.
 */
consul_status consul_options_set_wait_ms(consul_options *options, uint64_t value);

/**
 * Make it a blocking query: answer when the index is above this one, or when the wait is over. 0 answers at once.
 */
consul_status consul_options_set_index(consul_options *options,
                                       uint64_t value);

/**
 * Sort by round-trip time from this node; `_agent` means the agent's own. NULL or an empty text unsets it.
 */
consul_status consul_options_set_near(consul_options *options,
                                      const char *value);

/**
 * Only what matches this filter expression. NULL or an empty text unsets it.
 */
consul_status consul_options_set_filter(consul_options *options, const char *value);

/**
 * Let the agent answer from its cache where it has one.
 */
consul_status consul_options_set_cached(consul_options *options, bool value);


/*
 * Client
 * ======
 *
 * Talks to a Consul agent, or to the servers of one cluster. One is enough for a process; any number of threads may use it at
 * once. Making one opens no connection and starts no thread.
 */

/**
 * Makes a client from a copy of a configuration; a NULL `config` is what `consul_config_new` gives.
 * Reads the files that it names, connects on first use. `CONSUL_ERR_CONFIG` or `CONSUL_ERR_TLS`
 * when a setting, or a file that it names, cannot be used.
 */
consul_status consul_client_new(const consul_config *config, consul_client **out);

/**
 * Takes this configuration from now on, a copy of it: addresses, token, TLS, limits, times, all of it.
 * No call fails for it: those in flight end as they began. Sessions, locks, watches and kept services live on; a service is registered anew where the
 * token has changed. After an error (`CONSUL_ERR_CONFIG`, `CONSUL_ERR_TLS`) nothing has changed.
 */
consul_status consul_client_reload(const consul_client *client,
                                   const consul_config *config);

/**
 * Takes this token from now on; a NULL `token` for the one that was configured, whose file is read again. What is
 * kept registered with the client's token is registered anew. Options of a call that name a token
 * are not touched. Returns at once.
 */
consul_status consul_client_set_token(const consul_client *client,
                                      const char *token);

/**
 * Deregisters the services that are kept registered, releases the locks that are held, ends the
 * sessions that are kept alive, waits for the threads of this client, and shuts it down: from then on
 * calls end with `CONSUL_ERR_CLOSED`. The handle stays the caller's to free. `CONSUL_ERR_TIMEOUT`
 * when it took longer: what is left at Consul ends by its TTL.
 */
consul_status consul_client_close(const consul_client *client,
                                  uint64_t timeout_ms);

/**
 * As `consul_client_close`, which it is where `async` is NULL; else the end arrives in a queue, and a
 * thread that lives until then does the waiting. Cancelling its tag ends nothing but the wait: the
 * client is closed all the same.
 */
consul_status consul_client_close_async(const consul_client *client,
                                        uint64_t timeout_ms,
                                        const consul_async *async);

/**
 * Ends a client, whatever is in flight, and waits for nobody: calls of other threads end with
 * `CONSUL_ERR_CLOSED`, and what is held is lost, a lock for example. What was freed before and is being
 * given back is given back in the background, within five seconds; a process that ends earlier calls
 * `consul_client_close` first. NULL is fine.
 */
void consul_client_free(consul_client *client);

/**
 * Where its calls go at the moment: `http://127.0.0.1:8500`; of several addresses the one in use. NULL
 * for a handle that is not live. Borrowed: valid until the client is freed.
 */
const char *consul_client_endpoint(const consul_client *client);


/*
 * Keys and values
 * ===============
 *
 * A key is a path without a leading slash: no empty, `.` or `..` segments and no unprintable
 * characters, since Consul cannot be asked for such keys. A bad key gives `CONSUL_ERR_ARGUMENT`
 * and a value above `max_value_bytes` `CONSUL_ERR_TOO_LARGE` before anything is sent.
 *
 *     consul_kv *kv = NULL;
 *     if (consul_kv_list(client, "app/", NULL, NULL, &kv) == CONSUL_OK)
 *         for (size_t i = 0; i < consul_kv_count(kv); i++)
 *             puts(consul_kv_at(kv, i)->key);
 *     consul_kv_free(kv);
 */

/**
 * A key with its value.
 */
typedef struct consul_kv_pair {
    /**
     * The key.
     */
    const char *key;
    /**
     * The bytes in `key`.
     */
    size_t key_len;
    /**
     * The value; any byte can be in it. Never NULL.
     */
    const uint8_t *value;
    /**
     * The bytes in `value`.
     */
    size_t value_len;
    /**
     * A number that belongs to the programs that use the key. It fills 64 bits.
     */
    uint64_t flags;
    /**
     * The id of the session that holds the key, empty when none does.
     */
    const char *session;
    /**
     * The bytes in `session`.
     */
    size_t session_len;
    /**
     * How often the key was acquired; starts again when it is deleted or plainly written, so it
     * is no fencing token.
     */
    uint64_t lock_index;
    /**
     * The index of the write that made the key.
     */
    uint64_t create_index;
    /**
     * The index of the last write, for a compare-and-set.
     */
    uint64_t modify_index;
} consul_kv_pair;

/**
 * Reads a key. `CONSUL_NOT_FOUND` when it does not exist: `out` then has no pair, but the index to
 * wait on, and is the caller's to free all the same.
 */
consul_status consul_kv_get(const consul_client *client,
                            const char *key,
                            const consul_options *options,
                            const consul_async *async,
                            consul_kv **out);

/**
 * Reads every key that begins with `prefix`, byte by byte: `a` finds `ab` too. The empty prefix
 * reads all. Finding none is `CONSUL_OK` with a count of 0.
 */
consul_status consul_kv_list(const consul_client *client,
                             const char *prefix,
                             const consul_options *options,
                             const consul_async *async,
                             consul_kv **out);

/**
 * Reads the names of the keys that begin with `prefix`. With a `separator` (NULL: none) a name
 * ends after its first separator past the prefix, each such name once: a level of a tree.
 */
consul_status consul_kv_keys(const consul_client *client,
                             const char *prefix,
                             const char *separator,
                             const consul_options *options,
                             const consul_async *async,
                             consul_keys **out);

/**
 * How many pairs there are; 0 for a handle that is not live.
 */
size_t consul_kv_count(const consul_kv *kv);

/**
 * One of the pairs; NULL past the end. Borrowed: valid until `kv` is freed.
 */
const consul_kv_pair *consul_kv_at(const consul_kv *kv, size_t index);

/**
 * How many bytes a pair has in this library, which may be more than in the header that a program
 * was built with. The pairs of an answer lie one after the other, from `consul_kv_at` of 0 on; so
 * do their keys, each with its NUL, and their values: with this a language without structs reads
 * all of them as three blocks.
 */
size_t consul_kv_pair_size(void);

/**
 * What the answer's headers say. Borrowed: valid until `kv` is freed.
 */
const consul_meta *consul_kv_meta(const consul_kv *kv);

/**
 * Ends an answer. NULL is fine.
 */
void consul_kv_free(consul_kv *kv);

/**
 * Writes a key, whatever it held. `flags` replace the key's flags; `consul_kv_update` keeps them.
 */
consul_status consul_kv_put(const consul_client *client,
                            const char *key,
                            const uint8_t *value,
                            size_t value_len,
                            uint64_t flags,
                            const consul_options *options,
                            const consul_async *async);

/**
 * Writes a key and keeps its flags: reads them, then compares and sets, until nobody came in
 * between or the time is over.
 */
consul_status consul_kv_update(const consul_client *client,
                               const char *key,
                               const uint8_t *value,
                               size_t value_len,
                               const consul_options *options,
                               const consul_async *async);

/**
 * Writes a key if its modify index is still this one; 0 means "if it does not exist".
 * `CONSUL_CONFLICT` when it is not.
 */
consul_status consul_kv_cas(const consul_client *client,
                            const char *key,
                            const uint8_t *value,
                            size_t value_len,
                            uint64_t flags,
                            uint64_t modify_index,
                            const consul_options *options,
                            const consul_async *async);

/**
 * Deletes a key. `CONSUL_OK` also when it did not exist.
 */
consul_status consul_kv_delete(const consul_client *client,
                               const char *key,
                               const consul_options *options,
                               const consul_async *async);

/**
 * Deletes a key if its modify index is still this one. `CONSUL_CONFLICT` when it is not;
 * `CONSUL_OK` also when the key does not exist.
 */
consul_status consul_kv_delete_cas(const consul_client *client,
                                   const char *key,
                                   uint64_t modify_index,
                                   const consul_options *options,
                                   const consul_async *async);

/**
 * Deletes every key that begins with `prefix`, byte by byte: `a` deletes `ab` too. The empty
 * prefix, which would delete all, gives `CONSUL_ERR_ARGUMENT`.
 */
consul_status consul_kv_delete_prefix(const consul_client *client,
                                      const char *prefix,
                                      const consul_options *options,
                                      const consul_async *async);

/**
 * Writes a key and locks it for a session. `CONSUL_HELD` when another session holds it or its
 * lock-delay is not over; `CONSUL_ERR_SESSION_INVALID` when there is no such session. The holder
 * may do it again to write the value. `consul_lock` is the whole recipe.
 */
consul_status consul_kv_acquire(const consul_client *client,
                                const char *key,
                                const uint8_t *value,
                                size_t value_len,
                                uint64_t flags,
                                const char *session_id,
                                const consul_options *options,
                                const consul_async *async);

/**
 * Writes a key and unlocks it. `CONSUL_CONFLICT` when this session does not hold it.
 */
consul_status consul_kv_release(const consul_client *client,
                                const char *key,
                                const uint8_t *value,
                                size_t value_len,
                                uint64_t flags,
                                const char *session_id,
                                const consul_options *options,
                                const consul_async *async);

/**
 * One string of a list.
 */
typedef struct consul_string {
    /**
     * The string.
     */
    const char *data;
    /**
     * The bytes in `data`.
     */
    size_t len;
} consul_string;

/**
 * How many strings there are; 0 for a handle that is not live.
 */
size_t consul_keys_count(const consul_keys *keys);

/**
 * One of the strings; NULL past the end. Borrowed: valid until `keys` is freed.
 */
const consul_string *consul_keys_at(const consul_keys *keys, size_t index);

/**
 * How many bytes a `consul_string` of a list has in this library; as `consul_kv_pair_size`. Its
 * strings lie one after the other too, each with its NUL.
 */
size_t consul_string_size(void);

/**
 * What the answer's headers say. Borrowed: valid until `keys` is freed.
 */
const consul_meta *consul_keys_meta(const consul_keys *keys);

/**
 * Ends a list of strings. NULL is fine.
 */
void consul_keys_free(consul_keys *keys);

/**
 * Reads every key that begins with `prefix`, as `consul kv export` writes them: a JSON array of `key`,
 * `flags` and `value`, which is base64. The empty prefix exports all. Locks and sessions are not in it;
 * a snapshot has them.
 */
consul_status consul_kv_export(const consul_client *client,
                               const char *prefix,
                               const consul_options *options,
                               const consul_async *async,
                               consul_text **out);

/**
 * Writes keys as `consul_kv_export` or `consul kv export` gave them, `prefix`, which may be NULL, before
 * the name of each. They are written whatever was there; keys that are not among them stay.
 *
 * As many as fit go into one transaction, so what fails in the middle leaves whole transactions behind
 * it; the error says how many keys were written. `CONSUL_ERR_ARGUMENT` and `CONSUL_ERR_TOO_LARGE`
 * before anything is sent. The time that the options allow is that of each transaction.
 */
consul_status consul_kv_import(const consul_client *client,
                               const char *prefix,
                               const uint8_t *exported,
                               size_t exported_len,
                               const consul_options *options,
                               const consul_async *async);


/*
 * Values encrypted at rest
 * ========================
 *
 * With the settings `encryption_key` and `encryption_prefixes` values are encrypted before they are
 * sent and decrypted when they are read. One that cannot be decrypted gives `CONSUL_ERR_CRYPTO`.
 * After a new key was set, what is stored under an old one, or plain, is encrypted anew.
 *
 *     consul_reencryption *done = NULL;
 *     if (consul_kv_reencrypt(client, "app/", NULL, NULL, &done) == CONSUL_OK)
 *         printf("%llu left\n", (unsigned long long)consul_reencryption_row(done)->failed);
 *     consul_reencryption_free(done);
 */

/**
 * How many keys a re-encryption met, by what became of them.
 */
typedef struct consul_reencryption_counts {
    /**
     * Their values were under an old key or plain, and are under `encryption_key` now.
     */
    uint64_t rewritten;
    /**
     * Their values were under `encryption_key` already.
     */
    uint64_t current;
    /**
     * Left as they are, since a session holds the key: its holder writes it.
     */
    uint64_t held;
    /**
     * Left as they are, since no prefix of `encryption_prefixes` covers the key.
     */
    uint64_t outside;
    /**
     * Left as they are, since they cannot be decrypted, or are plain where that is not allowed.
     * Each is a warning in the log.
     */
    uint64_t failed;
} consul_reencryption_counts;

/**
 * Encrypts every value below `prefix` anew that is under an old key or plain, by check-and-set: what
 * others write meanwhile stays, and so do flags. `CONSUL_ERR_CONFIG` when nothing is encrypted. It
 * may take the call's `timeout_ms` in all; one that ended early goes on where it was when it is
 * called again.
 */
consul_status consul_kv_reencrypt(const consul_client *client,
                                  const char *prefix,
                                  const consul_options *options,
                                  const consul_async *async,
                                  consul_reencryption **out);

/**
 * The counts; NULL for a handle that is not live. Borrowed: valid until `reencryption` is freed.
 */
const consul_reencryption_counts *consul_reencryption_row(const consul_reencryption *reencryption);

/**
 * Ends an answer. NULL is fine.
 */
void consul_reencryption_free(consul_reencryption *reencryption);


/*
 * Transactions
 * ============
 *
 * Operations that are applied together or not at all, in the order in which they are added. What
 * cannot be is refused when it is added, and adds nothing; a transaction above
 * `max_txn_operations`, `max_txn_bytes` or with a value above `max_value_bytes` gives
 * `CONSUL_ERR_TOO_LARGE` before anything is sent.
 *
 *     consul_txn *txn = NULL;
 *     consul_txn_result *result = NULL;
 *     consul_txn_new(&txn);
 *     consul_txn_check_not_exists(txn, "app/owner");
 *     consul_txn_set(txn, "app/owner", (const uint8_t *)"me", 2, 0);
 *     if (consul_txn_commit(client, txn, NULL, NULL, &result) == CONSUL_CONFLICT)
 *         puts(consul_txn_result_error_at(result, 0)->what);
 *     consul_txn_result_free(result);
 *     consul_txn_free(txn);
 */

/**
 * The result is a key: `pair` has it.
 */
#define CONSUL_TXN_KV 1

/**
 * The result is a node: `json` has it.
 */
#define CONSUL_TXN_NODE 2

/**
 * The result is a service: `json` has it.
 */
#define CONSUL_TXN_SERVICE 3

/**
 * The result is a check: `json` has it.
 */
#define CONSUL_TXN_CHECK 4

/**
 * What an operation of a transaction gave.
 */
typedef struct consul_txn_row {
    /**
     * The key, with its value where it was read; NULL for all but `CONSUL_TXN_KV`.
     */
    const consul_kv_pair *pair;
    /**
     * The node, service or check as Consul's API writes it; empty for `CONSUL_TXN_KV`.
     */
    const char *json;
    /**
     * The bytes in `json`.
     */
    size_t json_len;
    /**
     * What it is: `CONSUL_TXN_KV` and so on. Pass over ones you do not know.
     */
    int32_t kind;
} consul_txn_row;

/**
 * Why a transaction was rolled back.
 */
typedef struct consul_txn_error {
    /**
     * The operation that failed, counted from 0.
     */
    uint64_t op_index;
    /**
     * The reason, in Consul's words.
     */
    const char *what;
    /**
     * The bytes in `what`.
     */
    size_t what_len;
    /**
     * The token may not do the operation.
     */
    bool denied;
} consul_txn_error;

/**
 * Makes a transaction without operations. Free it with `consul_txn_free`.
 */
consul_status consul_txn_new(consul_txn **out);

/**
 * Writes a key. `flags` replace the key's flags.
 */
consul_status consul_txn_set(consul_txn *txn,
                             const char *key,
                             const uint8_t *value,
                             size_t value_len,
                             uint64_t flags);

/**
 * Writes a key if its modify index is still this one; 0 means "if it does not exist".
 */
consul_status consul_txn_cas(consul_txn *txn,
                             const char *key,
                             const uint8_t *value,
                             size_t value_len,
                             uint64_t flags,
                             uint64_t modify_index);

/**
 * Writes a key and locks it for a session. The modify index of its result is the fencing token of
 * the lock.
 */
consul_status consul_txn_lock(consul_txn *txn,
                              const char *key,
                              const uint8_t *value,
                              size_t value_len,
                              uint64_t flags,
                              const char *session_id);

/**
 * Writes a key and unlocks it, if this session holds it.
 */
consul_status consul_txn_unlock(consul_txn *txn,
                                const char *key,
                                const uint8_t *value,
                                size_t value_len,
                                uint64_t flags,
                                const char *session_id);

/**
 * Reads a key, which must exist.
 */
consul_status consul_txn_get(consul_txn *txn, const char *key);

/**
 * Reads a key; one that does not exist gives a pair with an empty value (Consul 1.14).
 */
consul_status consul_txn_get_or_empty(consul_txn *txn, const char *key);

/**
 * Reads every key that begins with `prefix`, none included. The prefix may not be empty.
 */
consul_status consul_txn_get_tree(consul_txn *txn, const char *prefix);

/**
 * Goes on only if the key's modify index is this one.
 */
consul_status consul_txn_check_index(consul_txn *txn, const char *key, uint64_t modify_index);

/**
 * Goes on only if this session holds the key.
 */
consul_status consul_txn_check_session(consul_txn *txn, const char *key, const char *session_id);

/**
 * Goes on only if the key does not exist.
 */
consul_status consul_txn_check_not_exists(consul_txn *txn, const char *key);

/**
 * Deletes a key, which need not exist.
 */
consul_status consul_txn_delete(consul_txn *txn, const char *key);

/**
 * Deletes a key if its modify index is still this one.
 */
consul_status consul_txn_delete_cas(consul_txn *txn, const char *key, uint64_t modify_index);

/**
 * Deletes every key that begins with `prefix`, byte by byte. The empty prefix, which would delete
 * all, gives `CONSUL_ERR_ARGUMENT`.
 */
consul_status consul_txn_delete_tree(consul_txn *txn, const char *prefix);

/**
 * Adds any operation in the JSON of Consul's API: an object with one member `KV`, `Node`,
 * `Service` or `Check`, which has a `Verb`. No more of it is checked.
 */
consul_status consul_txn_add_json(consul_txn *txn, const char *json);

/**
 * Ends a transaction that is being put together. NULL is fine.
 */
void consul_txn_free(consul_txn *txn);

/**
 * Applies all operations or none. `CONSUL_CONFLICT` when it was rolled back, for what it found: read
 * again and try again. `CONSUL_ERR_DENIED` when it was rolled back because the token may not do one
 * of its operations, `CONSUL_ERR_UNSUPPORTED` because this Consul does not know one: that ends the
 * same way each time. With each of these `out` has the errors, and is the caller's to free all the
 * same; it is NULL only where Consul refused the request as a whole, as an unknown token is by 403, or
 * did not answer. A transaction that changes something is sent once; after an error whose outcome is
 * unknown it may have been applied. It may be committed again, by any client.
 */
consul_status consul_txn_commit(const consul_client *client,
                                const consul_txn *txn,
                                const consul_options *options,
                                const consul_async *async,
                                consul_txn_result **out);

/**
 * How many results there are; 0 for a handle that is not live. They stand in the order of the
 * operations, but are not one for each: a deletion and a check that a key does not exist give
 * none, a tree gives one for each of its keys.
 */
size_t consul_txn_result_count(const consul_txn_result *result);

/**
 * One of the results; NULL past the end. Borrowed: valid until `result` is freed.
 */
const consul_txn_row *consul_txn_result_at(const consul_txn_result *result, size_t index);

/**
 * How many errors there are; 0 when it was applied.
 */
size_t consul_txn_result_error_count(const consul_txn_result *result);

/**
 * One of the errors; NULL past the end. Borrowed: valid until `result` is freed.
 */
const consul_txn_error *consul_txn_result_error_at(const consul_txn_result *result,
                                                          size_t index);

/**
 * What the answer's headers say. Borrowed: valid until `result` is freed.
 */
const consul_meta *consul_txn_result_meta(const consul_txn_result *result);

/**
 * Ends what a transaction came to. NULL is fine.
 */
void consul_txn_result_free(consul_txn_result *result);


/*
 * Sessions
 * ========
 *
 * A session binds locks to a node, to its health and to a time to live. Those made by
 * `consul_session_create` are renewed by nobody but their maker.
 *
 *     consul_session_spec *spec = NULL;
 *     consul_text *id = NULL;
 *     consul_session_spec_new(&spec);
 *     consul_session_spec_set_ttl_ms(spec, 15000);
 *     if (consul_session_create(client, spec, NULL, NULL, &id) == CONSUL_OK)
 *         puts(consul_text_data(id));
 *     consul_text_free(id);
 *     consul_session_spec_free(spec);
 */

/**
 * The keys of a session stay when it ends, and are not held any more.
 */
#define CONSUL_BEHAVIOR_RELEASE 1

/**
 * The keys of a session are deleted when it ends.
 */
#define CONSUL_BEHAVIOR_DELETE 2

/**
 * A session as Consul has it.
 */
typedef struct consul_session_row {
    /**
     * Its id, a UUID.
     */
    const char *id;
    /**
     * The bytes in `id`.
     */
    size_t id_len;
    /**
     * Its name for people.
     */
    const char *name;
    /**
     * The bytes in `name`.
     */
    size_t name_len;
    /**
     * The node that it belongs to.
     */
    const char *node;
    /**
     * The bytes in `node`.
     */
    size_t node_len;
    /**
     * Its namespace (Consul Enterprise).
     */
    const char *namespace_name;
    /**
     * The bytes in `namespace_name`.
     */
    size_t namespace_name_len;
    /**
     * Its admin partition (Consul Enterprise).
     */
    const char *partition;
    /**
     * The bytes in `partition`.
     */
    size_t partition_len;
    /**
     * The checks of the node that end it when one of them is critical.
     */
    const char *const *node_checks;
    /**
     * How many `node_checks` there are.
     */
    size_t node_check_count;
    /**
     * The ids of the checks of services that end it when one of them is critical.
     */
    const char *const *service_checks;
    /**
     * The namespaces of these checks, as many.
     */
    const char *const *service_check_namespaces;
    /**
     * How many `service_checks` there are.
     */
    size_t service_check_count;
    /**
     * It ends when it is not renewed for this time, at the latest after twice of it; 0 when it
     * needs no renewal.
     */
    uint64_t ttl_ms;
    /**
     * How long its keys cannot be acquired after it ended while holding them.
     */
    uint64_t lock_delay_ms;
    /**
     * The index of the write that made it.
     */
    uint64_t create_index;
    /**
     * The index of the last write to it.
     */
    uint64_t modify_index;
    /**
     * What happens to its keys when it ends: `CONSUL_BEHAVIOR_RELEASE` or
     * `CONSUL_BEHAVIOR_DELETE`.
     */
    int32_t behavior;
} consul_session_row;

/**
 * Makes the description of a session with Consul's defaults: of the agent's own node, without a
 * TTL, bound to the node's `serfHealth` check. Free it with `consul_session_spec_free`.
 */
consul_status consul_session_spec_new(consul_session_spec **out);

/**
 * A name for people.
 */
consul_status consul_session_spec_set_name(consul_session_spec *spec, const char *name);

/**
 * The node that it belongs to; Consul takes the agent's own otherwise.
 */
consul_status consul_session_spec_set_node(consul_session_spec *spec, const char *node);

/**
 * The session ends when it is not renewed for this time, at the latest after twice of it: 10 s
 * (`min_session_ttl_ms`) to 24 h; 0 means that it needs no renewal. The range is checked when the
 * session is created.
 */
consul_status consul_session_spec_set_ttl_ms(consul_session_spec *spec, uint64_t ttl_ms);

/**
 * How long a key of this session cannot be acquired after the session ended while holding it: 0 to
 * 60 s, 15 s by default. A key that was released can be acquired at once.
 */
consul_status consul_session_spec_set_lock_delay_ms(consul_session_spec *spec,
                                                    uint64_t lock_delay_ms);

/**
 * What happens to its keys when it ends: `CONSUL_BEHAVIOR_RELEASE` or `CONSUL_BEHAVIOR_DELETE`.
 */
consul_status consul_session_spec_set_behavior(consul_session_spec *spec, int32_t behavior);

/**
 * The checks of the node that end the session when one of them is critical. Consul takes
 * `serfHealth` when this is never called; a count of 0 means no check at all.
 */
consul_status consul_session_spec_set_node_checks(consul_session_spec *spec,
                                                  const char *const *ids,
                                                  size_t count);

/**
 * One more check of a service that ends the session when it is critical. `namespace_name` is for
 * Consul Enterprise and may be NULL.
 */
consul_status consul_session_spec_add_service_check(consul_session_spec *spec,
                                                    const char *id,
                                                    const char *namespace_name);

/**
 * Ends the description of a session; sessions that were made from it stay. NULL is fine.
 */
void consul_session_spec_free(consul_session_spec *spec);

/**
 * Makes a session and gives its id. `spec` may be NULL for Consul's defaults. After an error whose
 * outcome is unknown the session may exist; it ends by its TTL only, so one without a TTL may stay
 * for ever.
 */
consul_status consul_session_create(const consul_client *client,
                                    const consul_session_spec *spec,
                                    const consul_options *options,
                                    const consul_async *async,
                                    consul_text **out);

/**
 * Starts the TTL of a session anew, and gives the session. `CONSUL_ERR_SESSION_INVALID` when it
 * does not exist any more.
 */
consul_status consul_session_renew(const consul_client *client,
                                   const char *session_id,
                                   const consul_options *options,
                                   const consul_async *async,
                                   consul_sessions **out);

/**
 * Ends a session: its keys are released or deleted, as its behavior says. `CONSUL_OK` also when it
 * did not exist.
 */
consul_status consul_session_destroy(const consul_client *client,
                                     const char *session_id,
                                     const consul_options *options,
                                     const consul_async *async);

/**
 * Reads a session. `CONSUL_NOT_FOUND` when it does not exist: `out` then has no session, but the
 * index to wait on, and is the caller's to free all the same.
 */
consul_status consul_session_info(const consul_client *client,
                                  const char *session_id,
                                  const consul_options *options,
                                  const consul_async *async,
                                  consul_sessions **out);

/**
 * Reads the sessions of a node.
 */
consul_status consul_session_node(const consul_client *client,
                                  const char *node,
                                  const consul_options *options,
                                  const consul_async *async,
                                  consul_sessions **out);

/**
 * Reads all sessions.
 */
consul_status consul_session_list(const consul_client *client,
                                  const consul_options *options,
                                  const consul_async *async,
                                  consul_sessions **out);

/**
 * How many sessions there are; 0 for a handle that is not live.
 */
size_t consul_sessions_count(const consul_sessions *sessions);

/**
 * One of the sessions; NULL past the end. Borrowed: valid until `sessions` is freed.
 */
const consul_session_row *consul_sessions_at(const consul_sessions *sessions, size_t index);

/**
 * What the answer's headers say. Borrowed: valid until `sessions` is freed.
 */
const consul_meta *consul_sessions_meta(const consul_sessions *sessions);

/**
 * Ends an answer. NULL is fine.
 */
void consul_sessions_free(consul_sessions *sessions);

/**
 * A kept session is lost: the status is `CONSUL_ERR_SESSION_INVALID`, and the error's message tells
 * why. However often it is lost before the event is taken, there is one, about the last time. With
 * any other status it is the last event of its tag.
 */
#define CONSUL_EVENT_SESSION_LOST 8

/**
 * Makes a session and keeps it alive: it is renewed at about half of its TTL, and failures are
 * tried again until its deadline. `spec` may be NULL; its TTL is 15 s where none was set, and 0
 * means none. With `recreate` a session that is lost is made anew, with another id, which
 * `consul_session_generation` tells; without, it stays lost. Of the options the token, datacenter,
 * namespace and partition are used.
 */
consul_status consul_session_start(const consul_client *client,
                                   const consul_session_spec *spec,
                                   bool recreate,
                                   const consul_options *options,
                                   const consul_async *async,
                                   consul_session **out);

/**
 * Its id; NULL for a handle that is not live. Borrowed: valid until the session is freed, also
 * when it has another id by then.
 */
const char *consul_session_id(const consul_session *session);

/**
 * 1, and one more each time it was made anew with another id; 0 for a handle that is not live.
 */
uint64_t consul_session_generation(const consul_session *session);

/**
 * True until Consul says that it is gone, or its deadline has passed, at this moment. The deadline
 * is the TTL after the time at which the last good renewal was sent.
 */
bool consul_session_is_valid(const consul_session *session);

/**
 * How long it is known to live without another renewal; 0 when it is not valid, `UINT64_MAX` when
 * it has no TTL.
 */
uint64_t consul_session_remaining_ms(const consul_session *session);

/**
 * Has each loss of the session arrive in a queue from now on, as an event of the type
 * `CONSUL_EVENT_SESSION_LOST` under `tag`, without counting among the calls in flight; at once where
 * it is lost already. One that is made anew can be lost again. In one queue at a time; `queue` may be
 * NULL, which ends that without an event. A last event of the same type comes with the status
 * `CONSUL_ERR_CANCELLED` after `consul_queue_cancel` of its tag, and when the session is stopped,
 * freed or destroyed through its client, none of which is a loss; with that or `CONSUL_ERR_CLOSED`
 * when the client is closed, which is an error here from then on.
 */
consul_status consul_session_set_queue(const consul_session *session,
                                       consul_queue *queue,
                                       uint64_t tag);

/**
 * Renews it no more, and leaves it at Consul, where it ends by its TTL. To end it there at once,
 * and to know that it did, call `consul_session_destroy` with its id.
 */
consul_status consul_session_stop(consul_session *session);

/**
 * Ends a kept session: it is destroyed at Consul in the background, unless it was stopped. The
 * locks that it holds are lost. NULL is fine.
 */
void consul_session_free(consul_session *session);


/*
 * Locks
 * =====
 *
 * A lock is a key that a session holds, the same as the official client's: both exclude each
 * other. While it is held the library renews its session and watches its key. It counts as held
 * only as long as that is known to succeed; `consul_lock_is_held` asks the clock each time.
 *
 *     consul_lock_spec *spec = NULL;
 *     consul_lock *lock = NULL;
 *     consul_lock_spec_new("app/leader", &spec);
 *     consul_lock_new(client, spec, &lock);
 *     consul_lock_spec_free(spec);
 *     if (consul_lock_acquire(lock, 5000, NULL) == CONSUL_OK) {
 *         printf("fencing token %llu\n", (unsigned long long)consul_lock_fencing_token(lock));
 *         consul_lock_release(lock, NULL);
 *     }
 *     consul_lock_free(lock);
 */

/**
 * Makes the description of a lock on this key, with an empty value and a session of its own: TTL
 * 15 s, lock-delay 15 s, behavior release. Everything in it is checked by `consul_lock_new`. Free
 * it with `consul_lock_spec_free`.
 */
consul_status consul_lock_spec_new(const char *key, consul_lock_spec **out);

/**
 * The value of the key while it is held, and after its release. With an own session of the behavior
 * `CONSUL_BEHAVIOR_DELETE` the key goes with the lock: nothing is left after a release either.
 */
consul_status consul_lock_spec_set_value(consul_lock_spec *spec,
                                         const uint8_t *value,
                                         size_t value_len);

/**
 * What its own session shall be. The TTL is 15 s where none was set; 0 means none, and such a
 * session stays for ever when the process dies.
 */
consul_status consul_lock_spec_set_session_spec(consul_lock_spec *spec,
                                                const consul_session_spec *session_spec);

/**
 * Holds it with this session, which the lock never destroys. When the session ends or its handle
 * is freed, the lock is lost.
 */
consul_status consul_lock_spec_set_session(consul_lock_spec *spec, const consul_session *session);

/**
 * Holds it with the session of this id, which the lock neither renews nor destroys.
 */
consul_status consul_lock_spec_set_session_id(consul_lock_spec *spec, const char *session_id);

/**
 * Takes the key over even if it was used for something else than a lock.
 */
consul_status consul_lock_spec_set_adopt(consul_lock_spec *spec, bool adopt);

/**
 * For how long the key may be unreadable before the lock counts as lost, 1000 ms at least; the
 * session's TTL by default, 15 s where that is not known. The session's own deadline ends the lock
 * in any case.
 */
consul_status consul_lock_spec_set_monitor_retry_ms(consul_lock_spec *spec,
                                                    uint64_t monitor_retry_ms);

/**
 * With what token, datacenter, namespace and partition the lock calls; `options` may be NULL, for
 * the client's. The rest of the options is not used.
 */
consul_status consul_lock_spec_set_options(consul_lock_spec *spec, const consul_options *options);

/**
 * Ends the description of a lock; locks that were made from it stay. NULL is fine.
 */
void consul_lock_spec_free(consul_lock_spec *spec);

/**
 * Nothing is lost.
 */
#define CONSUL_LOST_NONE 0

/**
 * Its session ended: destroyed, expired, or one of its checks turned critical.
 */
#define CONSUL_LOST_SESSION_INVALID 1

/**
 * Somebody deleted the key; of a semaphore, its `.lock` or the holder's entry.
 */
#define CONSUL_LOST_KEY_DELETED 2

/**
 * Another session holds the key.
 */
#define CONSUL_LOST_KEY_TAKEN 3

/**
 * Consul could not be asked for too long: it may still be held, but nobody can count on it.
 */
#define CONSUL_LOST_DEADLINE 4

/**
 * The client was closed.
 */
#define CONSUL_LOST_CLOSED 5

/**
 * Somebody released the key with the lock's own session; of a semaphore, somebody took the session
 * out of the holders.
 */
#define CONSUL_LOST_KEY_RELEASED 6

/**
 * A lock, or a semaphore's slot, is lost: the status is `CONSUL_ERR_LOCK_LOST`, the error's message
 * tells why, and so does `consul_lock_lost_reason` or `consul_semaphore_lost_reason`. However often it is lost before the event is taken, there is one, about
 * the last time. With any other status it is the last event of its tag.
 */
#define CONSUL_EVENT_LOCK_LOST 7

/**
 * Makes a lock from a copy of its description. Sends nothing. `CONSUL_ERR_ARGUMENT` when a key,
 * TTL, lock-delay or window cannot be. Free it with `consul_lock_free`.
 */
consul_status consul_lock_new(const consul_client *client,
                              const consul_lock_spec *spec,
                              consul_lock **out);

/**
 * Acquires the lock, waiting this long for it at most; 0 tries once, `UINT64_MAX` waits for ever.
 * `CONSUL_HELD` when somebody else held it, or its lock-delay lasted, until the time was over:
 * `consul_lock_holder` tells which.
 *
 * While it waits it rides out failures that pass; when Consul cannot be asked until the time is
 * over, that failure is the error. `CONSUL_ERR_ALREADY_HELD` when this lock is held,
 * `CONSUL_ERR_BUSY` while another call acquires or releases it, `CONSUL_ERR_LOCK_CONFLICT` when
 * the key is used for something else, `CONSUL_ERR_SESSION_INVALID` when a borrowed session does
 * not exist, `CONSUL_ERR_CANCELLED` after `consul_lock_stop`.
 *
 * An acquire that ends without the lock leaves nothing behind: its own session is destroyed, and
 * what a request without an answer may have got is given back, in the background. A lock that was
 * lost can be acquired again.
 */
consul_status consul_lock_acquire(const consul_lock *lock,
                                  uint64_t timeout_ms,
                                  const consul_async *async);

/**
 * Acquires the lock if nobody else holds it, without waiting; as `consul_lock_acquire`.
 */
consul_status consul_lock_try_acquire(const consul_lock *lock, const consul_async *async);

/**
 * Releases the lock, then destroys its own session. `CONSUL_ERR_NOT_HELD` when it was not held,
 * `CONSUL_ERR_LOCK_LOST` when it was lost before. After any other error the lock is not held
 * either, its state at Consul is unknown, and the library goes on releasing it in the background
 * until the key is not its own or the TTL is over.
 */
consul_status consul_lock_release(const consul_lock *lock, const consul_async *async);

/**
 * Ends a `consul_lock_acquire` and a `consul_lock_wait_lost` that wait on other threads with
 * `CONSUL_ERR_CANCELLED`. Returns at once. A held lock stays held.
 */
consul_status consul_lock_stop(const consul_lock *lock);

/**
 * Deletes the key if nobody holds it. `CONSUL_OK` also when it did not exist, `CONSUL_HELD` when
 * it is in use, `CONSUL_ERR_ALREADY_HELD` when this lock is held, `CONSUL_ERR_LOCK_CONFLICT` when
 * the key is used for something else.
 */
consul_status consul_lock_destroy(const consul_lock *lock, const consul_async *async);

/**
 * True while it is held, judged by the clock at this moment.
 */
bool consul_lock_is_held(const consul_lock *lock);

/**
 * How long it is known to be held if nothing is heard of Consul from now on; 0 when it is not
 * held.
 */
uint64_t consul_lock_remaining_ms(const consul_lock *lock);

/**
 * The fencing token of the last acquisition: the index of the write that acquired the key; 0 when
 * there was none. It grows with each acquisition of the key by anybody, so a store that refuses
 * lower tokens than it has seen is safe from late writers. It fills 64 bits.
 */
uint64_t consul_lock_fencing_token(const consul_lock *lock);

/**
 * Why it was lost, `CONSUL_LOST_...`; `CONSUL_LOST_NONE` when it was not, from the next acquire
 * on, and for a handle that is not live.
 */
int32_t consul_lock_lost_reason(const consul_lock *lock);

/**
 * The id of the session that holds it. `CONSUL_NOT_FOUND` while it is not held.
 */
consul_status consul_lock_session_id(const consul_lock *lock, consul_text **out);

/**
 * The id of the session that held the key when an acquire looked last. `CONSUL_NOT_FOUND` where
 * nobody does, which while an acquire waits means the lock-delay.
 */
consul_status consul_lock_holder(const consul_lock *lock, consul_text **out);

/**
 * Waits until the lock is lost: `CONSUL_ERR_LOCK_LOST`, with the reason in the message and in
 * `consul_lock_lost_reason`. `CONSUL_NO_CHANGE` when it is still held after this time; -1 waits
 * for ever. `CONSUL_ERR_NOT_HELD` when it was never held or is released, `CONSUL_ERR_CANCELLED`
 * after `consul_lock_stop`.
 */
consul_status consul_lock_wait_lost(const consul_lock *lock, int64_t timeout_ms);

/**
 * As `consul_lock_wait_lost`, which it is where `async` is NULL; else the end of the wait arrives in a
 * queue. `consul_lock_set_queue` tells of each loss without being asked again.
 */
consul_status consul_lock_wait_lost_async(const consul_lock *lock,
                                          int64_t timeout_ms,
                                          const consul_async *async);

/**
 * Has each loss of the lock arrive in a queue from now on, as an event of the type
 * `CONSUL_EVENT_LOCK_LOST` under `tag`, without counting among the calls in flight; at once where it
 * is lost already. It also comes when nobody calls into the lock. A release is no loss. In one queue
 * at a time; `queue` may be NULL, which ends that without an event. A last event of the same type
 * comes with the status `CONSUL_ERR_CANCELLED` after `consul_queue_cancel` of its tag and
 * `consul_lock_free`, with `CONSUL_ERR_CLOSED` when the client is closed, which is an error here from
 * then on.
 */
consul_status consul_lock_set_queue(const consul_lock *lock,
                                    consul_queue *queue,
                                    uint64_t tag);

/**
 * Writes another key only while this lock is held, whatever its holder believes: Consul checks it
 * in the same transaction. `CONSUL_ERR_NOT_HELD` or `CONSUL_ERR_LOCK_LOST` when it is not held any
 * more; nothing was written then.
 */
consul_status consul_lock_put(const consul_lock *lock,
                              const char *key,
                              const uint8_t *value,
                              size_t value_len,
                              uint64_t flags,
                              const consul_options *options,
                              const consul_async *async);

/**
 * Writes a key only while this session holds the lock on `lock_key`, in one transaction: for who
 * knows a lock by its key and session alone. `CONSUL_CONFLICT` when the session does not hold it;
 * nothing was written then.
 */
consul_status consul_kv_put_held(const consul_client *client,
                                 const char *key,
                                 const uint8_t *value,
                                 size_t value_len,
                                 uint64_t flags,
                                 const char *lock_key,
                                 const char *session_id,
                                 const consul_options *options,
                                 const consul_async *async);

/**
 * Ends a lock: calls that wait in it end with `CONSUL_ERR_CANCELLED`, and if it is held it is
 * released in the background. NULL is fine.
 */
void consul_lock_free(consul_lock *lock);


/*
 * Semaphores
 * ==========
 *
 * A semaphore has a number of slots, and a session that holds one of them. It is the official
 * client's: both share the slots of one semaphore, whose keys begin with its prefix. While a slot
 * is held the library renews its session and watches its keys. It counts as held only as long as
 * that is known to succeed; `consul_semaphore_is_held` asks the clock each time. For two slots,
 * make two semaphores of one description.
 *
 *     consul_semaphore_spec *spec = NULL;
 *     consul_semaphore *semaphore = NULL;
 *     consul_semaphore_spec_new("app/jobs", 3, &spec);
 *     consul_semaphore_new(client, spec, &semaphore);
 *     consul_semaphore_spec_free(spec);
 *     if (consul_semaphore_acquire(semaphore, 5000, NULL) == CONSUL_OK) {
 *         work();
 *         consul_semaphore_release(semaphore, NULL);
 *     }
 *     consul_semaphore_free(semaphore);
 */

/**
 * Makes the description of a semaphore with so many slots, 1 at least, the same for all who use it,
 * whose keys begin with this prefix and a slash. The session is its own: TTL 15 s, behavior delete.
 * Everything in it is checked by `consul_semaphore_new`. Free it with `consul_semaphore_spec_free`.
 */
consul_status consul_semaphore_spec_new(const char *prefix,
                                        uint64_t limit,
                                        consul_semaphore_spec **out);

/**
 * The value of the holder's entry, the key `<prefix>/<session>`, while a slot is held.
 */
consul_status consul_semaphore_spec_set_value(consul_semaphore_spec *spec,
                                              const uint8_t *value,
                                              size_t value_len);

/**
 * What its own session shall be. The TTL is 15 s and the behavior delete where none was set; a TTL
 * of 0 means none, and such a session stays for ever when the process dies.
 */
consul_status consul_semaphore_spec_set_session_spec(consul_semaphore_spec *spec,
                                                     const consul_session_spec *session_spec);

/**
 * Holds a slot with this session, which the semaphore never destroys. A session holds one slot of a
 * semaphore at most. When the session ends or its handle is freed, the slot is lost.
 */
consul_status consul_semaphore_spec_set_session(consul_semaphore_spec *spec,
                                                const consul_session *session);

/**
 * Holds a slot with the session of this id, which the semaphore neither renews nor destroys.
 */
consul_status consul_semaphore_spec_set_session_id(consul_semaphore_spec *spec,
                                                   const char *session_id);

/**
 * For how long Consul may be unreadable before the slot counts as lost, 1000 ms at least; the
 * session's TTL by default, 15 s where that is not known. The session's own deadline ends it in any
 * case.
 */
consul_status consul_semaphore_spec_set_monitor_retry_ms(consul_semaphore_spec *spec,
                                                         uint64_t monitor_retry_ms);

/**
 * With what token, datacenter, namespace and partition the semaphore calls; `options` may be NULL,
 * for the client's. The rest of the options is not used.
 */
consul_status consul_semaphore_spec_set_options(consul_semaphore_spec *spec,
                                                const consul_options *options);

/**
 * Ends the description of a semaphore; semaphores that were made from it stay. NULL is fine.
 */
void consul_semaphore_spec_free(consul_semaphore_spec *spec);

/**
 * Makes a semaphore from a copy of its description. Sends nothing. `CONSUL_ERR_ARGUMENT` when a
 * prefix, limit, TTL or window cannot be. Free it with `consul_semaphore_free`.
 */
consul_status consul_semaphore_new(const consul_client *client,
                                   const consul_semaphore_spec *spec,
                                   consul_semaphore **out);

/**
 * Acquires a slot, waiting this long for it at most; 0 tries once, `UINT64_MAX` waits for ever.
 * `CONSUL_HELD` when others held all of them until the time was over: `consul_semaphore_holders`
 * tells who.
 *
 * While it waits it rides out failures that pass; when Consul cannot be asked until the time is
 * over, that failure is the error. `CONSUL_ERR_LIMIT_CONFLICT` when the semaphore exists with
 * another limit, `CONSUL_ERR_LOCK_CONFLICT` when its key is used for something else,
 * `CONSUL_ERR_ALREADY_HELD` when a slot is held, `CONSUL_ERR_BUSY` while another call acquires or
 * releases it, `CONSUL_ERR_SESSION_INVALID` when a borrowed session does not exist,
 * `CONSUL_ERR_CANCELLED` after `consul_semaphore_stop`.
 *
 * An acquire that ends without a slot leaves nothing behind: its own session is destroyed, and what
 * a request without an answer may have got is given back, in the background. A slot that was lost
 * can be acquired again.
 */
consul_status consul_semaphore_acquire(const consul_semaphore *semaphore,
                                       uint64_t timeout_ms,
                                       const consul_async *async);

/**
 * Acquires a slot if one is free, without waiting; as `consul_semaphore_acquire`.
 */
consul_status consul_semaphore_try_acquire(const consul_semaphore *semaphore,
                                           const consul_async *async);

/**
 * Releases the slot, then destroys its own session. `CONSUL_ERR_NOT_HELD` when none was held,
 * `CONSUL_ERR_LOCK_LOST` when it was lost before. After any other error the slot is not held
 * either, its state at Consul is unknown, and the library goes on releasing it in the background
 * until it is not its own or the TTL is over.
 */
consul_status consul_semaphore_release(const consul_semaphore *semaphore,
                                       const consul_async *async);

/**
 * Ends a `consul_semaphore_acquire` and a `consul_semaphore_wait_lost` that wait on other threads
 * with `CONSUL_ERR_CANCELLED`. Returns at once. A held slot stays held.
 */
consul_status consul_semaphore_stop(const consul_semaphore *semaphore);

/**
 * Deletes the semaphore if nobody holds a slot, whatever its limit: after that it can be used with
 * another one. `CONSUL_OK` also when it did not exist, `CONSUL_HELD` when it is in use,
 * `CONSUL_ERR_ALREADY_HELD` when this one holds a slot, `CONSUL_ERR_LOCK_CONFLICT` when its key is
 * used for something else.
 */
consul_status consul_semaphore_destroy(const consul_semaphore *semaphore,
                                       const consul_async *async);

/**
 * True while a slot is held, judged by the clock at this moment.
 */
bool consul_semaphore_is_held(const consul_semaphore *semaphore);

/**
 * How long the slot is known to be held if nothing is heard of Consul from now on; 0 when it is
 * not held.
 */
uint64_t consul_semaphore_remaining_ms(const consul_semaphore *semaphore);

/**
 * Why the slot was lost, `CONSUL_LOST_...`; `CONSUL_LOST_NONE` when it was not, from the next
 * acquire on, and for a handle that is not live.
 */
int32_t consul_semaphore_lost_reason(const consul_semaphore *semaphore);

/**
 * The id of the session that holds the slot. `CONSUL_NOT_FOUND` while it is not held.
 */
consul_status consul_semaphore_session_id(const consul_semaphore *semaphore, consul_text **out);

/**
 * The ids of the sessions that held all slots when an acquire looked last; none where one was free.
 * Free them with `consul_keys_free`.
 */
consul_status consul_semaphore_holders(const consul_semaphore *semaphore, consul_keys **out);

/**
 * Waits until the slot is lost: `CONSUL_ERR_LOCK_LOST`, with the reason in the message and in
 * `consul_semaphore_lost_reason`. `CONSUL_NO_CHANGE` when it is still held after this time; -1 waits
 * for ever. `CONSUL_ERR_NOT_HELD` when it was never held or is released, `CONSUL_ERR_CANCELLED`
 * after `consul_semaphore_stop`.
 */
consul_status consul_semaphore_wait_lost(const consul_semaphore *semaphore,
                                         int64_t timeout_ms);

/**
 * As `consul_semaphore_wait_lost`, which it is where `async` is NULL; else the end of the wait arrives
 * in a queue.
 */
consul_status consul_semaphore_wait_lost_async(const consul_semaphore *semaphore,
                                               int64_t timeout_ms,
                                               const consul_async *async);

/**
 * Has each loss of the slot arrive in a queue from now on, as an event of the type
 * `CONSUL_EVENT_LOCK_LOST` under `tag`, without counting among the calls in flight; at once where it
 * is lost already. It also comes when nobody calls into the semaphore. A release is no loss. In one
 * queue at a time; `queue` may be NULL, which ends that without an event. A last event of the same
 * type comes with the status `CONSUL_ERR_CANCELLED` after `consul_queue_cancel` of its tag and
 * `consul_semaphore_free`, with `CONSUL_ERR_CLOSED` when the client is closed, which is an error here
 * from then on.
 */
consul_status consul_semaphore_set_queue(const consul_semaphore *semaphore,
                                         consul_queue *queue,
                                         uint64_t tag);

/**
 * Ends a semaphore: calls that wait in it end with `CONSUL_ERR_CANCELLED`, and a slot that it holds
 * is released in the background. NULL is fine.
 */
void consul_semaphore_free(consul_semaphore *semaphore);


/*
 * Elections
 * =========
 *
 * Of all candidates for a key, one leads. A candidate campaigns in the background from the start of
 * its election until it resigns: while Consul is away, while another one leads, and again after it
 * has lost. Who leads, and what it wrote, is there to read at any moment. The leader holds an
 * ordinary lock, so `consul_election_is_leader` asks the clock, not the network.
 *
 *     consul_election_spec *spec = NULL;
 *     consul_election *election = NULL;
 *     consul_election_spec_new("app/leader", &spec);
 *     consul_election_spec_set_value(spec, (const uint8_t *)"node-1", 6);
 *     consul_election_start(client, spec, &election);
 *     consul_election_spec_free(spec);
 *     if (consul_election_wait_elected(election, -1) == CONSUL_OK)
 *         while (consul_election_is_leader(election))
 *             work(consul_election_fencing_token(election));
 *     consul_election_resign(election, NULL);
 *     consul_election_free(election);
 */

/**
 * Makes the description of an election by this key, with an empty value and a session of its own for
 * each term: TTL 15 s, lock-delay 15 s, behavior release. Everything in it is checked by
 * `consul_election_start`. Free it with `consul_election_spec_free`.
 */
consul_status consul_election_spec_new(const char *key,
                                       consul_election_spec **out);

/**
 * What the others read while this candidate leads, such as its name or address.
 */
consul_status consul_election_spec_set_value(consul_election_spec *spec,
                                             const uint8_t *value,
                                             size_t value_len);

/**
 * The TTL of its session, 15000 unless set: a leader that dies is followed by another one after twice
 * of it and the lock-delay at the latest. 0 means none, and such a leader leads for ever when its
 * process dies.
 */
consul_status consul_election_spec_set_session_ttl_ms(consul_election_spec *spec,
                                                      uint64_t session_ttl_ms);

/**
 * For how long nobody can lead after the session of a leader ended, 15000 unless set. Not after it
 * resigned.
 */
consul_status consul_election_spec_set_lock_delay_ms(consul_election_spec *spec,
                                                     uint64_t lock_delay_ms);

/**
 * Whether the key goes when its leader does, however that is; false unless set.
 */
consul_status consul_election_spec_set_ephemeral(consul_election_spec *spec, bool ephemeral);

/**
 * What its session shall be where nothing else is set of it.
 */
consul_status consul_election_spec_set_session_spec(consul_election_spec *spec,
                                                    const consul_session_spec *session_spec);

/**
 * Whether to take a key that nobody holds and that was written without flags, as by a program that
 * knew nothing of locks; true unless set. A key with other flags is used for something else, and is
 * never taken.
 */
consul_status consul_election_spec_set_adopt(consul_election_spec *spec, bool adopt);

/**
 * Whether only to see who leads, without campaigning; false unless set.
 */
consul_status consul_election_spec_set_observe_only(consul_election_spec *spec, bool observe_only);

/**
 * For how long the key may be unreadable before the leader counts as lost, 1000 ms at least; the
 * session's TTL by default. The session's own deadline ends it in any case.
 */
consul_status consul_election_spec_set_monitor_retry_ms(consul_election_spec *spec,
                                                        uint64_t monitor_retry_ms);

/**
 * With what token, datacenter, namespace and partition the election calls; `options` may be NULL, for
 * the client's. The rest of the options is not used.
 */
consul_status consul_election_spec_set_options(consul_election_spec *spec,
                                               const consul_options *options);

/**
 * Ends the description of an election; elections that were started from it stay. NULL is fine.
 */
void consul_election_spec_free(consul_election_spec *spec);

/**
 * Somebody else leads, or nobody, or the leader has changed its value; `consul_election_leader`
 * tells. The first one comes as soon as Consul has told who leads, even if nobody does. However often
 * it changes before the event is taken, there is one.
 */
#define CONSUL_EVENT_ELECTION_CHANGED 12

/**
 * This candidate leads.
 */
#define CONSUL_EVENT_ELECTION_WON 13

/**
 * This candidate does not lead any more: the status is `CONSUL_ERR_LOCK_LOST`, or
 * `CONSUL_ERR_CLOSED`, and the error's message tells why. It campaigns on. Not told when it resigned.
 * However often it wins and loses before the events are taken, the last of them tells how it is.
 */
#define CONSUL_EVENT_ELECTION_LOST 14

/**
 * The last event of an election: `CONSUL_ERR_CANCELLED` when it was freed or its tag was cancelled,
 * `CONSUL_ERR_CLOSED` when its client was closed.
 */
#define CONSUL_EVENT_ELECTION_ENDED 15

/**
 * Who led when it was asked.
 */
typedef struct consul_leadership {
    /**
     * What the leader wrote; any byte can be in it. Never NULL.
     */
    const uint8_t *value;
    /**
     * The bytes in `value`.
     */
    size_t value_len;
    /**
     * The session that it leads with; empty when nobody leads.
     */
    const char *session;
    /**
     * The bytes in `session`.
     */
    size_t session_len;
    /**
     * The Consul node of that session; empty where Consul could not tell, or the token may not read
     * sessions.
     */
    const char *node;
    /**
     * The bytes in `node`.
     */
    size_t node_len;
    /**
     * The index of the last write to the key: the leader's fencing token, unless the leader has
     * changed its value since. It is never lower, and grows from leader to leader. 0 when nobody
     * leads.
     */
    uint64_t modify_index;
    /**
     * How often the key was acquired since it exists; 0 where that is not known.
     */
    uint64_t lock_index;
    /**
     * 0 before anything was heard of Consul; it grows with each change.
     */
    uint64_t version;
    /**
     * Somebody leads.
     */
    bool is_present;
    /**
     * It is the candidate that was asked.
     */
    bool is_self;
} consul_leadership;

/**
 * Starts an election from a copy of its description: observes its key, and campaigns unless it is
 * only to observe. Returns at once; that Consul is away is no error. `CONSUL_ERR_ARGUMENT` when a
 * key, TTL, lock-delay or window cannot be. Free it with `consul_election_free`.
 */
consul_status consul_election_start(const consul_client *client,
                                    const consul_election_spec *spec,
                                    consul_election **out);

/**
 * Campaigns from now on, if it does not: after it resigned, or only observed. Returns at once.
 */
consul_status consul_election_campaign(const consul_election *election);

/**
 * Campaigns no more, and gives the key back where this candidate leads: another one leads at once,
 * without a lock-delay. It goes on observing. That it did not lead is no error. After any error it
 * does not lead either, and the library goes on giving the key back in the background. Where an
 * attempt may just have won it waits for that answer, for 5 s at most.
 */
consul_status consul_election_resign(const consul_election *election, const consul_async *async);

/**
 * Changes what the others read while this candidate leads: at once where it does, and for all its
 * terms from now on. `CONSUL_ERR_LOCK_LOST` where it turns out not to lead any more,
 * `CONSUL_ERR_TOO_LARGE` for a value above `max_value_bytes`.
 */
consul_status consul_election_set_value(const consul_election *election,
                                        const uint8_t *value,
                                        size_t value_len,
                                        const consul_async *async);

/**
 * True while this candidate leads, judged by the clock at this moment: false from the moment on at
 * which that cannot be known any more. Makes no request.
 */
bool consul_election_is_leader(const consul_election *election);

/**
 * How long it is known to lead if nothing is heard of Consul from now on; 0 when it does not lead.
 */
uint64_t consul_election_remaining_ms(const consul_election *election);

/**
 * The fencing token of this candidate's last term: the index of the write that began it; 0 when there
 * was none. It grows with each term of anybody, so a store that refuses lower tokens than it has seen
 * is safe from late writers. It fills 64 bits.
 */
uint64_t consul_election_fencing_token(const consul_election *election);

/**
 * The id of the session that this candidate leads with, for `consul_kv_put_held`. `CONSUL_NOT_FOUND`
 * while it does not lead.
 */
consul_status consul_election_session_id(const consul_election *election,
                                         consul_text **out);

/**
 * Who leads, as far as Consul has told. Makes no request; what was known stays while Consul cannot be
 * asked. Free it with `consul_leader_free`.
 */
consul_status consul_election_leader(const consul_election *election,
                                     consul_leader **out);

/**
 * Waits until this candidate leads; -1 waits for ever. `CONSUL_NO_CHANGE` when it does not after this
 * time, `CONSUL_ERR_CANCELLED` once the election is freed, `CONSUL_ERR_CLOSED` once its client is
 * closed.
 */
consul_status consul_election_wait_elected(const consul_election *election,
                                           int64_t timeout_ms);

/**
 * As `consul_election_wait_elected`, which it is where `async` is NULL; else the end of the wait
 * arrives in a queue. `consul_election_set_queue` tells of each change without being asked again.
 */
consul_status consul_election_wait_elected_async(const consul_election *election,
                                                 int64_t timeout_ms,
                                                 const consul_async *async);

/**
 * Waits until somebody leads, this candidate or another, and gives who; -1 waits for ever.
 * `CONSUL_NO_CHANGE` when nobody does after this time. As `consul_election_wait_elected`.
 */
consul_status consul_election_wait_leader(const consul_election *election,
                                          int64_t timeout_ms,
                                          consul_leader **out);

/**
 * As `consul_election_wait_leader`, which it is where `async` is NULL; else the end of the wait
 * arrives in a queue.
 */
consul_status consul_election_wait_leader_async(const consul_election *election,
                                                int64_t timeout_ms,
                                                const consul_async *async,
                                                consul_leader **out);

/**
 * Waits for something newer than this version of `consul_leadership`, and gives it; -1 waits for
 * ever. `CONSUL_NO_CHANGE` when there was nothing. As `consul_election_wait_elected`.
 */
consul_status consul_election_wait_change(const consul_election *election,
                                          uint64_t version,
                                          int64_t timeout_ms,
                                          consul_leader **out);

/**
 * As `consul_election_wait_change`, which it is where `async` is NULL; else the end of the wait
 * arrives in a queue.
 */
consul_status consul_election_wait_change_async(const consul_election *election,
                                                uint64_t version,
                                                int64_t timeout_ms,
                                                const consul_async *async,
                                                consul_leader **out);

/**
 * Has what happens in the election arrive in a queue from now on, as events of the types
 * `CONSUL_EVENT_ELECTION_...` under `tag`, without counting among the calls in flight; at once of who
 * leads where that is known. In one queue at a time; `queue` may be NULL, which ends that without an
 * event. `consul_queue_cancel` of its tag ends it with one.
 */
consul_status consul_election_set_queue(const consul_election *election,
                                        consul_queue *queue,
                                        uint64_t tag);

/**
 * Ends an election: waits in it end with `CONSUL_ERR_CANCELLED`, and it resigns in the background.
 * NULL is fine.
 */
void consul_election_free(consul_election *election);

/**
 * What was asked for; NULL for a handle that is not live. Borrowed: valid until `leader` is freed.
 */
const consul_leadership *consul_leader_row(const consul_leader *leader);

/**
 * Ends an answer. NULL is fine.
 */
void consul_leader_free(consul_leader *leader);


/*
 * Services, nodes and checks
 * ==========================
 *
 * What answers about health, the agent and the catalog are made of. Strings come from Consul, so
 * each has its length beside it; none is NULL.
 */

/**
 * A health check and what it found last.
 */
typedef struct consul_check {
    /**
     * The node that it belongs to.
     */
    const char *node;
    /**
     * The bytes in `node`.
     */
    size_t node_len;
    /**
     * Its id, unique on its node.
     */
    const char *check_id;
    /**
     * The bytes in `check_id`.
     */
    size_t check_id_len;
    /**
     * Its name.
     */
    const char *name;
    /**
     * The bytes in `name`.
     */
    size_t name_len;
    /**
     * `passing`, `warning` or `critical`. The catalog takes any other word too.
     */
    const char *status;
    /**
     * The bytes in `status`.
     */
    size_t status_len;
    /**
     * What its owner wrote about it.
     */
    const char *notes;
    /**
     * The bytes in `notes`.
     */
    size_t notes_len;
    /**
     * What it said last.
     */
    const char *output;
    /**
     * The bytes in `output`.
     */
    size_t output_len;
    /**
     * The id of the service that it is about; empty when it is about the whole node.
     */
    const char *service_id;
    /**
     * The bytes in `service_id`.
     */
    size_t service_id_len;
    /**
     * The name of that service.
     */
    const char *service;
    /**
     * The bytes in `service`.
     */
    size_t service_len;
    /**
     * The tags of that service.
     */
    const char *const *service_tags;
    /**
     * How many `service_tags` there are.
     */
    size_t service_tag_count;
    /**
     * How it checks, such as `ttl` or `http`; empty where Consul does not tell.
     */
    const char *kind;
    /**
     * The bytes in `kind`.
     */
    size_t kind_len;
    /**
     * The index of the write that made it; 0 from an agent, which has no indexes.
     */
    uint64_t create_index;
    /**
     * The index of the last write to it; 0 from an agent.
     */
    uint64_t modify_index;
} consul_check;

/**
 * How many checks there are; 0 for a handle that is not live.
 */
size_t consul_checks_count(const consul_checks *checks);

/**
 * One of the checks; NULL past the end. Borrowed: valid until `checks` is freed.
 */
const consul_check *consul_checks_at(const consul_checks *checks, size_t index);

/**
 * What the checks come to: `maintenance` is worse than `critical`, than `warning`, than `passing`,
 * which is also what no checks come to. Empty when one has a status that is none of Consul's
 * words; NULL for a handle that is not live.
 */
const char *consul_checks_aggregated_status(const consul_checks *checks);

/**
 * What the answer's headers say. Borrowed: valid until `checks` is freed.
 */
const consul_meta *consul_checks_meta(const consul_checks *checks);

/**
 * Ends an answer. NULL is fine.
 */
void consul_checks_free(consul_checks *checks);

/**
 * A node: a machine that an agent runs on, or one that was registered from outside.
 */
typedef struct consul_node {
    /**
     * Its name.
     */
    const char *name;
    /**
     * The bytes in `name`.
     */
    size_t name_len;
    /**
     * Its UUID; empty where it was registered without one.
     */
    const char *id;
    /**
     * The bytes in `id`.
     */
    size_t id_len;
    /**
     * Its address.
     */
    const char *address;
    /**
     * The bytes in `address`.
     */
    size_t address_len;
    /**
     * The datacenter it is in.
     */
    const char *datacenter;
    /**
     * The bytes in `datacenter`.
     */
    size_t datacenter_len;
    /**
     * The names of its addresses, such as `lan` and `wan`.
     */
    const char *const *tagged_address_names;
    /**
     * These addresses, as many.
     */
    const char *const *tagged_addresses;
    /**
     * How many `tagged_addresses` there are.
     */
    size_t tagged_address_count;
    /**
     * The keys of its metadata.
     */
    const char *const *meta_keys;
    /**
     * Their values, as many.
     */
    const char *const *meta_values;
    /**
     * How many `meta_keys` there are.
     */
    size_t meta_count;
    /**
     * The index of the write that made it; 0 where the answer does not tell.
     */
    uint64_t create_index;
    /**
     * The index of the last write to it; 0 where the answer does not tell.
     */
    uint64_t modify_index;
} consul_node;

/**
 * How many nodes there are; 0 for a handle that is not live.
 */
size_t consul_nodes_count(const consul_nodes *nodes);

/**
 * One of the nodes; NULL past the end. Borrowed: valid until `nodes` is freed.
 */
const consul_node *consul_nodes_at(const consul_nodes *nodes, size_t index);

/**
 * What the answer's headers say. Borrowed: valid until `nodes` is freed.
 */
const consul_meta *consul_nodes_meta(const consul_nodes *nodes);

/**
 * Ends an answer. NULL is fine.
 */
void consul_nodes_free(consul_nodes *nodes);

/**
 * One of a service's addresses.
 */
typedef struct consul_service_address {
    /**
     * Its name, such as `lan` or `wan`.
     */
    const char *name;
    /**
     * The bytes in `name`.
     */
    size_t name_len;
    /**
     * The host.
     */
    const char *address;
    /**
     * The bytes in `address`.
     */
    size_t address_len;
    /**
     * The port.
     */
    uint32_t port;
} consul_service_address;

/**
 * An instance of a service.
 */
typedef struct consul_service {
    /**
     * Its id, unique on its node.
     */
    const char *id;
    /**
     * The bytes in `id`.
     */
    size_t id_len;
    /**
     * The name of the service.
     */
    const char *name;
    /**
     * The bytes in `name`.
     */
    size_t name_len;
    /**
     * Where it listens; empty means at its node's address.
     */
    const char *address;
    /**
     * The bytes in `address`.
     */
    size_t address_len;
    /**
     * What it is when it is no plain service, such as `connect-proxy`.
     */
    const char *kind;
    /**
     * The bytes in `kind`.
     */
    size_t kind_len;
    /**
     * Its tags.
     */
    const char *const *tags;
    /**
     * How many `tags` there are.
     */
    size_t tag_count;
    /**
     * The keys of its metadata.
     */
    const char *const *meta_keys;
    /**
     * Their values, as many.
     */
    const char *const *meta_values;
    /**
     * How many `meta_keys` there are.
     */
    size_t meta_count;
    /**
     * Its addresses by name.
     */
    const consul_service_address *const *tagged_addresses;
    /**
     * How many `tagged_addresses` there are.
     */
    size_t tagged_address_count;
    /**
     * How a proxy is set up, as JSON; empty for what is no proxy.
     */
    const char *proxy_json;
    /**
     * The bytes in `proxy_json`.
     */
    size_t proxy_json_len;
    /**
     * How it takes part in the service mesh, as JSON; empty where the answer does not tell.
     */
    const char *connect_json;
    /**
     * The bytes in `connect_json`.
     */
    size_t connect_json_len;
    /**
     * What `consul_agent_service` compares to tell whether it has changed; empty elsewhere.
     */
    const char *content_hash;
    /**
     * The bytes in `content_hash`.
     */
    size_t content_hash_len;
    /**
     * The index of the write that made it; 0 from an agent, which has no indexes.
     */
    uint64_t create_index;
    /**
     * The index of the last write to it; 0 from an agent.
     */
    uint64_t modify_index;
    /**
     * The port it listens at, 0 when it has none.
     */
    uint32_t port;
    /**
     * How much of the traffic it shall get while it is passing, compared with other instances.
     */
    uint32_t weight_passing;
    /**
     * The same while it is warning.
     */
    uint32_t weight_warning;
    /**
     * Whether its tags may be changed in the catalog, past its agent.
     */
    bool enable_tag_override;
} consul_service;

/**
 * How many services there are; 0 for a handle that is not live.
 */
size_t consul_services_count(const consul_services *services);

/**
 * One of the services; NULL past the end. Borrowed: valid until `services` is freed.
 */
const consul_service *consul_services_at(const consul_services *services, size_t index);

/**
 * The node that the services are on; NULL where the answer is not about a node. Borrowed: valid
 * until `services` is freed.
 */
const consul_node *consul_services_node(const consul_services *services);

/**
 * What the answer's headers say. Borrowed: valid until `services` is freed.
 */
const consul_meta *consul_services_meta(const consul_services *services);

/**
 * Ends an answer. NULL is fine.
 */
void consul_services_free(consul_services *services);

/**
 * An instance of a service with its node and the checks of both.
 */
typedef struct consul_service_entry {
    /**
     * The instance. Never NULL.
     */
    const consul_service *service;
    /**
     * The node it runs on. Never NULL; empty from an agent, which tells of its own node only.
     */
    const consul_node *node;
    /**
     * Where to connect to: the instance's address, or else its node's.
     */
    const char *address;
    /**
     * The bytes in `address`.
     */
    size_t address_len;
    /**
     * The checks of the instance and of its node; the catalog tells none.
     */
    const consul_check *const *checks;
    /**
     * How many `checks` there are.
     */
    size_t check_count;
    /**
     * What the checks come to: `passing`, `warning`, `critical` or `maintenance`. Empty from the
     * catalog, and when a check has a status that is none of Consul's words.
     */
    const char *status;
    /**
     * The bytes in `status`.
     */
    size_t status_len;
} consul_service_entry;

/**
 * How many instances there are; 0 for a handle that is not live.
 */
size_t consul_service_entries_count(const consul_service_entries *entries);

/**
 * One of the instances; NULL past the end. Borrowed: valid until `entries` is freed.
 */
const consul_service_entry *consul_service_entries_at(const consul_service_entries *entries,
                                                             size_t index);

/**
 * What the answer's headers say. Borrowed: valid until `entries` is freed.
 */
const consul_meta *consul_service_entries_meta(const consul_service_entries *entries);

/**
 * Ends an answer. NULL is fine.
 */
void consul_service_entries_free(consul_service_entries *entries);


/*
 * Health
 * ======
 *
 * Where services run, and how they are. `near`, `filter`, node metadata, consistency and blocking
 * are set in the options.
 *
 *     consul_service_entries *web = NULL;
 *     if (consul_health_service(client, "web", true, NULL, 0, NULL, NULL, &web) == CONSUL_OK)
 *         for (size_t i = 0; i < consul_service_entries_count(web); i++) {
 *             const consul_service_entry *entry = consul_service_entries_at(web, i);
 *             printf("%s:%u\n", entry->address, (unsigned)entry->service->port);
 *         }
 *     consul_service_entries_free(web);
 */

/**
 * Finds the instances of a service that have all of these tags (NULL and 0: whatever their tags);
 * with `passing` only those whose checks all pass, their node's included. Finding none is
 * `CONSUL_OK` with a count of 0.
 */
consul_status consul_health_service(const consul_client *client,
                                    const char *service,
                                    bool passing,
                                    const char *const *tags,
                                    size_t tag_count,
                                    const consul_options *options,
                                    const consul_async *async,
                                    consul_service_entries **out);

/**
 * Finds what to connect to in the service mesh for a service: its proxies, and those instances
 * that speak for themselves.
 */
consul_status consul_health_connect(const consul_client *client,
                                    const char *service,
                                    bool passing,
                                    const char *const *tags,
                                    size_t tag_count,
                                    const consul_options *options,
                                    const consul_async *async,
                                    consul_service_entries **out);

/**
 * Finds the ingress gateways that let traffic in for a service.
 */
consul_status consul_health_ingress(const consul_client *client,
                                    const char *service,
                                    bool passing,
                                    const char *const *tags,
                                    size_t tag_count,
                                    const consul_options *options,
                                    const consul_async *async,
                                    consul_service_entries **out);

/**
 * Reads the checks of a node and of what runs on it; none for a node that does not exist.
 */
consul_status consul_health_node(const consul_client *client,
                                 const char *node,
                                 const consul_options *options,
                                 const consul_async *async,
                                 consul_checks **out);

/**
 * Reads the checks of a service's instances, those of their nodes left out.
 */
consul_status consul_health_checks(const consul_client *client,
                                   const char *service,
                                   const consul_options *options,
                                   const consul_async *async,
                                   consul_checks **out);

/**
 * Reads the checks that are in this state: `any`, `passing`, `warning` or `critical`.
 */
consul_status consul_health_state(const consul_client *client,
                                  const char *state,
                                  const consul_options *options,
                                  const consul_async *async,
                                  consul_checks **out);


/*
 * Registering checks
 * ==================
 *
 * A check has exactly one kind: `ttl`, `http`, `tcp`, `grpc`, `script` or `alias`. Every kind that
 * the agent runs needs an interval. What does not fit together gives `CONSUL_ERR_ARGUMENT` when it
 * is registered, before anything is sent.
 */

/**
 * Describes a check; `name` may be NULL for one within a service, which Consul names then. Free it
 * with `consul_check_spec_free`.
 */
consul_status consul_check_spec_new(const char *name, consul_check_spec **out);

/**
 * Its id, unique on the agent; its name when it is not set.
 */
consul_status consul_check_spec_set_id(consul_check_spec *spec, const char *id);

/**
 * A text for people.
 */
consul_status consul_check_spec_set_notes(consul_check_spec *spec, const char *notes);

/**
 * The service that it is about, by its id; the whole node when it is not set. A check within a
 * service is about that service and takes none.
 */
consul_status consul_check_spec_set_service_id(consul_check_spec *spec, const char *service_id);

/**
 * What it is until it has first checked: `passing`, `warning` or `critical`, which it is when this
 * is not set.
 */
consul_status consul_check_spec_set_status(consul_check_spec *spec, const char *status);

/**
 * Makes it a TTL check: it turns critical when nobody reports on it for this long.
 */
consul_status consul_check_spec_set_ttl_ms(consul_check_spec *spec, uint64_t ttl_ms);

/**
 * Makes it an HTTP check: the agent asks this URL. 2xx passes, 429 warns, all else is critical.
 */
consul_status consul_check_spec_set_http(consul_check_spec *spec, const char *url);

/**
 * The method of an HTTP check; GET when it is not set.
 */
consul_status consul_check_spec_set_http_method(consul_check_spec *spec, const char *method);

/**
 * One more header of an HTTP check.
 */
consul_status consul_check_spec_add_http_header(consul_check_spec *spec,
                                                const char *name,
                                                const char *value);

/**
 * The body that an HTTP check sends.
 */
consul_status consul_check_spec_set_http_body(consul_check_spec *spec, const char *body);

/**
 * Leaves the certificate of an HTTP or gRPC check's server unchecked.
 */
consul_status consul_check_spec_set_tls_skip_verify(consul_check_spec *spec, bool skip);

/**
 * The name to expect in the certificate of an HTTP check's server. Consul before 1.9 refuses it.
 */
consul_status consul_check_spec_set_tls_server_name(consul_check_spec *spec, const char *name);

/**
 * Makes it a TCP check: the agent connects to `host:port`.
 */
consul_status consul_check_spec_set_tcp(consul_check_spec *spec, const char *address);

/**
 * Makes it a gRPC check: the agent asks the standard health service at `host:port` or
 * `host:port/service`.
 */
consul_status consul_check_spec_set_grpc(consul_check_spec *spec, const char *address);

/**
 * Lets a gRPC check use TLS.
 */
consul_status consul_check_spec_set_grpc_use_tls(consul_check_spec *spec, bool tls);

/**
 * Makes it a script check: the agent runs this program with these arguments. Exit code 0 passes, 1
 * warns, all else is critical. The agent's configuration must allow it.
 */
consul_status consul_check_spec_set_script(consul_check_spec *spec,
                                           const char *const *arguments,
                                           size_t count);

/**
 * Runs the script within a Docker container, by `shell`, which may be NULL for Docker's own.
 */
consul_status consul_check_spec_set_docker(consul_check_spec *spec,
                                           const char *container,
                                           const char *shell);

/**
 * Makes it an alias check: it is as healthy as the service with this id.
 */
consul_status consul_check_spec_set_alias_service(consul_check_spec *spec, const char *service_id);

/**
 * Makes it an alias check: it is as healthy as this node. Be sure that the node exists: Consul
 * 1.8.7 crashes when it does not.
 */
consul_status consul_check_spec_set_alias_node(consul_check_spec *spec, const char *node);

/**
 * How often the agent checks. It takes less than a second as a second.
 */
consul_status consul_check_spec_set_interval_ms(consul_check_spec *spec, uint64_t interval_ms);

/**
 * How long one check may take.
 */
consul_status consul_check_spec_set_timeout_ms(consul_check_spec *spec, uint64_t timeout_ms);

/**
 * Deregisters the service after it was critical for this long. Consul takes less than a minute as
 * a minute, and looks every 30 s.
 */
consul_status consul_check_spec_set_deregister_after_ms(consul_check_spec *spec, uint64_t after_ms);

/**
 * How often in a row it must succeed to turn passing; at once when it is not set. What the first
 * check finds counts at once.
 */
consul_status consul_check_spec_set_success_before_passing(consul_check_spec *spec, uint32_t times);

/**
 * How often in a row it must fail to turn critical; as above.
 */
consul_status consul_check_spec_set_failures_before_critical(consul_check_spec *spec,
                                                             uint32_t times);

/**
 * Ends a description. NULL is fine.
 */
void consul_check_spec_free(consul_check_spec *spec);


/*
 * Registering services
 * ====================
 *
 * What does not fit gives `CONSUL_ERR_ARGUMENT` when it is registered, before anything is sent.
 *
 *     consul_check_spec *ttl = NULL;
 *     consul_service_spec *web = NULL;
 *     consul_check_spec_new(NULL, &ttl);
 *     consul_check_spec_set_ttl_ms(ttl, 15000);
 *     consul_service_spec_new("web", &web);
 *     consul_service_spec_set_port(web, 8080);
 *     consul_service_spec_add_check(web, ttl);
 *     if (consul_agent_service_register(client, web, NULL, NULL) == CONSUL_OK)
 *         consul_agent_check_pass(client, "service:web", NULL, NULL, NULL);
 *     consul_service_spec_free(web);
 *     consul_check_spec_free(ttl);
 */

/**
 * Describes an instance of the service with this name. Free it with `consul_service_spec_free`.
 */
consul_status consul_service_spec_new(const char *name, consul_service_spec **out);

/**
 * Its id, unique on the agent; its name when it is not set.
 */
consul_status consul_service_spec_set_id(consul_service_spec *spec, const char *id);

/**
 * One more tag.
 */
consul_status consul_service_spec_add_tag(consul_service_spec *spec, const char *tag);

/**
 * Where it listens; the node's address when it is not set. `0.0.0.0` and `::` lead nobody there
 * and are refused.
 */
consul_status consul_service_spec_set_address(consul_service_spec *spec, const char *address);

/**
 * The port it listens at, 0 to 65535.
 */
consul_status consul_service_spec_set_port(consul_service_spec *spec, uint32_t port);

/**
 * One more pair of metadata: at most 64, the key of 1 to 128 letters, digits, `-` and `_`, the
 * value of at most 512 bytes. Keys that begin with `consul-` are Consul's own.
 */
consul_status consul_service_spec_add_meta(consul_service_spec *spec,
                                           const char *key,
                                           const char *value);

/**
 * One more address, such as `wan`.
 */
consul_status consul_service_spec_add_tagged_address(consul_service_spec *spec,
                                                     const char *name,
                                                     const char *address,
                                                     uint32_t port);

/**
 * How much of the traffic it shall get, compared with the other instances: while passing, 1 to
 * 65535, and while warning, 0 to 65535. 1 and 1 when it is not set.
 */
consul_status consul_service_spec_set_weights(consul_service_spec *spec,
                                              uint32_t passing,
                                              uint32_t warning);

/**
 * Lets others change its tags in the catalog without the agent undoing it.
 */
consul_status consul_service_spec_set_enable_tag_override(consul_service_spec *spec, bool enable);

/**
 * What it is when it is no plain service, such as `connect-proxy` or `ingress-gateway`.
 */
consul_status consul_service_spec_set_kind(consul_service_spec *spec, const char *kind);

/**
 * How a proxy is set up: the `Proxy` of Consul's API.
 */
consul_status consul_service_spec_set_proxy_json(consul_service_spec *spec, const char *json);

/**
 * How it takes part in the service mesh: the `Connect` of Consul's API, such as `{"Native":
 * true}`, or `{"SidecarService": {}}` to register a proxy along with it.
 */
consul_status consul_service_spec_set_connect_json(consul_service_spec *spec, const char *json);

/**
 * One more check; `check` stays the caller's. Without an id it is `service:ID`, or `service:ID:1`
 * and so on where there are several.
 */
consul_status consul_service_spec_add_check(consul_service_spec *spec,
                                            const consul_check_spec *check);

/**
 * Removes the checks that the service has and that are not described here. They stay otherwise.
 */
consul_status consul_service_spec_set_replace_existing_checks(consul_service_spec *spec,
                                                              bool replace);

/**
 * Ends a description; the service stays registered. NULL is fine.
 */
void consul_service_spec_free(consul_service_spec *spec);


/*
 * Services that stay registered
 * =============================
 *
 * The library registers a service, sends its heartbeat from a thread of its own, and registers it
 * again when the agent has lost it, with the status that it had. Beside the checks of its
 * description the service gets a TTL check, `service:ID:ttl`. An id belongs to one handle: two that
 * keep the same id undo each other's changes.
 *
 *     consul_service_spec *web = NULL;
 *     consul_kept_service_spec *spec = NULL;
 *     consul_kept_service *service = NULL;
 *     consul_service_spec_new("web", &web);
 *     consul_service_spec_set_port(web, 8080);
 *     consul_kept_service_spec_new(web, &spec);
 *     consul_kept_service_spec_set_deregister_after_ms(spec, 600000);
 *     consul_kept_service_new(client, spec, &service);
 *     consul_kept_service_spec_free(spec);
 *     consul_service_spec_free(web);
 *     if (consul_kept_service_start(service, NULL) == CONSUL_OK)
 *         consul_kept_service_set_status(service, "warning", "cache is cold");
 *     consul_kept_service_close(service, NULL);
 *     consul_kept_service_free(service);
 */

/**
 * Describes a service that stays registered: this service, with a TTL of 15 s and a heartbeat in
 * the background, passing from the start. `service` stays the caller's. Everything in it is
 * checked by `consul_kept_service_new`. Free it with `consul_kept_service_spec_free`.
 */
consul_status consul_kept_service_spec_new(const consul_service_spec *service,
                                           consul_kept_service_spec **out);

/**
 * After how long without a heartbeat the agent takes it for critical, 1000 ms at least. 0 for a
 * service without a heartbeat: it stays registered, and only its own checks tell how it is.
 */
consul_status consul_kept_service_spec_set_ttl_ms(consul_kept_service_spec *spec, uint64_t ttl_ms);

/**
 * Whether the program must call `consul_kept_service_pat` at least once a TTL: without it the
 * service turns critical. Otherwise it passes as long as the process lives, whatever the program's
 * threads do.
 */
consul_status consul_kept_service_spec_set_must_pat(consul_kept_service_spec *spec, bool must_pat);

/**
 * What it is until the program says otherwise: `passing`, which it is when this is not set,
 * `warning` or `critical`.
 */
consul_status consul_kept_service_spec_set_status(consul_kept_service_spec *spec,
                                                  const char *status);

/**
 * The note of its heartbeat until the program says otherwise; empty when it is not set. It stays
 * the same from one heartbeat to the next, since every change wakes all who watch the service.
 */
consul_status consul_kept_service_spec_set_note(consul_kept_service_spec *spec, const char *note);

/**
 * Has the agent deregister it after it was critical for this long: what a program that was killed
 * leaves behind. Consul takes less than a minute as a minute, and looks every 30 s.
 */
consul_status consul_kept_service_spec_set_deregister_after_ms(consul_kept_service_spec *spec,
                                                               uint64_t deregister_after_ms);

/**
 * With what token, namespace and partition it is registered; `options` may be NULL, for the
 * client's. The rest of the options is not used.
 */
consul_status consul_kept_service_spec_set_options(consul_kept_service_spec *spec,
                                                   const consul_options *options);

/**
 * Ends a description; services that were made from it stay. NULL is fine.
 */
void consul_kept_service_spec_free(consul_kept_service_spec *spec);

/**
 * Makes a service to keep registered from a copy of its description. Sends nothing.
 * `CONSUL_ERR_ARGUMENT` when something in the description cannot be. Free it with
 * `consul_kept_service_free`.
 */
consul_status consul_kept_service_new(const consul_client *client,
                                      const consul_kept_service_spec *spec,
                                      consul_kept_service **out);

/**
 * Registers it, and keeps it registered from then on. An error says how the first try went, that it
 * was cancelled too: the library goes on trying all the same. `CONSUL_OK` also when it was started before,
 * `CONSUL_ERR_CLOSED` when it or its client was closed.
 */
consul_status consul_kept_service_start(const consul_kept_service *service,
                                        const consul_async *async);

/**
 * Lets it alone from now on: it stays registered, and its heartbeat ends. Returns at once. It can
 * be started again.
 */
consul_status consul_kept_service_stop(const consul_kept_service *service);

/**
 * Deregisters it from its agent and says how that went. After an error the library goes on trying
 * in the background for two TTLs, a minute at least.
 */
consul_status consul_kept_service_close(const consul_kept_service *service,
                                        const consul_async *async);

/**
 * Says how the program is from now on: `passing`, `warning` or `critical`. `note` is for people
 * and may be NULL; every change of it wakes all who watch the service. Returns at once: the agent
 * is told within a round trip, and every heartbeat says it again. `CONSUL_ERR_ARGUMENT` when the
 * service has no TTL.
 */
consul_status consul_kept_service_set_status(const consul_kept_service *service,
                                             const char *status,
                                             const char *note);

/**
 * Says that the program is as it said last. One that must pat does so at least once a TTL. Costs
 * no request, unless the program was silent for too long.
 */
consul_status consul_kept_service_pat(const consul_kept_service *service);

/**
 * Changes what is registered; nothing is sent when it is the same. Its id stays, or this is
 * `CONSUL_ERR_ARGUMENT`. Returns at once.
 */
consul_status consul_kept_service_set_spec(const consul_kept_service *service,
                                           const consul_service_spec *spec);

/**
 * Registers it anew with this token, and uses it from then on; `token` may be NULL, for the
 * client's. An agent keeps the token of a registration, so the service would vanish once an old one
 * ends. Returns at once.
 */
consul_status consul_kept_service_set_token(const consul_kept_service *service, const char *token);

/**
 * Puts it into maintenance, or ends that. `reason` is for people and may be NULL. An agent that
 * loses the service gets it back in maintenance. `CONSUL_NOT_FOUND` when it is not registered.
 */
consul_status consul_kept_service_maintenance(const consul_kept_service *service,
                                              bool enable,
                                              const char *reason,
                                              const consul_async *async);

/**
 * What the program said last, or `critical` when it must pat and was silent for a TTL: `passing`,
 * `warning` or `critical`. NULL for a handle that is not live. Valid for ever.
 */
const char *consul_kept_service_status(const consul_kept_service *service);

/**
 * The id that it is registered by; NULL for a handle that is not live. Borrowed: valid until the
 * service is freed.
 */
const char *consul_kept_service_id(const consul_kept_service *service);

/**
 * The id of the TTL check that the library reports on; as `consul_kept_service_id`.
 */
const char *consul_kept_service_check_id(const consul_kept_service *service);

/**
 * Whether the agent is known to have it, as of the last exchange.
 */
bool consul_kept_service_is_registered(const consul_kept_service *service);

/**
 * How often it was written to an agent: 1 after the start, and more each time it was lost or
 * changed; 0 for a handle that is not live.
 */
uint64_t consul_kept_service_registrations(const consul_kept_service *service);

/**
 * Ends a service: it is deregistered in the background, unless it was stopped. NULL is fine.
 */
void consul_kept_service_free(consul_kept_service *service);


/*
 * The agent
 * =========
 *
 * The agent that the client talks to. It passes on what is registered with it; a moment may go by
 * until the catalog and other nodes see it.
 */

/**
 * Registers a service with its checks, or changes the one that has its id.
 */
consul_status consul_agent_service_register(const consul_client *client,
                                            const consul_service_spec *spec,
                                            const consul_options *options,
                                            const consul_async *async);

/**
 * Deregisters a service with its checks. `CONSUL_OK` also when it was not registered.
 */
consul_status consul_agent_service_deregister(const consul_client *client,
                                              const char *service_id,
                                              const consul_options *options,
                                              const consul_async *async);

/**
 * Registers a check, or changes the one that has its id. A check of a service needs that service
 * to be registered.
 */
consul_status consul_agent_check_register(const consul_client *client,
                                          const consul_check_spec *spec,
                                          const consul_options *options,
                                          const consul_async *async);

/**
 * Deregisters a check. `CONSUL_OK` also when it was not registered.
 */
consul_status consul_agent_check_deregister(const consul_client *client,
                                            const char *check_id,
                                            const consul_options *options,
                                            const consul_async *async);

/**
 * Reports a TTL check as passing. `CONSUL_NOT_FOUND` when the agent has no such TTL check. `note`
 * is for people and may be NULL. Every change of it wakes all who watch the service, so a constant
 * one is best.
 */
consul_status consul_agent_check_pass(const consul_client *client,
                                      const char *check_id,
                                      const char *note,
                                      const consul_options *options,
                                      const consul_async *async);

/**
 * Reports a TTL check as warning. `note` may be NULL, and all is as for `consul_agent_check_pass`.
 */
consul_status consul_agent_check_warn(const consul_client *client,
                                      const char *check_id,
                                      const char *note,
                                      const consul_options *options,
                                      const consul_async *async);

/**
 * Reports a TTL check as critical. `note` may be NULL, and all is as for
 * `consul_agent_check_pass`.
 */
consul_status consul_agent_check_fail(const consul_client *client,
                                      const char *check_id,
                                      const char *note,
                                      const consul_options *options,
                                      const consul_async *async);

/**
 * Reports the status of a TTL check, `passing`, `warning` or `critical`, with its output. `output`
 * may be NULL; the agent keeps 4096 bytes of it. All is as for `consul_agent_check_pass`.
 */
consul_status consul_agent_check_update(const consul_client *client,
                                        const char *check_id,
                                        const char *status,
                                        const char *output,
                                        const consul_options *options,
                                        const consul_async *async);

/**
 * Puts the agent's node into maintenance, or ends it: none of its services counts as healthy.
 * `reason` is for people and may be NULL.
 */
consul_status consul_agent_maintenance(const consul_client *client,
                                       bool enable,
                                       const char *reason,
                                       const consul_options *options,
                                       const consul_async *async);

/**
 * Puts one service into maintenance, or ends it. `CONSUL_NOT_FOUND` when it is not registered.
 * `reason` is for people and may be NULL.
 */
consul_status consul_agent_service_maintenance(const consul_client *client,
                                               const char *service_id,
                                               bool enable,
                                               const char *reason,
                                               const consul_options *options,
                                               const consul_async *async);

/**
 * Reads the services that are registered with the agent.
 */
consul_status consul_agent_services(const consul_client *client,
                                    const consul_options *options,
                                    const consul_async *async,
                                    consul_services **out);

/**
 * Reads a service that is registered with the agent; `CONSUL_NOT_FOUND` when there is none, with
 * an empty answer in `out`. With the `content_hash` of an earlier answer it waits until the
 * service is not as it was, or the `wait_ms` of the options are over. `content_hash` may be NULL.
 */
consul_status consul_agent_service(const consul_client *client,
                                   const char *service_id,
                                   const char *content_hash,
                                   const consul_options *options,
                                   const consul_async *async,
                                   consul_services **out);

/**
 * Reads the checks that the agent runs.
 */
consul_status consul_agent_checks(const consul_client *client,
                                  const consul_options *options,
                                  const consul_async *async,
                                  consul_checks **out);

/**
 * Reads how a service on this agent is; `CONSUL_NOT_FOUND` when it is not registered, with an
 * empty answer in `out`.
 */
consul_status consul_agent_service_health(const consul_client *client,
                                          const char *service_id,
                                          const consul_options *options,
                                          const consul_async *async,
                                          consul_service_entries **out);

/**
 * Reads how the instances of a service on this agent are, by its name. Finding none is `CONSUL_OK`
 * with a count of 0.
 */
consul_status consul_agent_services_health(const consul_client *client,
                                           const char *service,
                                           const consul_options *options,
                                           const consul_async *async,
                                           consul_service_entries **out);

/**
 * The status of a member is not known.
 */
#define CONSUL_MEMBER_NONE 0

/**
 * A member answers.
 */
#define CONSUL_MEMBER_ALIVE 1

/**
 * A member is about to leave.
 */
#define CONSUL_MEMBER_LEAVING 2

/**
 * A member has left.
 */
#define CONSUL_MEMBER_LEFT 3

/**
 * A member does not answer any more.
 */
#define CONSUL_MEMBER_FAILED 4

/**
 * Who an agent is.
 */
typedef struct consul_agent_row {
    /**
     * The name of its node.
     */
    const char *node_name;
    /**
     * The bytes in `node_name`.
     */
    size_t node_name_len;
    /**
     * The UUID of its node.
     */
    const char *node_id;
    /**
     * The bytes in `node_id`.
     */
    size_t node_id_len;
    /**
     * The datacenter it is in.
     */
    const char *datacenter;
    /**
     * The bytes in `datacenter`.
     */
    size_t datacenter_len;
    /**
     * Its version, such as `1.8.7`.
     */
    const char *version;
    /**
     * The bytes in `version`.
     */
    size_t version_len;
    /**
     * The whole answer, JSON: its configuration, statistics and more.
     */
    const char *json;
    /**
     * The bytes in `json`.
     */
    size_t json_len;
    /**
     * Whether it is a server.
     */
    bool is_server;
} consul_agent_row;

/**
 * A member of a gossip pool.
 */
typedef struct consul_member {
    /**
     * Its name: its node's, in the pool that joins the datacenters with `.datacenter` behind it.
     */
    const char *name;
    /**
     * The bytes in `name`.
     */
    size_t name_len;
    /**
     * Its address for gossip.
     */
    const char *address;
    /**
     * The bytes in `address`.
     */
    size_t address_len;
    /**
     * `status` as Consul's word: `alive`, `failed` and so on.
     */
    const char *status_name;
    /**
     * The bytes in `status_name`.
     */
    size_t status_name_len;
    /**
     * The keys of what it tells of itself, such as `role`, `dc` and `build`.
     */
    const char *const *tag_keys;
    /**
     * Their values, as many.
     */
    const char *const *tag_values;
    /**
     * How many `tag_keys` there are.
     */
    size_t tag_count;
    /**
     * How it is: `CONSUL_MEMBER_...`.
     */
    int32_t status;
    /**
     * Its port for gossip.
     */
    uint32_t port;
    /**
     * Whether it is a server.
     */
    bool is_server;
} consul_member;

/**
 * Reads who the agent is and how it is configured.
 */
consul_status consul_agent_self(const consul_client *client,
                                const consul_options *options,
                                const consul_async *async,
                                consul_agent_info **out);

/**
 * Who the agent is; NULL for a handle that is not live. Borrowed: valid until `info` is freed.
 */
const consul_agent_row *consul_agent_info_row(const consul_agent_info *info);

/**
 * Ends an answer. NULL is fine.
 */
void consul_agent_info_free(consul_agent_info *info);

/**
 * Reads the members of the agent's gossip pool; with `wan`, of the pool that joins the
 * datacenters.
 */
consul_status consul_agent_members(const consul_client *client,
                                   bool wan,
                                   const consul_options *options,
                                   const consul_async *async,
                                   consul_members **out);

/**
 * How many members there are; 0 for a handle that is not live.
 */
size_t consul_members_count(const consul_members *members);

/**
 * One of the members; NULL past the end. Borrowed: valid until `members` is freed.
 */
const consul_member *consul_members_at(const consul_members *members, size_t index);

/**
 * Ends an answer. NULL is fine.
 */
void consul_members_free(consul_members *members);

/**
 * Makes the agent join the cluster of which the agent at this address, `host` or `host:port` of its
 * gossip, is a member; with `wan`, the pool that joins the datacenters.
 */
consul_status consul_agent_join(const consul_client *client,
                                const char *address,
                                bool wan,
                                const consul_options *options,
                                const consul_async *async);

/**
 * Makes the agent leave the cluster in order, and end. The client has no agent after that.
 */
consul_status consul_agent_leave(const consul_client *client,
                                 const consul_options *options,
                                 const consul_async *async);

/**
 * Takes a node that has failed for one that has left, so that nobody tries to reach it any more; with
 * `prune` it is removed from the list of members, too. A node that is alive joins again by itself.
 */
consul_status consul_agent_force_leave(const consul_client *client,
                                       const char *node,
                                       bool prune,
                                       const consul_options *options,
                                       const consul_async *async);


/*
 * Writing into the catalog
 * ========================
 *
 * For nodes without an agent.
 */

/**
 * Describes a node with its address. `address` may be NULL for a node that exists and is left as
 * it is. Free it with `consul_registration_free`.
 */
consul_status consul_registration_new(const char *node,
                                      const char *address,
                                      consul_registration **out);

/**
 * The node's UUID.
 */
consul_status consul_registration_set_id(consul_registration *registration, const char *id);

/**
 * The node's datacenter, when it is not that of the call's options.
 */
consul_status consul_registration_set_datacenter(consul_registration *registration,
                                                 const char *datacenter);

/**
 * One more address of the node, such as `wan`.
 */
consul_status consul_registration_add_tagged_address(consul_registration *registration,
                                                     const char *name,
                                                     const char *address);

/**
 * One more pair of the node's metadata.
 */
consul_status consul_registration_add_node_meta(consul_registration *registration,
                                                const char *key,
                                                const char *value);

/**
 * The service on it; `service` stays the caller's. One with checks of its own is refused, since
 * the catalog runs none.
 */
consul_status consul_registration_set_service(consul_registration *registration,
                                              const consul_service_spec *service);

/**
 * One more check, which nobody runs: whoever writes it here keeps its `status`, `passing`,
 * `warning` or `critical`, up to date. Without an id its name is its id. It is about a service, or
 * else about the node: `check_id`, `service_id`, `notes` and `output` may be NULL.
 */
consul_status consul_registration_add_check(consul_registration *registration,
                                            const char *check_id,
                                            const char *name,
                                            const char *status,
                                            const char *service_id,
                                            const char *notes,
                                            const char *output);

/**
 * Ends a description. NULL is fine.
 */
void consul_registration_free(consul_registration *registration);


/*
 * The catalog
 * ===========
 *
 * What the servers know of nodes and services. A service belongs into the catalog through its
 * agent (`consul_agent_service_register`). What is written here directly is for nodes without an
 * agent; for others their agent soon undoes it.
 */

/**
 * The name of a service with the tags of all its instances.
 */
typedef struct consul_service_name {
    /**
     * The name of the service.
     */
    const char *name;
    /**
     * The bytes in `name`.
     */
    size_t name_len;
    /**
     * Every tag that one of its instances has.
     */
    const char *const *tags;
    /**
     * How many `tags` there are.
     */
    size_t tag_count;
} consul_service_name;

/**
 * Reads the nodes.
 */
consul_status consul_catalog_nodes(const consul_client *client,
                                   const consul_options *options,
                                   const consul_async *async,
                                   consul_nodes **out);

/**
 * Reads the names of the services. Older versions of Consul ignore a filter here.
 */
consul_status consul_catalog_services(const consul_client *client,
                                      const consul_options *options,
                                      const consul_async *async,
                                      consul_service_names **out);

/**
 * Reads the instances of a service that have all of these tags (NULL and 0: whatever their tags),
 * whatever their health. Finding none is `CONSUL_OK` with a count of 0.
 */
consul_status consul_catalog_service(const consul_client *client,
                                     const char *service,
                                     const char *const *tags,
                                     size_t tag_count,
                                     const consul_options *options,
                                     const consul_async *async,
                                     consul_service_entries **out);

/**
 * Reads what to connect to in the service mesh for a service: its proxies, and those instances
 * that speak for themselves.
 */
consul_status consul_catalog_connect(const consul_client *client,
                                     const char *service,
                                     const char *const *tags,
                                     size_t tag_count,
                                     const consul_options *options,
                                     const consul_async *async,
                                     consul_service_entries **out);

/**
 * Reads a node (`consul_services_node`) with the services on it. `CONSUL_NOT_FOUND` when it does
 * not exist: `out` then has no services, but the index to wait on, and is the caller's to free all
 * the same.
 */
consul_status consul_catalog_node(const consul_client *client,
                                  const char *node,
                                  const consul_options *options,
                                  const consul_async *async,
                                  consul_services **out);

/**
 * As `consul_catalog_node`, with the services of every namespace that the options name (Consul
 * Enterprise).
 */
consul_status consul_catalog_node_services(const consul_client *client,
                                           const char *node,
                                           const consul_options *options,
                                           const consul_async *async,
                                           consul_services **out);

/**
 * Reads the known datacenters, the nearest first.
 */
consul_status consul_catalog_datacenters(const consul_client *client,
                                         const consul_options *options,
                                         const consul_async *async,
                                         consul_keys **out);

/**
 * Writes a node, a service and checks in one step. Doing it again changes nothing.
 */
consul_status consul_catalog_register(const consul_client *client,
                                      const consul_registration *registration,
                                      const consul_options *options,
                                      const consul_async *async);

/**
 * Removes a node with all its services and checks. `CONSUL_OK` also when it does not exist.
 */
consul_status consul_catalog_deregister_node(const consul_client *client,
                                             const char *node,
                                             const consul_options *options,
                                             const consul_async *async);

/**
 * Removes a service from a node, with its checks. `CONSUL_OK` also when it does not exist.
 */
consul_status consul_catalog_deregister_service(const consul_client *client,
                                                const char *node,
                                                const char *service_id,
                                                const consul_options *options,
                                                const consul_async *async);

/**
 * Removes a check from a node. `CONSUL_OK` also when it does not exist.
 */
consul_status consul_catalog_deregister_check(const consul_client *client,
                                              const char *node,
                                              const char *check_id,
                                              const consul_options *options,
                                              const consul_async *async);

/**
 * How many names there are; 0 for a handle that is not live.
 */
size_t consul_service_names_count(const consul_service_names *names);

/**
 * One of the names; NULL past the end. Borrowed: valid until `names` is freed.
 */
const consul_service_name *consul_service_names_at(const consul_service_names *names,
                                                          size_t index);

/**
 * What the answer's headers say. Borrowed: valid until `names` is freed.
 */
const consul_meta *consul_service_names_meta(const consul_service_names *names);

/**
 * Ends an answer. NULL is fine.
 */
void consul_service_names_free(consul_service_names *names);


/*
 * User events
 * ===========
 *
 * Small messages that agents pass on to each other by gossip: fast, to all of a datacenter, and not
 * kept. An agent remembers the last 256, and what is fired while it is away is lost to it. Every
 * agent has an order of its own, and may hear of an event twice. A watch of `CONSUL_WATCH_EVENTS`
 * tells of those that arrive.
 *
 *     consul_user_event_fire(client, "deploy", (const uint8_t *)"1.4.2", 5, NULL, "web", NULL, NULL, NULL, NULL);
 */

/**
 * An event that somebody fired.
 */
typedef struct consul_user_event {
    /**
     * Its id.
     */
    const char *id;
    /**
     * The bytes in `id`.
     */
    size_t id_len;
    /**
     * Its name.
     */
    const char *name;
    /**
     * The bytes in `name`.
     */
    size_t name_len;
    /**
     * What was sent with it; any byte can be in it. Never NULL.
     */
    const uint8_t *payload;
    /**
     * The bytes in `payload`.
     */
    size_t payload_len;
    /**
     * A regular expression of the nodes it is meant for; empty means all.
     */
    const char *node_filter;
    /**
     * The bytes in `node_filter`.
     */
    size_t node_filter_len;
    /**
     * The same of services.
     */
    const char *service_filter;
    /**
     * The bytes in `service_filter`.
     */
    size_t service_filter_len;
    /**
     * The same of tags.
     */
    const char *tag_filter;
    /**
     * The bytes in `tag_filter`.
     */
    size_t tag_filter_len;
    /**
     * When it was fired, by the Lamport clock of the gossip; 0 where it has only just been fired.
     */
    uint64_t ltime;
} consul_user_event;

/**
 * Fires an event; `out` has it with its id, before any agent has heard of it. It carries no payload
 * where `payload_len` is 0. Consul takes 512 bytes for all of it, which leaves some 400 for the
 * payload: `CONSUL_ERR_TOO_LARGE` beyond.
 *
 * Whom it is meant for are regular expressions: of the node's name, of the id of a service there,
 * and of a tag of that service, which needs `service_filter` beside it. `node_filter`,
 * `service_filter` and `tag_filter` may be NULL: everybody.
 */
consul_status consul_user_event_fire(const consul_client *client,
                                     const char *name,
                                     const uint8_t *payload,
                                     size_t payload_len,
                                     const char *node_filter,
                                     const char *service_filter,
                                     const char *tag_filter,
                                     const consul_options *options,
                                     const consul_async *async,
                                     consul_user_events **out);

/**
 * Reads the last events that the agent has heard of, the oldest first, at most 256: those of this
 * name. `name` may be NULL: all of them. Only what was meant for the agent is there.
 *
 * Their index is a hash of the last one: it differs from that before, and may go down.
 */
consul_status consul_user_event_list(const consul_client *client,
                                     const char *name,
                                     const consul_options *options,
                                     const consul_async *async,
                                     consul_user_events **out);

/**
 * How many events there are; 0 for a handle that is not live.
 */
size_t consul_user_events_count(const consul_user_events *events);

/**
 * One of the events; NULL past the end. Borrowed: valid until `events` is freed.
 */
const consul_user_event *consul_user_events_at(const consul_user_events *events,
                                                      size_t index);

/**
 * What the answer's headers say. Borrowed: valid until `events` is freed.
 */
const consul_meta *consul_user_events_meta(const consul_user_events *events);

/**
 * Ends an answer. NULL is fine.
 */
void consul_user_events_free(consul_user_events *events);


/*
 * The servers
 * ===========
 *
 * Who leads, and who votes. Neither needs a token.
 */

/**
 * Reads the leader among the servers, as `address:port`. `CONSUL_NOT_FOUND` while there is none;
 * `out` is NULL then.
 */
consul_status consul_status_leader(const consul_client *client,
                                   const consul_options *options,
                                   const consul_async *async,
                                   consul_text **out);

/**
 * Reads the servers that vote, each as `address:port`.
 */
consul_status consul_status_peers(const consul_client *client,
                                  const consul_options *options,
                                  const consul_async *async,
                                  consul_keys **out);


/*
 * Operators
 * =========
 *
 * The servers of Raft, autopilot, and the keys that gossip is encrypted with. A token needs the right
 * `operator`, for the keys `keyring`.
 */

/**
 * A server as Raft has it.
 */
typedef struct consul_raft_peer {
    /**
     * Its id, which is that of its node.
     */
    const char *id;
    /**
     * The bytes in `id`.
     */
    size_t id_len;
    /**
     * The name of its node; `(unknown)` for one that is no member any more.
     */
    const char *node;
    /**
     * The bytes in `node`.
     */
    size_t node_len;
    /**
     * Its address for Raft: `address:port`.
     */
    const char *address;
    /**
     * The bytes in `address`.
     */
    size_t address_len;
    /**
     * The version of Raft's protocol.
     */
    const char *protocol_version;
    /**
     * The bytes in `protocol_version`.
     */
    size_t protocol_version_len;
    /**
     * Whether it leads.
     */
    bool is_leader;
    /**
     * Whether it votes.
     */
    bool is_voter;
} consul_raft_peer;

/**
 * Reads the servers of Raft, those among them that are gone included. With the consistency `stale` any
 * server answers, also while there is no leader.
 */
consul_status consul_operator_raft_peers(const consul_client *client,
                                         const consul_options *options,
                                         const consul_async *async,
                                         consul_raft_peers **out);

/**
 * Removes a server that is gone for good from Raft, by its id. One that lives is to leave by itself.
 * `CONSUL_ERR_HTTP` when Raft does not have it.
 */
consul_status consul_operator_raft_peer_remove(const consul_client *client,
                                               const char *id,
                                               const consul_options *options,
                                               const consul_async *async);

/**
 * As `consul_operator_raft_peer_remove`, by the address for Raft: `address:port`.
 */
consul_status consul_operator_raft_address_remove(const consul_client *client,
                                                  const char *address,
                                                  const consul_options *options,
                                                  const consul_async *async);

/**
 * How many servers there are; 0 for a handle that is not live.
 */
size_t consul_raft_peers_count(const consul_raft_peers *peers);

/**
 * One of the servers; NULL past the end. Borrowed: valid until `peers` is freed.
 */
const consul_raft_peer *consul_raft_peers_at(const consul_raft_peers *peers, size_t index);

/**
 * Ends an answer. NULL is fine.
 */
void consul_raft_peers_free(consul_raft_peers *peers);

/**
 * How the cluster is, as JSON: `leader` and `peers`, `healthy` and `failure_tolerance`, `servers` as Raft
 * and autopilot have them, `endpoints`: for each address of this client `address`, `state` (`up`, `no
 * leader` or `down`), `in_use`, `reachable`, `requests`, `failures`, `consecutive_failures`,
 * `last_answer_ms` and `error`. A part that could not be had is in
 * `missing` with the reason, and the others are there all the same: it also tells something while there
 * is no leader, Consul cannot be reached, or the token may not ask. Each of up to four calls has the
 * time that the options allow.
 */
consul_status consul_operator_cluster_report(const consul_client *client,
                                             const consul_options *options,
                                             const consul_async *async,
                                             consul_text **out);

/**
 * Reads how autopilot is configured, as Consul's JSON: `CleanupDeadServers`, `LastContactThreshold`,
 * `ModifyIndex` for a compare-and-set, and others.
 */
consul_status consul_operator_autopilot_config(const consul_client *client,
                                               const consul_options *options,
                                               const consul_async *async,
                                               consul_text **out);

/**
 * Replaces autopilot's configuration by a JSON object, of which what is not there becomes zero or false:
 * read it first.
 */
consul_status consul_operator_autopilot_config_set(const consul_client *client,
                                                   const char *config,
                                                   const consul_options *options,
                                                   const consul_async *async);

/**
 * As `consul_operator_autopilot_config_set`, if its modify index is still this one. `CONSUL_CONFLICT`
 * when it is not.
 */
consul_status consul_operator_autopilot_config_cas(const consul_client *client,
                                                   const char *config,
                                                   uint64_t modify_index,
                                                   const consul_options *options,
                                                   const consul_async *async);

/**
 * Reads how the servers are in the eyes of autopilot, as Consul's JSON: `Healthy`, `FailureTolerance`,
 * `Servers`. `CONSUL_OK` also when they are not healthy.
 */
consul_status consul_operator_autopilot_health(const consul_client *client,
                                               const consul_options *options,
                                               const consul_async *async,
                                               consul_text **out);

/**
 * Reads the whole state of autopilot, as Consul's JSON. `CONSUL_ERR_UNSUPPORTED` before Consul 1.9.
 */
consul_status consul_operator_autopilot_state(const consul_client *client,
                                              const consul_options *options,
                                              const consul_async *async,
                                              consul_text **out);

/**
 * Reads the keys of all gossip pools, as Consul's JSON: an array of pools with their `Keys`, which are
 * secrets. `CONSUL_ERR_HTTP` when gossip is not encrypted.
 */
consul_status consul_operator_keyring_list(const consul_client *client,
                                           const consul_options *options,
                                           const consul_async *async,
                                           consul_text **out);

/**
 * Gives a new key, 16, 24 or 32 bytes in base64, to all members. It is used once
 * `consul_operator_keyring_use` says so.
 */
consul_status consul_operator_keyring_install(const consul_client *client,
                                              const char *key,
                                              const consul_options *options,
                                              const consul_async *async);

/**
 * Makes all members encrypt gossip with a key that they have.
 */
consul_status consul_operator_keyring_use(const consul_client *client,
                                          const char *key,
                                          const consul_options *options,
                                          const consul_async *async);

/**
 * Takes a key that is not in use from all members.
 */
consul_status consul_operator_keyring_remove(const consul_client *client,
                                             const char *key,
                                             const consul_options *options,
                                             const consul_async *async);


/*
 * Access control
 * ==============
 *
 * Tokens, the policies and roles that say what they may do, and the auth methods and binding rules by
 * which they are given out. What goes in and what comes out are
 * Consul's JSON objects, with its names: `{"Name": "app", "Rules": "key_prefix \"app/\" { ... }"}`. A
 * token is known by its `AccessorID`; its `SecretID`, which calls carry, stands in answers and never in
 * a message or the log.
 *
 * Where access control is not enabled, every call here gives `CONSUL_ERR_HTTP` (401). A read of
 * something that does not exist is `CONSUL_NOT_FOUND`, `out` is NULL then; for tokens and policies Consul
 * 1.8 says `CONSUL_ERR_DENIED` with "ACL not found" instead, as to an unknown token.
 */

/**
 * Makes the first token, which may do anything. It works once in the life of a cluster:
 * `CONSUL_ERR_DENIED` after that, with a message that says how to reset it.
 */
consul_status consul_acl_bootstrap(const consul_client *client,
                                   const consul_options *options,
                                   const consul_async *async,
                                   consul_text **out);

/**
 * Makes a token of a JSON object; `out` gets it with its ids. Its `Policies` and `Roles` are arrays of `{"Name": ...}` or `{"ID": ...}`.
 */
consul_status consul_acl_token_create(const consul_client *client,
                                      const char *token,
                                      const consul_options *options,
                                      const consul_async *async,
                                      consul_text **out);

/**
 * Reads a token by its accessor id.
 */
consul_status consul_acl_token_read(const consul_client *client,
                                    const char *accessor_id,
                                    const consul_options *options,
                                    const consul_async *async,
                                    consul_text **out);

/**
 * Reads the token that the client or the options have.
 */
consul_status consul_acl_token_self(const consul_client *client,
                                    const consul_options *options,
                                    const consul_async *async,
                                    consul_text **out);

/**
 * Replaces a token by a JSON object: what is not there is empty after that.
 */
consul_status consul_acl_token_update(const consul_client *client,
                                      const char *accessor_id,
                                      const char *token,
                                      const consul_options *options,
                                      const consul_async *async,
                                      consul_text **out);

/**
 * Makes a token with the policies and roles of another one. `description`, which may be NULL, is the new
 * one's.
 */
consul_status consul_acl_token_clone(const consul_client *client,
                                     const char *accessor_id,
                                     const char *description,
                                     const consul_options *options,
                                     const consul_async *async,
                                     consul_text **out);

/**
 * Deletes a token. `CONSUL_OK` also when it does not exist.
 */
consul_status consul_acl_token_delete(const consul_client *client,
                                      const char *accessor_id,
                                      const consul_options *options,
                                      const consul_async *async);

/**
 * Lists tokens, without their secrets on most versions of Consul: an array. `policy_id`, `role_id` and
 * `auth_method` may be NULL; otherwise only the tokens that have them.
 */
consul_status consul_acl_token_list(const consul_client *client,
                                    const char *policy_id,
                                    const char *role_id,
                                    const char *auth_method,
                                    const consul_options *options,
                                    const consul_async *async,
                                    consul_text **out);

/**
 * Makes a policy of a JSON object; `out` gets it with its ids. Its `Rules` are HCL or JSON.
 */
consul_status consul_acl_policy_create(const consul_client *client,
                                       const char *policy,
                                       const consul_options *options,
                                       const consul_async *async,
                                       consul_text **out);

/**
 * Reads a policy by its id.
 */
consul_status consul_acl_policy_read(const consul_client *client,
                                     const char *id,
                                     const consul_options *options,
                                     const consul_async *async,
                                     consul_text **out);

/**
 * Reads a policy by its name.
 */
consul_status consul_acl_policy_read_by_name(const consul_client *client,
                                             const char *name,
                                             const consul_options *options,
                                             const consul_async *async,
                                             consul_text **out);

/**
 * Replaces a policy by a JSON object: what is not there is empty after that.
 */
consul_status consul_acl_policy_update(const consul_client *client,
                                       const char *id,
                                       const char *policy,
                                       const consul_options *options,
                                       const consul_async *async,
                                       consul_text **out);

/**
 * Deletes a policy. `CONSUL_OK` also when it does not exist.
 */
consul_status consul_acl_policy_delete(const consul_client *client,
                                       const char *id,
                                       const consul_options *options,
                                       const consul_async *async);

/**
 * Lists policies, without their rules: an array.
 */
consul_status consul_acl_policy_list(const consul_client *client,
                                     const consul_options *options,
                                     const consul_async *async,
                                     consul_text **out);

/**
 * Makes a role of a JSON object; `out` gets it with its ids. Its `Policies` are an array of `{"Name": ...}` or `{"ID": ...}`.
 */
consul_status consul_acl_role_create(const consul_client *client,
                                     const char *role,
                                     const consul_options *options,
                                     const consul_async *async,
                                     consul_text **out);

/**
 * Reads a role by its id.
 */
consul_status consul_acl_role_read(const consul_client *client,
                                   const char *id,
                                   const consul_options *options,
                                   const consul_async *async,
                                   consul_text **out);

/**
 * Reads a role by its name.
 */
consul_status consul_acl_role_read_by_name(const consul_client *client,
                                           const char *name,
                                           const consul_options *options,
                                           const consul_async *async,
                                           consul_text **out);

/**
 * Replaces a role by a JSON object: what is not there is empty after that.
 */
consul_status consul_acl_role_update(const consul_client *client,
                                     const char *id,
                                     const char *role,
                                     const consul_options *options,
                                     const consul_async *async,
                                     consul_text **out);

/**
 * Deletes a role. `CONSUL_OK` also when it does not exist.
 */
consul_status consul_acl_role_delete(const consul_client *client,
                                     const char *id,
                                     const consul_options *options,
                                     const consul_async *async);

/**
 * Lists roles: an array.
 */
consul_status consul_acl_role_list(const consul_client *client,
                                   const consul_options *options,
                                   const consul_async *async,
                                   consul_text **out);

/**
 * Logs in by an auth method with what proves who the caller is, such as a JWT or the token of a Kubernetes
 * service account. `out` gets a token, which ends with `consul_acl_logout`. It needs no token itself.
 * `CONSUL_ERR_DENIED` when there is no such method or it does not believe it.
 */
consul_status consul_acl_login(const consul_client *client,
                               const char *auth_method,
                               const char *bearer_token,
                               const consul_options *options,
                               const consul_async *async,
                               consul_text **out);

/**
 * Ends the token that the client or the options have, which must come from a login: `CONSUL_ERR_DENIED`
 * otherwise.
 */
consul_status consul_acl_logout(const consul_client *client,
                                const consul_options *options,
                                const consul_async *async);

/**
 * Makes an auth method of a JSON object, with its `Name`, `Type` and `Config`; `out` gets it. The
 * `Config` may hold secrets, which stand in no message and not in the log.
 */
consul_status consul_acl_auth_method_create(const consul_client *client,
                                            const char *auth_method,
                                            const consul_options *options,
                                            const consul_async *async,
                                            consul_text **out);

/**
 * Reads an auth method by its name.
 */
consul_status consul_acl_auth_method_read(const consul_client *client,
                                          const char *name,
                                          const consul_options *options,
                                          const consul_async *async,
                                          consul_text **out);

/**
 * Replaces an auth method by a JSON object: what is not there is empty after that.
 */
consul_status consul_acl_auth_method_update(const consul_client *client,
                                            const char *name,
                                            const char *auth_method,
                                            const consul_options *options,
                                            const consul_async *async,
                                            consul_text **out);

/**
 * Deletes an auth method. The tokens that it gave end with it. `CONSUL_OK` also when it does not exist.
 */
consul_status consul_acl_auth_method_delete(const consul_client *client,
                                            const char *name,
                                            const consul_options *options,
                                            const consul_async *async);

/**
 * Lists auth methods, without their `Config`: an array.
 */
consul_status consul_acl_auth_method_list(const consul_client *client,
                                          const consul_options *options,
                                          const consul_async *async,
                                          consul_text **out);

/**
 * Makes a binding rule of a JSON object; `out` gets it with its id. `AuthMethod` names the method,
 * `Selector` says which logins it is for, `BindType` (`service`, `role` or `node`) and `BindName` what
 * their tokens may do.
 */
consul_status consul_acl_binding_rule_create(const consul_client *client,
                                             const char *binding_rule,
                                             const consul_options *options,
                                             const consul_async *async,
                                             consul_text **out);

/**
 * Reads a binding rule by its id.
 */
consul_status consul_acl_binding_rule_read(const consul_client *client,
                                           const char *id,
                                           const consul_options *options,
                                           const consul_async *async,
                                           consul_text **out);

/**
 * Replaces a binding rule by a JSON object: what is not there is empty after that.
 */
consul_status consul_acl_binding_rule_update(const consul_client *client,
                                             const char *id,
                                             const char *binding_rule,
                                             const consul_options *options,
                                             const consul_async *async,
                                             consul_text **out);

/**
 * Deletes a binding rule. `CONSUL_OK` also when it does not exist.
 */
consul_status consul_acl_binding_rule_delete(const consul_client *client,
                                             const char *id,
                                             const consul_options *options,
                                             const consul_async *async);

/**
 * Lists the binding rules of an auth method: an array. `auth_method` may be NULL: those of all.
 */
consul_status consul_acl_binding_rule_list(const consul_client *client,
                                           const char *auth_method,
                                           const consul_options *options,
                                           const consul_async *async,
                                           consul_text **out);


/*
 * Snapshots
 * =========
 *
 * The whole state of the servers in one file: every key, session, service, token and policy. A token
 * needs management rights. A snapshot goes straight between the file and the connection, so the
 * memory that it takes does not depend on its size; asynchronous, it has a thread of its own.
 *
 * Where the options do not say how long it may take, it is ten minutes, or `timeout_ms` of the client
 * where that is longer.
 *
 *     consul_text *about = NULL;
 *     if (consul_snapshot_save(client, "/backup/consul.snap", NULL, NULL, &about) == CONSUL_OK)
 *         puts(consul_text_data(about));
 *     consul_text_free(about);
 */

/**
 * Saves the state of the servers in a file, which is there whole and with right checksums, or not at
 * all: it is written under another name beside its place, read again and checked, and then takes the
 * place of what may have been there. Only its owner can read it, since the tokens of the ACL system are
 * in it. With the consistency `stale` any server gives it, also while there is no leader.
 *
 * `out` gets what it says of itself, as JSON: `ID`, `Index`, `Term`, `Version` and `Size`.
 * `CONSUL_ERR_IO` when it cannot be written, `CONSUL_ERR_CRYPTO` or `CONSUL_ERR_DECODE` when what
 * Consul sent is not a whole snapshot.
 */
consul_status consul_snapshot_save(const consul_client *client,
                                   const char *path,
                                   const consul_options *options,
                                   const consul_async *async,
                                   consul_text **out);

/**
 * Replaces the state of the servers by what a file holds, after its checksums were compared: what was
 * written since it was saved is gone. It is sent again only where nothing of it can have been taken; after
 * an error whose outcome is unknown it may have been restored. `out` and the errors as for
 * `consul_snapshot_save`; nothing is sent when the file is not a whole snapshot.
 */
consul_status consul_snapshot_restore(const consul_client *client,
                                      const char *path,
                                      const consul_options *options,
                                      const consul_async *async,
                                      consul_text **out);

/**
 * Reads a snapshot from its first byte to its last and compares all checksums; asks no Consul. `out`
 * and the errors as for `consul_snapshot_save`.
 */
consul_status consul_snapshot_inspect(const char *path,
                                      consul_text **out);


/*
 * Any other request
 * =================
 *
 * For the endpoints of Consul's HTTP API that have no call of their own here.
 *
 *     consul_response *response = NULL;
 *     if (consul_request(client, "GET", "/v1/coordinate/nodes", NULL, 0, NULL, NULL, NULL,
 *                        &response) == CONSUL_OK)
 *         puts((const char *)consul_response_body(response));
 *     consul_response_free(response);
 */

/**
 * Sends any request. `method` is GET, PUT, POST or DELETE; `target` is the path from `/v1/` on with
 * its query, both percent-encoded. A parameter `token` is refused, since a token belongs into the
 * options, from where it goes into a header. `content_type` is JSON's where it is NULL and there is
 * a body. A GET may be sent twice, anything else never is.
 *
 * `CONSUL_OK` for every 2xx, and for the 429 and 503 by which `/v1/agent/health/service/` and
 * `/v1/operator/autopilot/health` report health; `CONSUL_NOT_FOUND` for 404 alone, with an answer in
 * `out` all the same. Any other answer is an error, with its HTTP status and Consul's text in
 * `consul_last_error()`: so is the 500 by which Consul 1.8 tells that there is no such TTL check.
 */
consul_status consul_request(const consul_client *client,
                             const char *method,
                             const char *target,
                             const uint8_t *body,
                             size_t body_len,
                             const char *content_type,
                             const consul_options *options,
                             const consul_async *async,
                             consul_response **out);

/**
 * The HTTP status; 0 for a handle that is not live.
 */
uint32_t consul_response_http_status(const consul_response *response);

/**
 * The body, with a NUL after its last byte; NULL for a handle that is not live. Borrowed: valid
 * until `response` is freed.
 */
const uint8_t *consul_response_body(const consul_response *response);

/**
 * How many bytes the body has, without the NUL; 0 for a handle that is not live.
 */
size_t consul_response_body_len(const consul_response *response);

/**
 * The content type, empty where the answer does not say it; NULL for a handle that is not live.
 * Borrowed: valid until `response` is freed.
 */
const char *consul_response_content_type(const consul_response *response);

/**
 * What the answer's headers say. Borrowed: valid until `response` is freed.
 */
const consul_meta *consul_response_meta(const consul_response *response);

/**
 * Ends an answer. NULL is fine.
 */
void consul_response_free(consul_response *response);


/*
 * A program's own health
 * ======================
 *
 * The program says how its parts are, and gets the document and the HTTP status that its `/health`
 * sends: 200 passing, 429 warning, 503 critical, as an HTTP check of Consul understands them.
 *
 *     consul_health_report *report = NULL;
 *     consul_text *document = NULL;
 *     int32_t http_status = 0;
 *     consul_health_report_new(client, &report);
 *     consul_health_report_set(report, "database", "passing", NULL, 30000);
 *     if (consul_health_report_document(report, &http_status, &document) == CONSUL_OK)
 *         printf("HTTP/1.1 %d\r\n\r\n%s", (int)http_status, consul_text_data(document));
 *     consul_text_free(document);
 *     consul_health_report_free(report);
 */

/**
 * A report without checks. `client` may be NULL; with one the document also tells how the client's
 * services, locks and sessions are getting on and whether its agent answers, which does not decide
 * the status. Free it with `consul_health_report_free`.
 */
consul_status consul_health_report_new(const consul_client *client, consul_health_report **out);

/**
 * Sets how a part of the program is: `passing`, `warning` or `critical`, by a name of 1 to 256
 * bytes; adds the part when it is new. `note` is for people and may be NULL. It counts as critical
 * when it is not set again for more than `max_age_ms`; 0 for ever.
 */
consul_status consul_health_report_set(const consul_health_report *report,
                                       const char *name,
                                       const char *status,
                                       const char *note,
                                       uint64_t max_age_ms);

/**
 * Forgets a part of the program. `CONSUL_NOT_FOUND` when there was none of this name.
 */
consul_status consul_health_report_remove(const consul_health_report *report, const char *name);

/**
 * What the program's `/health` sends now: the HTTP status, and JSON, `{"status", "checks":
 * [{"name", "status", "note", "age_ms", "max_age_ms", "expired"}]}`. A report with a client adds
 * `"consul": {"endpoint", "reachable", "last_answer_ms", "error"}`, the list `"endpoints"` of its
 * addresses, each as in `consul_operator_cluster_report`, and the lists `"services"`, `"locks"`,
 * `"semaphores"` and `"sessions"` of `{"name", "state", "last_success_ms", "consecutive_failures",
 * "next_try_ms", "error"}`. What is not known is `null`. Sends nothing. `http_status` may be NULL.
 */
consul_status consul_health_report_document(const consul_health_report *report,
                                            int32_t *http_status,
                                            consul_text **out);

/**
 * Ends a report. NULL is fine.
 */
void consul_health_report_free(consul_health_report *report);


/*
 * How things are getting on
 * =========================
 *
 * Sessions, locks, semaphores, elections, clusters, services and watches that the library keeps up, and
 * the addresses of a client, as they are at this moment. Asking makes no request and never blocks.
 *
 *     consul_stats *stats = NULL;
 *     if (consul_lock_stats(lock, &stats) == CONSUL_OK) {
 *         const consul_progress *progress = consul_stats_row(stats);
 *         if (progress->consecutive_failures > 0)
 *             fprintf(stderr, "%s: %s\n", progress->state, progress->last_error->message);
 *     }
 *     consul_stats_free(stats);
 */

/**
 * How something is getting on. New fields come at its end.
 */
typedef struct consul_progress {
    /**
     * What it is, in a word. A session: `kept`, `stopped`, `ending`, `ended`, `recreating`. A
     * lock or a semaphore: `free`, `acquiring`, `held`, `releasing`, `lost`. An election:
     * `campaigning`, `leading`, `observing`, `closed`. A service: `stopped`, `registering`,
     * `registered`, `leaving`, `closed`. A cluster: `joining`, `joined`, `leaving`, `left`. A watch:
     * `pending`, `fresh`, `empty`, `stale`, `expired`, `ended`. An address of a client: `up`, `no leader`,
     * `down`.
     */
    const char *state;
    /**
     * The bytes in `state`.
     */
    size_t state_len;
    /**
     * How long ago Consul said last that all is well, in ms; `UINT64_MAX` when it never did.
     */
    uint64_t last_success_ms;
    /**
     * In how long Consul is asked again, in ms; `UINT64_MAX` when it is not.
     */
    uint64_t next_try_ms;
    /**
     * How many tries have failed since the last success.
     */
    uint32_t consecutive_failures;
    /**
     * What went wrong last, however long ago. Never NULL; its status is `CONSUL_OK` when nothing
     * has.
     */
    const consul_error *last_error;
    /**
     * Of an address of a client: the address, `http://127.0.0.1:8500`. Empty otherwise.
     */
    const char *address;
    /**
     * The bytes in `address`.
     */
    size_t address_len;
    /**
     * The requests that were sent to an address, or made for a watch and all others of the same thing.
     * 0 otherwise.
     */
    uint64_t requests;
    /**
     * Those of them that an address did not serve: no answer, no leader, or beyond its limits.
     */
    uint64_t failures;
    /**
     * Whether calls go there at the moment.
     */
    bool is_in_use;
    /**
     * Of a watch: the index of the last good answer. It fills 64 bits.
     */
    uint64_t index;
    /**
     * Of a watch: the version of its newest state.
     */
    uint64_t version;
    /**
     * Of a watch: whether a request is with Consul.
     */
    bool is_in_flight;
    /**
     * Of a watch: whether a loss above the floor is held back.
     */
    bool is_holding_back;
    /**
     * Of a watch: why its last-good file could not be written the last time. Never NULL; its status
     * is `CONSUL_OK` when it could.
     */
    const consul_error *last_good_error;
    /**
     * Of an address of a client: the requests that are with it now, of all clients of the process and
     * of what the library keeps up for them, from connecting on. Who waits for one of
     * `max_connections` is not among them. 0 otherwise, and for an `embedded:` address.
     */
    uint32_t in_flight;
    /**
     * Of an address of a client: the open connections to it, idle ones included, of all clients of
     * the process. One that the agent has closed counts until that is noticed, by the next call at the
     * latest. 0 otherwise, and for an `embedded:` address.
     */
    uint32_t connections;
} consul_progress;

/**
 * How the renewal of a session is getting on. Free it with `consul_stats_free`.
 */
consul_status consul_session_stats(const consul_session *session, consul_stats **out);

/**
 * How it is getting on to see that a lock is still held. Free it with `consul_stats_free`.
 */
consul_status consul_lock_stats(const consul_lock *lock, consul_stats **out);

/**
 * How it is getting on to see that a semaphore's slot is still held. Free it with
 * `consul_stats_free`.
 */
consul_status consul_semaphore_stats(const consul_semaphore *semaphore, consul_stats **out);

/**
 * How a campaign is getting on, or to see who leads. Free it with `consul_stats_free`.
 */
consul_status consul_election_stats(const consul_election *election, consul_stats **out);

/**
 * How a service that stays registered is getting on. Free it with `consul_stats_free`.
 */
consul_status consul_kept_service_stats(const consul_kept_service *service, consul_stats **out);

/**
 * How a node's own part in a cluster is getting on. Free it with `consul_stats_free`.
 */
consul_status consul_cluster_stats(const consul_cluster *cluster, consul_stats **out);

/**
 * How a watch is getting on. Free it with `consul_stats_free`.
 */
consul_status consul_watch_stats(const consul_watch *watch, consul_stats **out);

/**
 * How many addresses a client has. 0 for a handle that is not live.
 */
size_t consul_client_endpoint_count(const consul_client *client);

/**
 * How one of the addresses of a client is getting on, in the order of the setting `address`.
 * `CONSUL_NOT_FOUND` past the last; `out` is NULL then. Free it with `consul_stats_free`.
 */
consul_status consul_client_endpoint_stats(const consul_client *client,
                                           size_t position,
                                           consul_stats **out);

/**
 * How many threads the library runs in this process now. Makes no request and never blocks.
 *
 * There is one `consul-io`, which all that is asynchronous, watches and probes share; a few
 * `consul-lane` of each client that keeps something up, which leave soon after that has ended; a
 * `consul-queue` for each queue that is served at a unix socket; a `consul-dns` while a host's name is
 * looked up; and a `consul-snapshot` or a `consul-close` for a snapshot or the end of a client that is
 * to arrive in a queue.
 *
 * 0 before the first use, once the last client is closed, and in a forked child that has used none.
 * Only a look-up cannot be cut short, and may outlast its client.
 */
uint32_t consul_library_threads(void);

/**
 * What was asked for; NULL for a handle that is not live. Borrowed: valid until `stats` is freed.
 */
const consul_progress *consul_stats_row(const consul_stats *stats);

/**
 * Ends an answer. NULL is fine.
 */
void consul_stats_free(consul_stats *stats);


/*
 * Addresses that fail and come back
 * =================================
 *
 * A client tells in a queue when one of its addresses fails or serves again, and when calls go to
 * another one, as `consul_client_endpoint_stats` shows it.
 *
 *     consul_client_set_endpoint_queue(client, queue, 9);
 *     // ... an event of the type CONSUL_EVENT_ENDPOINT_CHANGED arrives under the tag 9:
 *     consul_endpoint_changes *changes = NULL;
 *     size_t i;
 *     if (consul_event_take_endpoint_changes(event, &changes) == CONSUL_OK)
 *         for (i = 0; i < consul_endpoint_changes_count(changes); i++) {
 *             const consul_endpoint_change *change = consul_endpoint_changes_at(changes, i);
 *             if (change->condition == CONSUL_ENDPOINT_DOWN)
 *                 fprintf(stderr, "%s: %s\n", change->address, change->reason->message);
 *         }
 *     consul_endpoint_changes_free(changes);
 */

/**
 * An address serves.
 */
#define CONSUL_ENDPOINT_UP 1

/**
 * It answers, and says that the cluster has no leader, or that it cannot reach one.
 */
#define CONSUL_ENDPOINT_NO_LEADER 2

/**
 * It does not answer: the circuit breaker has put it behind the others.
 */
#define CONSUL_ENDPOINT_DOWN 3

/**
 * Addresses of a client have changed. Its result is which, for `consul_event_take_endpoint_changes`:
 * all that has changed before the event is taken, a row for each address. However often they change,
 * there is one such event.
 */
#define CONSUL_EVENT_ENDPOINT_CHANGED 9

/**
 * Nothing more is told of a client's addresses: its status says why.
 */
#define CONSUL_EVENT_ENDPOINT_ENDED 10

/**
 * An address that is not as it was when it was told of last.
 */
typedef struct consul_endpoint_change {
    /**
     * The address: `http://127.0.0.1:8500`.
     */
    const char *address;
    /**
     * The bytes in `address`.
     */
    size_t address_len;
    /**
     * How it is now, `CONSUL_ENDPOINT_...`.
     */
    int32_t condition;
    /**
     * How it was. The same as `condition` where it has changed and changed back, or where calls
     * began or ceased to go there and nothing else.
     */
    int32_t condition_before;
    /**
     * Whether calls go there now.
     */
    bool is_in_use;
    /**
     * Whether they did.
     */
    bool was_in_use;
    /**
     * How many changes have come together.
     */
    uint32_t changes;
    /**
     * What is wrong with it, or was at the last change that said so. Never NULL; its status is
     * `CONSUL_OK` where nothing was.
     */
    const consul_error *reason;
} consul_endpoint_change;

/**
 * Has changes of the client's addresses arrive in a queue from now on, as events of the type
 * `CONSUL_EVENT_ENDPOINT_CHANGED` under `tag`, without counting among the calls in flight. A client of
 * one address tells as well when that fails and serves again. In one queue at a time; `queue` may be
 * NULL, which ends that without an event. A last event, `CONSUL_EVENT_ENDPOINT_ENDED`, comes with the
 * status `CONSUL_ERR_CANCELLED` after `consul_queue_cancel` of its tag, with `CONSUL_ERR_CLOSED` when
 * the client is closed or freed; once it is closed this is an error.
 *
 * It goes on when the client is configured anew. A forked child's client tells its parent nothing: it
 * has a queue of its own set.
 */
consul_status consul_client_set_endpoint_queue(const consul_client *client,
                                               consul_queue *queue,
                                               uint64_t tag);

/**
 * How many addresses have changed; 0 for a handle that is not live.
 */
size_t consul_endpoint_changes_count(const consul_endpoint_changes *changes);

/**
 * One of the addresses, in the order in which they changed first; NULL past the end. Borrowed: valid
 * until `changes` is freed.
 */
const consul_endpoint_change *consul_endpoint_changes_at(const consul_endpoint_changes *changes,
                                                                size_t index);

/**
 * Ends a list of changes. NULL is fine.
 */
void consul_endpoint_changes_free(consul_endpoint_changes *changes);


/*
 * The log
 * =======
 *
 * The library is silent, and never writes to stderr. With a level it keeps records of what happens
 * to clients, sessions, locks, semaphores and services, for the program to take, or writes them to a file. One
 * log serves the process. No record holds a secret.
 *
 *     consul_log_records *records = NULL;
 *     size_t i;
 *     consul_log_set_level("warning");
 *     while (consul_log_take(100, &records) == CONSUL_OK) {
 *         for (i = 0; i < consul_log_records_count(records); i++)
 *             fprintf(stderr, "%s\n", consul_log_records_at(records, i)->message);
 *         consul_log_records_free(records);
 *     }
 */

/**
 * Something was lost that a program relied on.
 */
#define CONSUL_LOG_ERROR 1

/**
 * Something failed that is tried again.
 */
#define CONSUL_LOG_WARNING 2

/**
 * Something began, ended or was mended.
 */
#define CONSUL_LOG_INFO 3

/**
 * What else may help to find a fault.
 */
#define CONSUL_LOG_DEBUG 4

/**
 * Records have come. Its result is those that nobody has taken when the event is, up to 1024, for
 * `consul_event_take_log_records`; its status is `CONSUL_NO_CHANGE` and it has none where somebody was
 * faster. However many come before the event is taken, there is one.
 */
#define CONSUL_EVENT_LOG 6

/**
 * Something that happened.
 */
typedef struct consul_log_record {
    /**
     * How much it matters, `CONSUL_LOG_...`.
     */
    int32_t level;
    /**
     * The same as a word: `error`, `warning`, `info` or `debug`.
     */
    const char *level_name;
    /**
     * The bytes in `level_name`.
     */
    size_t level_name_len;
    /**
     * What it is about: `client`, `session`, `lock`, `semaphore` or `registration`.
     */
    const char *area;
    /**
     * The bytes in `area`.
     */
    size_t area_len;
    /**
     * When it happened, in ms since 1970.
     */
    uint64_t time_ms;
    /**
     * One line for people.
     */
    const char *message;
    /**
     * The bytes in `message`.
     */
    size_t message_len;
} consul_log_record;

/**
 * Records what matters as much as this level or more: `error`, `warning`, `info` or `debug`.
 * `level` may be NULL, for silence, which is how a process begins.
 */
consul_status consul_log_set_level(const char *level);

/**
 * Writes the records to the end of this file from now on, a line each, instead of keeping them to
 * be taken; `path` may be NULL, which ends that. `CONSUL_ERR_IO` when it cannot be opened. Processes
 * may share it, a forked child goes on with it, and one that another program renames is begun anew.
 */
consul_status consul_log_set_file(const char *path);

/**
 * Has the log file make room, this one or another that is set: it is renamed to `FILE.1`, what was
 * that to `FILE.2`, and so on. 0 is no bound; without any, which is how a process begins, it grows for
 * ever.
 *
 * `max_bytes`: the size that the file does not grow beyond, but for what others write meanwhile, and
 * for a line that is longer. `max_files`: how many old files are kept, 1000 at most; it needs one of
 * the others. `max_age_days`: how many days an old file is kept after the last line in it, 36500 at
 * most; with it a new file begins each day (UTC) that something is written. Old files are removed when
 * another one comes.
 *
 * Threads and processes that share the file need no agreement but the same bounds, and no record is lost
 * between two files. A file that cannot be renamed grows on, and the log says so once.
 */
consul_status consul_log_set_rotation(uint64_t max_bytes,
                                      uint32_t max_files,
                                      uint32_t max_age_days);

/**
 * Takes the oldest records, `most` at most. `CONSUL_NO_CHANGE` when there is none. The log keeps
 * 1024; what comes when it is full takes the place of the oldest. Free them with
 * `consul_log_records_free`.
 */
consul_status consul_log_take(size_t most, consul_log_records **out);

/**
 * Has the records arrive in a queue from now on, as events of the type `CONSUL_EVENT_LOG` under `tag`,
 * without counting among the calls in flight; in one queue at a time. `queue` may be NULL, which ends
 * that. `consul_queue_cancel` of its tag ends it with a last event of the same type, whose status is
 * `CONSUL_ERR_CANCELLED`. A forked child's records wait to be taken.
 */
consul_status consul_log_set_queue(consul_queue *queue,
                                   uint64_t tag);

/**
 * How many records the process has lost: nobody took them in time, or the file could not be
 * written. Lines that an audit log lacks are among them.
 */
uint64_t consul_log_dropped(void);

/**
 * How many records were taken; 0 for a handle that is not live.
 */
size_t consul_log_records_count(const consul_log_records *records);

/**
 * One of the records, the oldest first; NULL past the end. Borrowed: valid until `records` is
 * freed.
 */
const consul_log_record *consul_log_records_at(const consul_log_records *records,
                                                      size_t index);

/**
 * Ends an answer. NULL is fine.
 */
void consul_log_records_free(consul_log_records *records);


/*
 * Watches
 * =======
 *
 * A watch is a blocking query that the library keeps asking until it is stopped. It rides out
 * failures, asks no more often than it must, and tells only what has changed: the events of a
 * queue tell that, and views have the newest state, always there to be read. Watches of the same
 * thing by one client share a query. When there are more queries than three quarters of
 * `max_connections` they take turns, and each sees a change within two seconds.
 *
 *     consul_watch_spec *spec = NULL;
 *     consul_watch *watch = NULL;
 *     consul_view *view = NULL;
 *     consul_watch_spec_new(CONSUL_WATCH_PREFIX, "app/", &spec);
 *     consul_watch_start(client, spec, NULL, 0, &watch);
 *     consul_watch_spec_free(spec);
 *     consul_watch_view(watch, &view);
 *     while (consul_view_wait(view, -1) == CONSUL_OK) {
 *         const consul_kv_pair *limit = consul_view_find_kv(view, "app/limit");
 *         printf("%.*s\n", limit ? (int)limit->value_len : 0, limit ? (const char *)limit->value : "");
 *     }
 *     consul_view_free(view);
 *     consul_watch_free(watch);
 */

/**
 * A key, `name`; that it does not exist is a state like any other.
 */
#define CONSUL_WATCH_KEY 1

/**
 * Every key that begins with `name`, byte by byte.
 */
#define CONSUL_WATCH_PREFIX 2

/**
 * The instances of the service `name`, with their node and checks.
 */
#define CONSUL_WATCH_SERVICE 3

/**
 * The names of all services with their tags.
 */
#define CONSUL_WATCH_SERVICES 4

/**
 * The nodes.
 */
#define CONSUL_WATCH_NODES 5

/**
 * The checks of the instances of the service `name`.
 */
#define CONSUL_WATCH_SERVICE_CHECKS 6

/**
 * The checks of the node `name` and of what runs on it.
 */
#define CONSUL_WATCH_NODE_CHECKS 7

/**
 * The checks in the state `name`: `any`, `passing`, `warning` or `critical`.
 */
#define CONSUL_WATCH_STATE_CHECKS 8

/**
 * The user events that the agent has heard of; with a `name` those of this name.
 */
#define CONSUL_WATCH_EVENTS 9

/**
 * Any endpoint that can block, by its path from `/v1/` on with its query, both percent-encoded.
 * One that cannot is asked every few seconds.
 */
#define CONSUL_WATCH_PATH 10

/**
 * Instances whose checks all pass, their node's included.
 */
#define CONSUL_POLICY_PASSING 1

/**
 * Instances that pass or warn.
 */
#define CONSUL_POLICY_PASSING_OR_WARNING 2

/**
 * All instances.
 */
#define CONSUL_POLICY_ANY 3

/**
 * Makes the description of a watch of this kind, `CONSUL_WATCH_...`. `name` is what is watched of
 * it: NULL for services and nodes, and for events of any name. What is in it is
 * checked by `consul_watch_start`. Free it with `consul_watch_spec_free`.
 */
consul_status consul_watch_spec_new(int32_t watch_kind, const char *name, consul_watch_spec **out);

/**
 * Only instances with this tag; several must all be there. For a service only.
 */
consul_status consul_watch_spec_add_tag(consul_watch_spec *spec, const char *tag);

/**
 * Which instances to take, `CONSUL_POLICY_...`; those that pass unless set. For a service only.
 */
consul_status consul_watch_spec_set_policy(consul_watch_spec *spec, int32_t policy);

/**
 * The options of its requests: token, datacenter, consistency, near, filter, time-out and wait;
 * `options` may be NULL, for the client's. The index is not used.
 */
consul_status consul_watch_spec_set_options(consul_watch_spec *spec, const consul_options *options);

/**
 * Holds a change back until nothing has changed for `min_ms`, but not longer than `max_ms`. What
 * went back to what it was meanwhile is no change.
 */
consul_status consul_watch_spec_set_settle_ms(consul_watch_spec *spec,
                                              uint64_t min_ms,
                                              uint64_t max_ms);

/**
 * Holds a change back for `hold_ms` that would lose more than so many percent of the list at once,
 * 1 to 99, and delivers it when it has lasted so long.
 */
consul_status consul_watch_spec_set_floor(consul_watch_spec *spec,
                                          uint32_t percent,
                                          uint64_t hold_ms);

/**
 * A check whose output alone differs has not changed.
 */
consul_status consul_watch_spec_set_ignore_check_output(consul_watch_spec *spec, bool ignore);

/**
 * The index of what the program knows already: a first state with this index makes no event.
 */
consul_status consul_watch_spec_set_last_seen_index(consul_watch_spec *spec, uint64_t index);

/**
 * How many requests a second it makes at most when what it watches changes all the time, 1 to
 * 1000; 10 unless set. Some go at once, and the last state is always found.
 */
consul_status consul_watch_spec_set_max_rate(consul_watch_spec *spec, uint32_t per_second);

/**
 * Keeps what was found last in this file, an absolute path, and begins with it, stale, until
 * Consul has answered. The file is replaced as a whole and has the mode 0600; what is torn or of
 * another question is not read.
 */
consul_status consul_watch_spec_set_last_good_file(consul_watch_spec *spec, const char *path);

/**
 * Has views refuse to be read while Consul cannot be asked and what was found is older than this:
 * `CONSUL_VIEW_EXPIRED`. Unless it is set they are read however old. While Consul can be asked nothing is
 * refused: a query that is held confirms nothing until it ends, so that an agent that hangs is found
 * by the end of the wait.
 */
consul_status consul_watch_spec_set_max_age_ms(consul_watch_spec *spec,
                                               uint64_t max_age_ms);

/**
 * Ends the description of a watch; watches that were started from it go on. NULL is fine.
 */
void consul_watch_spec_free(consul_watch_spec *spec);

/**
 * The first state of a watch is complete, even if that is that there is nothing. It comes once.
 */
#define CONSUL_EVENT_WATCH_READY 2

/**
 * What is watched has changed. However often it has before the event is taken, there is one.
 */
#define CONSUL_EVENT_WATCH_CHANGED 3

/**
 * How Consul can be asked has changed: the event's status is the error for which it cannot be, or
 * `CONSUL_OK` when it can be again. The state stays, and the watch goes on trying.
 */
#define CONSUL_EVENT_WATCH_HEALTH 4

/**
 * The watch has ended, its last event: `CONSUL_ERR_CANCELLED` when it was stopped,
 * `CONSUL_ERR_CLOSED` when its client was.
 */
#define CONSUL_EVENT_WATCH_ENDED 5

/**
 * Starts a watch from a copy of its description. That Consul is away is no error. Its events
 * arrive in `queue` under `tag`, without counting among the calls in flight; `queue` may be NULL,
 * for a watch that is only read by views. `consul_queue_cancel` with its tag stops it, and so does
 * the end of the queue.
 *
 * `CONSUL_ERR_ARGUMENT` when it can never be asked or a setting is not allowed, `CONSUL_ERR_IO`
 * when its last-good file cannot be read. Free it with `consul_watch_free`.
 */
consul_status consul_watch_start(const consul_client *client,
                                 const consul_watch_spec *spec,
                                 consul_queue *queue,
                                 uint64_t tag,
                                 consul_watch **out);

/**
 * Stops a watch: its request ends at once, and its last event arrives, behind those that were not
 * taken yet. What was found stays to be read. `CONSUL_OK` also when it had ended.
 */
consul_status consul_watch_stop(const consul_watch *watch);

/**
 * Waits until there is a state to read, if only that there is nothing; -1 waits for ever.
 * `CONSUL_ERR_TIMEOUT` when there is none in time, with Consul's last failure in its message.
 * `CONSUL_ERR_CANCELLED` once it is stopped, `CONSUL_ERR_CLOSED` once its client is closed.
 */
consul_status consul_watch_wait_ready(const consul_watch *watch, int64_t timeout_ms);

/**
 * As `consul_watch_wait_ready`, which it is where `async` is NULL; else the end of the wait arrives in
 * a queue.
 */
consul_status consul_watch_wait_ready_async(const consul_watch *watch,
                                            int64_t timeout_ms,
                                            const consul_async *async);

/**
 * Waits until `consul_watch_version` is above this one, such as that of the view that a program reads;
 * -1 waits for ever. `CONSUL_NO_CHANGE` when it is not after this time. `CONSUL_ERR_CANCELLED` once
 * the watch is stopped or freed, `CONSUL_ERR_CLOSED` once its client is closed.
 */
consul_status consul_watch_wait_newer(const consul_watch *watch,
                                      uint64_t version,
                                      int64_t timeout_ms,
                                      const consul_async *async);

/**
 * The version of the newest state; 0 before anything was found. It grows with each state.
 */
uint64_t consul_watch_version(const consul_watch *watch);

/**
 * How long ago Consul gave its last good answer; `UINT64_MAX` when it never did.
 */
uint64_t consul_watch_last_success_age_ms(const consul_watch *watch);

/**
 * How many requests have failed since the last good answer.
 */
uint32_t consul_watch_consecutive_failures(const consul_watch *watch);

/**
 * The index of the last good answer. It fills 64 bits.
 */
uint64_t consul_watch_index(const consul_watch *watch);

/**
 * How many requests were made so far, those for other watches of the same thing included.
 */
uint64_t consul_watch_requests(const consul_watch *watch);

/**
 * True while a request is with Consul.
 */
bool consul_watch_is_in_flight(const consul_watch *watch);

/**
 * True while a loss above the floor is held back.
 */
bool consul_watch_is_holding_back(const consul_watch *watch);

/**
 * What failed last, even when all is well again; NULL when nothing ever did. Borrowed: valid until
 * this is asked again of the watch, or the watch is freed.
 */
const consul_error *consul_watch_last_error(const consul_watch *watch);

/**
 * Why the last-good file could not be written the last time; NULL when it could. As
 * `consul_watch_last_error`.
 */
const consul_error *consul_watch_last_good_error(const consul_watch *watch);

/**
 * Stops a watch and ends it; its views can still be read. NULL is fine.
 */
void consul_watch_free(consul_watch *watch);


/*
 * Live views
 * ==========
 *
 * A view is a reader's own look at what a watch has found. It stands still: its rows are valid, and
 * say the same, until `consul_view_refresh` or `consul_view_wait` moves it to a newer state, or it
 * is freed. So one thread at a time uses a view, and each thread that reads has one of its own;
 * that costs a few bytes, since all views of a watch share its rows. Reading takes no lock and
 * makes no system call.
 *
 * What was found stays when Consul cannot be asked: the view is `CONSUL_VIEW_STALE` then and says
 * how old it is. An error never empties it, unless the watch was given an age beyond which it is not to
 * be read (`consul_watch_spec_set_max_age_ms`). It can be read when its watch is freed, too. In a forked
 * child a view goes on with what it has, and its watch begins anew when it is refreshed.
 *
 *     consul_view_refresh(view); // costs next to nothing when nothing is new
 *     if (consul_view_state(view) == CONSUL_VIEW_STALE)
 *         fprintf(stderr, "as of %llu ms ago\n", (unsigned long long)consul_view_age_ms(view));
 *     for (size_t i = 0; i < consul_view_count(view); i++)
 *         puts(consul_view_kv_at(view, i)->key);
 */

/**
 * Nothing was found yet, not even that there is nothing.
 */
#define CONSUL_VIEW_PENDING 1

/**
 * Consul's last answer.
 */
#define CONSUL_VIEW_FRESH 2

/**
 * Consul's last answer, which was that there is nothing.
 */
#define CONSUL_VIEW_EMPTY 3

/**
 * Consul cannot be asked, the watch has ended, or the state comes from a file: it was found
 * `consul_view_age_ms` ago.
 */
#define CONSUL_VIEW_STALE 4

/**
 * As `CONSUL_VIEW_STALE`, for longer than the watch's `max_age_ms` allows: it is not read any more, as if
 * there were nothing, and `consul_view_check` tells why.
 */
#define CONSUL_VIEW_EXPIRED 5

/**
 * Makes a view of a watch, at its newest state. Free it with `consul_view_free`.
 */
consul_status consul_watch_view(const consul_watch *watch, consul_view **out);

/**
 * Moves a view to the newest state, and ends the rows that were read from it. `CONSUL_NO_CHANGE`,
 * and nothing is ended, when it is there already.
 */
consul_status consul_view_refresh(consul_view *view);

/**
 * Waits this long for a newer state and moves there; -1 waits for ever. `CONSUL_NO_CHANGE` when
 * there was none. `CONSUL_ERR_CANCELLED` once the watch is stopped or freed, `CONSUL_ERR_CLOSED`
 * once its client is closed.
 */
consul_status consul_view_wait(consul_view *view, int64_t timeout_ms);

/**
 * The version of the state that the view stands at; 0 before anything was found.
 */
uint64_t consul_view_version(const consul_view *view);

/**
 * The index of the answer that it stands at; 0 when it had none or comes from a file.
 */
uint64_t consul_view_index(const consul_view *view);

/**
 * How far it can be trusted, `CONSUL_VIEW_...`; 0 for a handle that is not live.
 */
int32_t consul_view_state(const consul_view *view);

/**
 * Whether it may be read: always, but in the state `CONSUL_VIEW_EXPIRED`. Then this is the error for
 * which Consul cannot be asked, such as `CONSUL_ERR_CONNECT`, with the age in its message.
 */
consul_status consul_view_check(const consul_view *view);

/**
 * How long ago Consul confirmed the watch's newest state, as far as an answer can tell: a query
 * that is held confirms nothing until it ends. `UINT64_MAX` when it never did.
 */
uint64_t consul_view_age_ms(const consul_view *view);

/**
 * How many things there are: pairs, instances, names, nodes, checks or events; of a path 1, or 0
 * when it was answered with a 404.
 */
size_t consul_view_count(const consul_view *view);

/**
 * The pair of a key, in a view of a key or a prefix; NULL when there is none. Borrowed: valid until
 * the view moves or is freed.
 */
const consul_kv_pair *consul_view_find_kv(const consul_view *view, const char *key);

/**
 * The instance of this id, in a view of a service; the first one where several nodes use the same
 * id. As `consul_view_find_kv`.
 */
const consul_service_entry *consul_view_find_service_entry(const consul_view *view,
                                                           const char *service_id);

/**
 * One of the pairs, sorted by key, in a view of a key or a prefix; NULL past the end. Borrowed:
 * valid until the view moves or is freed.
 */
const consul_kv_pair *consul_view_kv_at(const consul_view *view, size_t index);

/**
 * One of the instances, in a view of a service: sorted by node and id, or by distance where the
 * options say near. As `consul_view_kv_at`.
 */
const consul_service_entry *consul_view_service_entry_at(const consul_view *view, size_t index);

/**
 * One of the names, sorted, in a view of the services. As `consul_view_kv_at`.
 */
const consul_service_name *consul_view_service_name_at(const consul_view *view, size_t index);

/**
 * One of the nodes, sorted by name, in a view of the nodes. As `consul_view_kv_at`.
 */
const consul_node *consul_view_node_at(const consul_view *view, size_t index);

/**
 * One of the checks, sorted by node and id, in a view of checks. As `consul_view_kv_at`.
 */
const consul_check *consul_view_check_at(const consul_view *view, size_t index);

/**
 * One of the user events, the oldest first, in a view of them. As `consul_view_kv_at`.
 */
const consul_user_event *consul_view_user_event_at(const consul_view *view, size_t index);

/**
 * The body of the answer with a NUL after its last byte, in a view of a path; NULL in any other.
 * As `consul_view_kv_at`.
 */
const char *consul_view_body(const consul_view *view);

/**
 * How many bytes the body has, without the NUL.
 */
size_t consul_view_body_len(const consul_view *view);

/**
 * Ends a view, and the rows that were read from it. NULL is fine.
 */
void consul_view_free(consul_view *view);


/*
 * Picking an instance
 * ===================
 *
 * A view of a service picks one of its instances, without a lock and without a system call. Picked
 * is who passes, or warns where the watch takes those too; who is critical or in maintenance never
 * is. A pick reads what was found last, however old, unless the watch was given a maximal age: an error
 * alone never empties the list.
 *
 *     consul_view_refresh(view);
 *     const consul_service_entry *entry = consul_view_pick(view, CONSUL_PICK_ROUND_ROBIN, NULL, 0);
 *     if (entry != NULL)
 *         printf("%s:%u\n", entry->address, (unsigned)entry->service->port);
 */

/**
 * One after the other.
 */
#define CONSUL_PICK_ROUND_ROBIN 1

/**
 * Any.
 */
#define CONSUL_PICK_RANDOM 2

/**
 * By chance, each as often as its weight says: that for passing or that for warning, as it is.
 */
#define CONSUL_PICK_WEIGHTED 3

/**
 * The one with the fewest leases (`consul_view_lease`). Among more than 32 instances the better of
 * two.
 */
#define CONSUL_PICK_LEAST_CONNECTIONS 4

/**
 * The nearest by the cluster's network coordinates, for a watch whose options say near.
 */
#define CONSUL_PICK_NEAREST 5

/**
 * The one that `key` belongs to: it stays the same while the instance is there, and of the keys of
 * an instance that goes each goes to another one.
 */
#define CONSUL_PICK_HASH 6

/**
 * Picks an instance in this way, `CONSUL_PICK_...`; NULL when there is none to pick, when the view
 * is not one of a service, and for the nearest of a watch without near: `consul_view_lease` tells
 * which. Only `CONSUL_PICK_HASH` looks at `key`. Borrowed: valid until the view moves or is freed.
 */
const consul_service_entry *consul_view_pick(const consul_view *view,
                                             int32_t pick,
                                             const uint8_t *key,
                                             size_t key_len);

/**
 * As `consul_view_pick`, and counts a use of the instance until the lease is freed.
 * `CONSUL_NOT_FOUND` when there is none to pick, `CONSUL_ERR_ARGUMENT` when the view cannot pick in
 * this way, the error of `consul_view_check` when it may not be read. Free it with `consul_lease_free`.
 */
consul_status consul_view_lease(const consul_view *view,
                                int32_t pick,
                                const uint8_t *key,
                                size_t key_len,
                                consul_lease **out);

/**
 * The instance in use. Borrowed: valid until `lease` is freed, wherever the view moves.
 */
const consul_service_entry *consul_lease_service_entry(const consul_lease *lease);

/**
 * Ends a use of an instance. NULL is fine.
 */
void consul_lease_free(consul_lease *lease);


/*
 * Consistent-hash rings
 * =====================
 *
 * A ring tells which node a key belongs to, the same in every program and language: by MurmurHash3
 * x64 128, as published, over 160 points for each unit of a node's weight. A node that goes gives
 * away its own keys alone. Nothing here asks Consul; `consul_cluster_node_for_key` looks up in a ring
 * that follows the living members of a cluster.
 *
 * Any thread may look up while another one changes the ring: a look-up takes no lock.
 *
 *     consul_ring *ring = NULL;
 *     consul_ring_new(0, &ring);
 *     consul_ring_add(ring, "cache-1", 1);
 *     consul_ring_add(ring, "cache-2", 2);
 *     puts(consul_ring_node_for_key(ring, (const uint8_t *)"user/17", 7));
 *     consul_ring_free(ring);
 */

/**
 * Makes a ring without nodes. `virtual_nodes` is how many points a node has for each unit of its
 * weight, 1 to 10,000; 0 for 160. Programs that share keys must use the same number. Free it with
 * `consul_ring_free`.
 */
consul_status consul_ring_new(uint32_t virtual_nodes, consul_ring **out);

/**
 * Adds a node of this weight, 1 to 1,000, or gives one that is there this weight.
 */
consul_status consul_ring_add(const consul_ring *ring, const char *node, uint32_t weight);

/**
 * Removes a node. `CONSUL_NOT_FOUND` when it was not there.
 */
consul_status consul_ring_remove(const consul_ring *ring, const char *node);

/**
 * Gives the ring these nodes and no others, in one step. `weights`, one for each node, may be NULL,
 * for 1 each.
 */
consul_status consul_ring_set(const consul_ring *ring,
                              const char *const *nodes,
                              size_t node_count,
                              const uint32_t *weights);

/**
 * The node that a key belongs to; NULL where there are no nodes. Borrowed: valid until the calling
 * thread looks up again, in any ring or cluster.
 */
const char *consul_ring_node_for_key(const consul_ring *ring, const uint8_t *key, size_t key_len);

/**
 * The node that a key belongs to, and those that it would belong to without the ones before: `count`
 * different nodes, or all where there are fewer. Free it with `consul_keys_free`.
 */
consul_status consul_ring_replicas_for_key(const consul_ring *ring,
                                           const uint8_t *key,
                                           size_t key_len,
                                           size_t count,
                                           consul_keys **out);

/**
 * The names of the nodes, sorted byte by byte. Free it with `consul_keys_free`.
 */
consul_status consul_ring_nodes(const consul_ring *ring, consul_keys **out);

/**
 * How many nodes there are.
 */
size_t consul_ring_count(const consul_ring *ring);

/**
 * The weight of a node; 0 when it is not there.
 */
uint32_t consul_ring_weight(const consul_ring *ring, const char *node);

/**
 * 0 for a ring that never had a node, and one more with each change.
 */
uint64_t consul_ring_version(const consul_ring *ring);

/**
 * Ends a ring. NULL is fine.
 */
void consul_ring_free(consul_ring *ring);


/*
 * Clusters
 * ========
 *
 * A node joins a cluster of nodes, and sees who else is in it, who leads, and who owns which key.
 * Each member has a key of its own that its session holds, `tsdb/cluster/nodes/ID`, with its id,
 * address, weight and metadata as JSON. Members that come and go do not reshuffle the keys, and
 * while Consul is away the last state stays.
 *
 *     consul_cluster_spec *spec = NULL;
 *     consul_cluster *cluster = NULL;
 *     consul_cluster_spec_new("node-1", "10.0.0.1:7000", &spec);
 *     consul_cluster_spec_set_min_nodes(spec, 3);
 *     consul_cluster_join(client, spec, &cluster);
 *     consul_cluster_spec_free(spec);
 *     if (consul_cluster_wait_joined(cluster, 5000) == CONSUL_OK) {
 *         const consul_cluster_node *node =
 *             consul_cluster_node_for_key(cluster, (const uint8_t *)"AAPL", 4);
 *         printf("AAPL is at %s\n", node->address);
 *     }
 *     consul_cluster_leave(cluster, NULL);
 *     consul_cluster_free(cluster);
 */

/**
 * Describes a node of a cluster: its id, which no other member has, and where it is reached, in its
 * own words; `address` may be NULL. It has the weight 1, is under `tsdb/cluster/`, lives by a session
 * of 15 s, and runs for leader. Everything in it is checked by `consul_cluster_join`. Free it with
 * `consul_cluster_spec_free`.
 */
consul_status consul_cluster_spec_new(const char *id,
                                      const char *address,
                                      consul_cluster_spec **out);

/**
 * How large its share of the keys is, beside the others' weights: 1 to 1,000.
 */
consul_status consul_cluster_spec_set_weight(consul_cluster_spec *spec, uint32_t weight);

/**
 * Something that it says of itself. A key that is added again has the new value.
 */
consul_status consul_cluster_spec_add_meta(consul_cluster_spec *spec,
                                           const char *key,
                                           const char *value);

/**
 * Under which keys the cluster is: its members under `nodes/` there, its leader at `leader`. A slash
 * in front is left out, as Consul's HTTP server does, and one at the end is added.
 */
consul_status consul_cluster_spec_set_prefix(consul_cluster_spec *spec,
                                             const char *prefix);

/**
 * Under which keys the members are, where that is somewhere else.
 */
consul_status consul_cluster_spec_set_nodes_prefix(consul_cluster_spec *spec, const char *prefix);

/**
 * The key of the leader, where that is somewhere else.
 */
consul_status consul_cluster_spec_set_leader_key(consul_cluster_spec *spec, const char *key);

/**
 * How long its session lives without being renewed: a member that dies is suspect after one to two
 * of these. 10,000 ms (`min_session_ttl_ms`) to 24 h.
 */
consul_status consul_cluster_spec_set_ttl_ms(consul_cluster_spec *spec, uint64_t ttl_ms);

/**
 * How many living members are enough (`consul_cluster_has_enough_nodes`); 1 unless set.
 */
consul_status consul_cluster_spec_set_min_nodes(consul_cluster_spec *spec, uint32_t min_nodes);

/**
 * Whether it runs for leader, as it does unless set. One that does not still sees who leads.
 */
consul_status consul_cluster_spec_set_campaigns(consul_cluster_spec *spec, bool campaigns);

/**
 * For how long nobody can lead after a leader has died: 0 to 60,000 ms, 15,000 unless set. Not after
 * one that left.
 */
consul_status consul_cluster_spec_set_lock_delay_ms(consul_cluster_spec *spec,
                                                    uint64_t lock_delay_ms);

/**
 * How long a member whose session ended stays in the ring, since it may come back; 5,000 ms unless
 * set. One that leaves is out of it at once.
 */
consul_status consul_cluster_spec_set_leave_after_ms(consul_cluster_spec *spec,
                                                     uint64_t leave_after_ms);

/**
 * How long a member that was out of the ring has to last before it is in it again; 10,000 ms unless
 * set. One that is new is in it at once.
 */
consul_status consul_cluster_spec_set_join_after_ms(consul_cluster_spec *spec,
                                                    uint64_t join_after_ms);

/**
 * How long the ring stays as it is when more than half of it is lost together, which is an outage
 * rather than they; 60,000 ms unless set. As long as nobody lives at all it stays in any case.
 */
consul_status consul_cluster_spec_set_outage_hold_ms(consul_cluster_spec *spec,
                                                     uint64_t outage_hold_ms);

/**
 * With what token, datacenter, namespace and partition it is done; `options` may be NULL, for the
 * client's. The rest of the options is not used.
 */
consul_status consul_cluster_spec_set_options(consul_cluster_spec *spec,
                                              const consul_options *options);

/**
 * Ends a description; clusters that were joined with it stay. NULL is fine.
 */
void consul_cluster_spec_free(consul_cluster_spec *spec);

/**
 * Its session lives.
 */
#define CONSUL_CLUSTER_NODE_ALIVE 1

/**
 * Its session has ended, and it stays in the ring as long as it may come back soon; or it came back,
 * and has to last for a while before it is in the ring again.
 */
#define CONSUL_CLUSTER_NODE_SUSPECT 2

/**
 * It is not in the cluster any more.
 */
#define CONSUL_CLUSTER_NODE_LEFT 3

/**
 * A node of a cluster.
 */
typedef struct consul_cluster_node {
    /**
     * Its id, which no other member has.
     */
    const char *id;
    /**
     * The bytes in `id`.
     */
    size_t id_len;
    /**
     * Where it is reached, in its own words.
     */
    const char *address;
    /**
     * The bytes in `address`.
     */
    size_t address_len;
    /**
     * How large its share of the keys is, beside the others' weights.
     */
    uint32_t weight;
    /**
     * How it is, `CONSUL_CLUSTER_NODE_...`.
     */
    int32_t state;
    /**
     * The id of the session that it lives by; empty when that has ended.
     */
    const char *session_id;
    /**
     * The bytes in `session_id`.
     */
    size_t session_id_len;
    /**
     * The keys of its metadata.
     */
    const char *const *meta_keys;
    /**
     * Their values, as many.
     */
    const char *const *meta_values;
    /**
     * How many `meta_keys` there are.
     */
    size_t meta_count;
    /**
     * Since when its state is so, by this machine's clock, in ms since 1970.
     */
    uint64_t since_ms;
    /**
     * Whether it led when this was found.
     */
    bool is_leader;
} consul_cluster_node;

/**
 * How many nodes there are; 0 for a handle that is not live.
 */
size_t consul_cluster_nodes_count(const consul_cluster_nodes *nodes);

/**
 * One of the nodes; NULL past the end. Borrowed: valid until `nodes` is freed.
 */
const consul_cluster_node *consul_cluster_nodes_at(const consul_cluster_nodes *nodes,
                                                          size_t index);

/**
 * Ends a list of nodes. NULL is fine.
 */
void consul_cluster_nodes_free(consul_cluster_nodes *nodes);

/**
 * Nodes have joined: the event's result (`consul_event_take_cluster_nodes`) has them. Whatever
 * happens before the event is taken is told by one event of each type, and what is told of a node
 * last counts: a list may be empty.
 */
#define CONSUL_EVENT_CLUSTER_JOINED 16

/**
 * Nodes have left: as `CONSUL_EVENT_CLUSTER_JOINED`.
 */
#define CONSUL_EVENT_CLUSTER_LEFT 17

/**
 * Nodes say something else of themselves, live by another session, or are suspect, or not any more:
 * as `CONSUL_EVENT_CLUSTER_JOINED`.
 */
#define CONSUL_EVENT_CLUSTER_CHANGED 18

/**
 * Another node leads, or this one has begun or ceased to: the event's result (`consul_event_take_text`) is its id, and its status is
 * `CONSUL_NOT_FOUND` when none does.
 */
#define CONSUL_EVENT_CLUSTER_LEADER 19

/**
 * Some keys belong to another node than before.
 */
#define CONSUL_EVENT_CLUSTER_RING 20

/**
 * The last event of a cluster: it was left or freed, its tag cancelled (`CONSUL_ERR_CANCELLED`), or
 * its client closed (`CONSUL_ERR_CLOSED`).
 */
#define CONSUL_EVENT_CLUSTER_ENDED 21

/**
 * Joins a cluster with a copy of the description: begins to, and goes on in the background until it
 * is left. That Consul is away is no error, and neither is that another member has the id: that is
 * waited for. `consul_cluster_wait_joined` tells when it has worked. `CONSUL_ERR_ARGUMENT` when
 * something in the description cannot be. Free it with `consul_cluster_free`.
 */
consul_status consul_cluster_join(const consul_client *client,
                                  const consul_cluster_spec *spec,
                                  consul_cluster **out);

/**
 * Waits until it has joined and sees itself among the nodes; -1 waits for ever. `CONSUL_ERR_TIMEOUT`
 * when it has not in time, with the last failure in the message; `CONSUL_ERR_CANCELLED` or
 * `CONSUL_ERR_CLOSED` once it is left or its client is closed.
 */
consul_status consul_cluster_wait_joined(const consul_cluster *cluster,
                                         int64_t timeout_ms);

/**
 * As `consul_cluster_wait_joined`, which it is where `async` is NULL; else the end of the wait arrives
 * in a queue.
 */
consul_status consul_cluster_wait_joined_async(const consul_cluster *cluster,
                                               int64_t timeout_ms,
                                               const consul_async *async);

/**
 * Waits until `consul_cluster_version` is above this one, which is to be read before what you look
 * at; -1 waits for ever. `CONSUL_NO_CHANGE` when it is not after this time; `CONSUL_ERR_CANCELLED` or `CONSUL_ERR_CLOSED` once it is left or its
 * client is closed.
 */
consul_status consul_cluster_wait_change(const consul_cluster *cluster,
                                         uint64_t version,
                                         int64_t timeout_ms);

/**
 * As `consul_cluster_wait_change`, which it is where `async` is NULL; else the end of the wait arrives
 * in a queue. `consul_cluster_set_queue` tells of each change without being asked again.
 */
consul_status consul_cluster_wait_change_async(const consul_cluster *cluster,
                                               uint64_t version,
                                               int64_t timeout_ms,
                                               const consul_async *async);

/**
 * Its own id; NULL for a handle that is not live. Borrowed: valid until the cluster is freed.
 */
const char *consul_cluster_id(const consul_cluster *cluster);

/**
 * 0 before anything was found; it grows with each change of nodes, leader or ring, and when this node
 * begins or ceases to lead.
 */
uint64_t consul_cluster_version(const consul_cluster *cluster);

/**
 * The same of the ring alone: it grows when some keys belong to another node than before.
 */
uint64_t consul_cluster_ring_version(const consul_cluster *cluster);

/**
 * How long ago Consul confirmed the list of nodes; `UINT64_MAX` when it never did. While Consul is
 * away the last state stays, and this grows.
 */
uint64_t consul_cluster_age_ms(const consul_cluster *cluster);

/**
 * Everybody who is or was a member, by id: alive, suspect, and for ten minutes at least those that
 * have left. Free it with `consul_cluster_nodes_free`.
 */
consul_status consul_cluster_list_nodes(const consul_cluster *cluster, consul_cluster_nodes **out);

/**
 * How many nodes live.
 */
size_t consul_cluster_living(const consul_cluster *cluster);

/**
 * Whether as many nodes live as `consul_cluster_spec_set_min_nodes` says.
 */
bool consul_cluster_has_enough_nodes(const consul_cluster *cluster);

/**
 * The node that a key belongs to; NULL before anything was found. Takes no lock. Borrowed: valid
 * until the calling thread looks up again, in any ring or cluster.
 */
const consul_cluster_node *consul_cluster_node_for_key(const consul_cluster *cluster,
                                                       const uint8_t *key,
                                                       size_t key_len);

/**
 * The node that a key belongs to, and those that it would belong to without the ones before: `count`
 * different ones, or all of the ring where there are fewer. Free it with `consul_cluster_nodes_free`.
 */
consul_status consul_cluster_replicas_for_key(const consul_cluster *cluster,
                                              const uint8_t *key,
                                              size_t key_len,
                                              size_t count,
                                              consul_cluster_nodes **out);

/**
 * Whether this node leads, judged by the clock at this moment.
 */
bool consul_cluster_is_leader(const consul_cluster *cluster);

/**
 * The id of the node that leads: as it was seen last where that is another one, and this node's
 * exactly while `consul_cluster_is_leader` says so. `CONSUL_NOT_FOUND` when none does. Free it with
 * `consul_text_free`.
 */
consul_status consul_cluster_leader(const consul_cluster *cluster, consul_text **out);

/**
 * Changes its weight, 1 to 1,000. Returns at once.
 */
consul_status consul_cluster_set_weight(const consul_cluster *cluster, uint32_t weight);

/**
 * Says something of itself; a NULL for `value` takes it back. Returns at once.
 */
consul_status consul_cluster_set_meta(const consul_cluster *cluster,
                                      const char *key,
                                      const char *value);

/**
 * Has each change arrive in a queue from now on, as events of the types `CONSUL_EVENT_CLUSTER_...`
 * under `tag`, without counting among the calls in flight. In one queue at a time; `queue` may be
 * NULL, which ends that without an event. `CONSUL_ERR_CANCELLED` or `CONSUL_ERR_CLOSED` once it is
 * left or its client is closed.
 */
consul_status consul_cluster_set_queue(const consul_cluster *cluster,
                                       consul_queue *queue,
                                       uint64_t tag);

/**
 * Leaves: gives up the lead, deletes its key, so that the others know at once, destroys its session,
 * and says how that went. After an error the library goes on trying in the background for two TTLs.
 * `CONSUL_OK` also when it was left before. What was found stays to be read.
 */
consul_status consul_cluster_leave(const consul_cluster *cluster,
                                   const consul_async *async);

/**
 * Ends it: calls that wait in it end with `CONSUL_ERR_CANCELLED`, and it is left in the background.
 * NULL is fine.
 */
void consul_cluster_free(consul_cluster *cluster);


/*
 * The embedded agent
 * ==================
 *
 * A client whose address is `embedded:` has a Consul agent in this process's memory, `embedded:NAME`
 * one that all clients of the process share that name it: for development and tests, not for
 * production. A test turns its clock on, and orders faults.
 *
 *     consul_config_set(config, "address", "embedded:");
 *     ...
 *     consul_embedded_fail_next(client, "/v1/kv/", 1, 500, "rpc error making call: EOF");
 *     consul_embedded_advance(client, 30000);    // the session of 10 s has ended
 *
 * Each of these functions ends with `CONSUL_ERR_UNSUPPORTED` when the client's agent is not
 * embedded. Where there is a `prefix`, a fault meets only requests whose path begins with that, such
 * as `/v1/kv/`; NULL is all of them.
 */

/**
 * Turns the agent's clock on. What is due until then has happened when this returns: sessions have
 * ended, checks have failed, waits are over. It can be turned by a year in all.
 */
consul_status consul_embedded_advance(const consul_client *client, uint64_t time_ms);

/**
 * How long the agent has lived by its own clock, in ms.
 */
consul_status consul_embedded_now(const consul_client *client, uint64_t *now_ms);

/**
 * Lets every request wait this long, by the agent's clock, before it is looked at. 0 ends that.
 * `prefix` may be NULL.
 */
consul_status consul_embedded_set_latency(const consul_client *client,
                                          const char *prefix,
                                          uint64_t latency_ms);

/**
 * Answers the next `count` requests with this HTTP status, 400 to 599, and text, and does nothing
 * for them; 0 takes the order back. `prefix` may be NULL, and so may `text`.
 */
consul_status consul_embedded_fail_next(const consul_client *client,
                                        const char *prefix,
                                        uint64_t count,
                                        uint32_t http_status,
                                        const char *text);

/**
 * Takes the leader away, or gives one back. Without one, requests that need it are held for seven
 * seconds of the agent's clock, and answered with 500 `No cluster leader` when there is still none;
 * stale reads are answered. `prefix` may be NULL.
 */
consul_status consul_embedded_no_leader(const consul_client *client,
                                        const char *prefix,
                                        bool is_gone);

/**
 * Does what the next `count` requests ask for and loses the answers: whether it was done is unknown
 * to who asked. 0 takes the order back. `prefix` may be NULL.
 */
consul_status consul_embedded_lose_answers(const consul_client *client,
                                           const char *prefix,
                                           uint64_t count);

/**
 * Takes every order of a fault back, whatever its prefix.
 */
consul_status consul_embedded_reset_faults(const consul_client *client);

#ifdef __cplusplus
}
#endif

#endif

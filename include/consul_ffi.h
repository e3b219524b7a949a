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
 * set to NULL before anything else. The order of parameters is: handle, inputs, options, async,
 * outputs.
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
#define CONSUL_ABI_MINOR 0

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
 *     if (consul_kv_put(client, "app/limit", value, len, NULL, NULL, NULL) < 0) {
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
 * The row is borrowed, and valid until this thread's next failing call.
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
 * Services of the catalog, as one answer gave them.
 */
typedef struct consul_catalog_services consul_catalog_services;

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
#define CONSUL_HANDLE_CATALOG_SERVICES 20
#define CONSUL_HANDLE_MEMBERS 21
#define CONSUL_HANDLE_QUEUE 22
#define CONSUL_HANDLE_EVENT 23

/**
 * How many handles of a type (`CONSUL_HANDLE_...`) were not freed yet; `CONSUL_HANDLE_ALL` counts
 * all types together. 0 for a number that is no type.
 */
size_t consul_live_handles(int32_t handle_type);


/*
 * Asynchronous calls
 * ==================
 *
 * Every call that waits for Consul takes a `consul_async`; NULL makes it a blocking call.
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
     * The caller's own number for the call.
     */
    uint64_t tag;
} consul_async;


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

#ifdef __cplusplus
}
#endif

#endif

/* The threads that keep locks: few, named, deaf to signals, and gone when nothing needs them. And
 * thirty-two threads that fight for one lock, of whom one has it at a time. */

#include "lock.h"
#include "sockets.h"
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

static consul_client *client;

/* The line of a thread's status that begins so, without that. */
static bool status_of(const char *thread, const char *name, char *value, size_t size)
{
    char path[300], line[200];
    bool found = false;
    FILE *status;
    sprintf(path, "/proc/self/task/%.20s/status", thread);
    status = fopen(path, "r");
    while (status != NULL && !found && fgets(line, sizeof line, status) != NULL) {
        found = strncmp(line, name, strlen(name)) == 0;
        if (found)
            snprintf(value, size, "%s", line + strlen(name));
    }
    if (status != NULL)
        fclose(status);
    return found;
}

/* Every signal that can be blocked: all but SIGKILL, SIGSTOP and the two that libc keeps. */
static bool blocks_all(const char *mask)
{
    uint64_t blocked = strtoull(mask, NULL, 16);
    int number;
    for (number = 1; number < 64; number++) {
        if (number == SIGKILL || number == SIGSTOP || number == 32 || number == 33)
            continue;
        if (!(blocked >> (number - 1) & 1))
            return false;
    }
    return true;
}

/* The threads that were there before those of the library, whose numbers need not be larger. */
static long known[16];
static int known_count;

static void know_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    struct dirent *entry;
    CHECK(folder != NULL);
    for (known_count = 0; (entry = readdir(folder)) != NULL; known_count++) {
        CHECK(known_count < (int)(sizeof known / sizeof known[0]));
        known[known_count] = atol(entry->d_name);
    }
    closedir(folder);
}

/* Also true of "." and "..". */
static bool is_known(const char *thread)
{
    int i = 0;
    while (i < known_count && known[i] != atol(thread))
        i++;
    return i < known_count;
}

/* Looks at every other thread; gives how many there are. */
static int check_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    struct dirent *entry;
    int count = 0;
    CHECK(folder != NULL);
    while ((entry = readdir(folder)) != NULL) {
        char name[100], mask[100];
        if (is_known(entry->d_name))
            continue;
        if (!status_of(entry->d_name, "Name:\t", name, sizeof name) ||
            !status_of(entry->d_name, "SigBlk:\t", mask, sizeof mask))
            continue;
        count++;
        if (strncmp(name, "consul", 6) != 0)
            fail(__FILE__, __LINE__, "a thread is called %s", name);
        if (!blocks_all(mask))
            fail(__FILE__, __LINE__, "thread %s blocks only %s", name, mask);
    }
    closedir(folder);
    return count;
}

static void few_threads(void)
{
    enum { LOCKS = 50 };
    consul_lock *locks[LOCKS];
    int i, before = threads();
    know_threads();
    client = consul();
    CHECK(threads() == before);
    for (i = 0; i < LOCKS; i++) {
        char *key = unique("many");
        locks[i] = lock_of(client, key);
        CHECK_OK(consul_lock_acquire(locks[i], PATIENCE_MS, NULL));
        free(key);
    }
    i = check_threads();
    CHECK(i >= 1 && i <= 4);
    CHECK(sockets(NULL) <= 16);
    for (i = 0; i < LOCKS; i++) {
        CHECK(consul_lock_is_held(locks[i]));
        CHECK_OK(consul_lock_release(locks[i], NULL));
        consul_lock_free(locks[i]);
    }
    /* When it is closed, nothing needs them any more. */
    CHECK_OK(consul_client_close(client, PATIENCE_MS));
    /* A thread that was joined is listed for another moment. */
    while (threads() > before)
        usleep(1000);
    CHECK(sockets(NULL) == 0);
    consul_client_free(client);
}

static char *contended;
static int owners, wins;

static void *contend(void *unused)
{
    consul_lock *lock = lock_of(client, contended);
    int i;
    (void)unused;
    for (i = 0; i < 2; i++) {
        consul_status status = consul_lock_acquire(lock, 60000, NULL);
        CHECK_STATUS(CONSUL_OK, status);
        CHECK(__atomic_add_fetch(&owners, 1, __ATOMIC_SEQ_CST) == 1);
        __atomic_add_fetch(&wins, 1, __ATOMIC_SEQ_CST);
        CHECK(consul_lock_is_held(lock));
        CHECK(__atomic_sub_fetch(&owners, 1, __ATOMIC_SEQ_CST) == 0);
        CHECK_OK(consul_lock_release(lock, NULL));
    }
    consul_lock_free(lock);
    return NULL;
}

static consul_lock *wanted;

static void *wait_for_it(void *unused)
{
    (void)unused;
    CHECK_STATUS(CONSUL_ERR_CANCELLED, consul_lock_acquire(wanted, UINT64_MAX, NULL));
    return NULL;
}

/* A stop ends the wait on another thread, also when it comes a moment too early. */
static void stopped(void)
{
    consul_lock *holder = lock_of(client, contended);
    pthread_t thread;
    wanted = lock_of(client, contended);
    CHECK_OK(consul_lock_acquire(holder, 60000, NULL));
    CHECK(pthread_create(&thread, NULL, wait_for_it, NULL) == 0);
    while (pthread_tryjoin_np(thread, NULL) != 0) {
        CHECK_OK(consul_lock_stop(wanted));
        usleep(1000);
    }
    consul_lock_free(wanted);
    CHECK_OK(consul_lock_release(holder, NULL));
    consul_lock_free(holder);
}

static void one_owner(void)
{
    enum { THREADS = 32 };
    pthread_t all[THREADS];
    int i;
    client = consul();
    contended = unique("contended");
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_create(&all[i], NULL, contend, NULL) == 0);
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_join(all[i], NULL) == 0);
    CHECK(wins == 2 * THREADS && owners == 0);
    stopped();
    CHECK_OK(consul_client_close(client, PATIENCE_MS));
    consul_client_free(client);
    free(contended);
}

static pthread_t waiter;

static void handle(int signal)
{
    (void)signal;
}

/* Signals come until the wait is over, also when the first comes a moment too early. */
static void *signal_it(void *over)
{
    while (!__atomic_load_n((bool *)over, __ATOMIC_SEQ_CST)) {
        CHECK(pthread_kill(waiter, SIGUSR1) == 0);
        usleep(1000);
    }
    return NULL;
}

static consul_status signalled(consul_status (*wait)(const consul_lock *), const consul_lock *lock)
{
    bool over = false;
    pthread_t thread;
    consul_status status;
    CHECK(pthread_create(&thread, NULL, signal_it, &over) == 0);
    status = wait(lock);
    __atomic_store_n(&over, true, __ATOMIC_SEQ_CST);
    CHECK(pthread_join(thread, NULL) == 0);
    return status;
}

static consul_status wait_lost(const consul_lock *lock)
{
    return consul_lock_wait_lost(lock, -1);
}

static consul_status acquire(const consul_lock *lock)
{
    return consul_lock_acquire(lock, UINT64_MAX, NULL);
}

/* Every wait in a lock ends with a signal where the client is configured so. */
static void interrupted(void)
{
    struct sigaction action;
    consul_lock *held, *wanting;
    memset(&action, 0, sizeof action);
    action.sa_handler = handle;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    waiter = pthread_self();
    client = client_with(consul_address(), "interruptible", "true");
    contended = unique("interrupted");
    held = lock_of(client, contended);
    wanting = lock_of(client, contended);
    CHECK_OK(consul_lock_acquire(held, 60000, NULL));
    CHECK_STATUS(CONSUL_ERR_INTERRUPTED, signalled(wait_lost, held));
    CHECK_STATUS(CONSUL_ERR_INTERRUPTED, signalled(acquire, wanting));
    CHECK(consul_lock_is_held(held));
    consul_lock_free(held);
    consul_lock_free(wanting);
    CHECK_OK(consul_client_close(client, PATIENCE_MS));
    consul_client_free(client);
    free(contended);
}

static void *name(void *id)
{
    *(long *)id = syscall(SYS_gettid);
    return NULL;
}

/* A sanitizer has a thread of its own, which comes with the first one of the program. */
static void first_thread(void)
{
    pthread_t thread;
    char path[60];
    long id = 0;
    CHECK(pthread_create(&thread, NULL, name, &id) == 0 && pthread_join(thread, NULL) == 0);
    /* Joined, it is listed for another moment. */
    sprintf(path, "/proc/self/task/%ld", id);
    while (access(path, F_OK) == 0)
        usleep(1000);
}

int main(void)
{
    first_thread();
    few_threads();
    one_owner();
    interrupted();
    CHECK_NO_HANDLES();
    return 0;
}

/* A process ends with a lock held, a session kept and calls in flight: by exit(), by returning from
 * main, by exit() on another thread after main's is gone. Its exit code stays what it is, every time,
 * and nothing waits. */

#include "support.h"
#include <pthread.h>
#include <sys/wait.h>

enum { RUNS = 100, CALLERS = 4, CODE = 3 };

static consul_client *stuck;

static void *call(void *unused)
{
    consul_kv *kv = NULL;
    (void)unused;
    consul_kv_get(stuck, "a", NULL, NULL, &kv);
    return NULL;
}

/* Everything that can be under way. */
static void begin(void)
{
    struct listener silent = listener();
    consul_client *client = consul();
    consul_session *session = NULL;
    consul_lock_spec *spec = NULL;
    consul_lock *lock = NULL;
    char *key = unique("exit");
    int i;
    CHECK_OK(consul_session_start(client, NULL, false, NULL, NULL, &session));
    CHECK_OK(consul_lock_spec_new(key, &spec));
    CHECK_OK(consul_lock_new(client, spec, &lock));
    CHECK_OK(consul_lock_acquire(lock, PATIENCE_MS, NULL));
    free(key);
    stuck = client_with(silent.address, NULL, NULL);
    for (i = 0; i < CALLERS; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, call, NULL) == 0);
        CHECK(accept(silent.fd, NULL, NULL) >= 0);
    }
}

/* When the main thread is no more than a name. */
static void *exit_later(void *unused)
{
    char path[60], state = 'R';
    (void)unused;
    sprintf(path, "/proc/self/task/%d/stat", (int)getpid());
    while (state != 'Z') {
        FILE *stat = fopen(path, "r");
        CHECK(stat != NULL && fscanf(stat, "%*d (%*[^)]) %c", &state) == 1);
        fclose(stat);
        usleep(100);
    }
    exit(CODE);
}

static int end(const char *how)
{
    pthread_t thread;
    alarm(60);
    begin();
    if (strcmp(how, "exit") == 0)
        exit(CODE);
    if (strcmp(how, "return") == 0)
        return CODE;
    CHECK(pthread_create(&thread, NULL, exit_later, NULL) == 0);
    pthread_exit(NULL);
}

static void start(const char *program, const char *how)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, "end", how, (char *)NULL);
        _exit(127);
    }
    CHECK(waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != CODE)
        fail(__FILE__, __LINE__, "%s: status %#x", how, (unsigned)status);
}

int main(int argc, char **argv)
{
    int run;
    if (argc == 3 && strcmp(argv[1], "end") == 0)
        return end(argv[2]);
    for (run = 0; run < RUNS; run++) {
        start(argv[0], "exit");
        start(argv[0], "return");
        start(argv[0], "pthread_exit");
    }
    return 0;
}

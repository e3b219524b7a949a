/* One process at a time does the work, however many run: start it twice. */

#include <consul_ffi.h>
#include <stdio.h>
#include <time.h>

static int failed(void)
{
    fprintf(stderr, "%s\n", consul_last_error()->message);
    return 1;
}

static int work(const consul_lock *lock)
{
    struct timespec a_while = {0, 200000000};

    /* A store that refuses lower tokens than it has seen is safe from a holder that was too slow. */
    printf("leading, fencing token %llu\n", (unsigned long long)consul_lock_fencing_token(lock));
    fflush(stdout);

    /* Work goes here. A long one asks consul_lock_is_held() between its steps. */
    nanosleep(&a_while, NULL);

    /* Written only while the lock is held, whatever this process believes. */
    if (consul_lock_put(lock, "app/last-leader", (const uint8_t *)"worker", 6, 0, NULL, NULL) < 0)
        return failed();
    puts("done");
    fflush(stdout);
    return consul_lock_release(lock, NULL) < 0 ? failed() : 0;
}

static int run(const consul_client *client)
{
    consul_lock_spec *spec = NULL;
    consul_lock *lock = NULL;
    consul_status status;
    int result;

    if (consul_lock_spec_new("app/leader", &spec) < 0 ||
        consul_lock_spec_set_value(spec, (const uint8_t *)"worker", 6) < 0 ||
        consul_lock_new(client, spec, &lock) < 0) {
        consul_lock_spec_free(spec);
        return failed();
    }
    consul_lock_spec_free(spec);

    status = consul_lock_acquire(lock, 30000, NULL);
    if (status == CONSUL_OK) {
        result = work(lock);
    } else if (status == CONSUL_HELD) {
        puts("somebody else leads");
        result = 1;
    } else {
        result = failed();
    }
    consul_lock_free(lock);
    return result;
}

int main(void)
{
    consul_client *client = NULL;
    int result;

    if (consul_client_new(NULL, &client) < 0)
        return failed();
    result = run(client);
    /* What is still held is released before the process ends. */
    consul_client_close(client, 5000);
    consul_client_free(client);
    return result;
}

/* Two processes at a time do the work, however many run: start it three times. */

#include <consul_ffi.h>
#include <stdio.h>
#include <time.h>

static int failed(void)
{
    fprintf(stderr, "%s\n", consul_last_error()->message);
    return 1;
}

static int work(const consul_semaphore *semaphore)
{
    struct timespec a_while = {0, 200000000};

    puts("one of two");
    fflush(stdout);

    /* Work goes here. A long one asks consul_semaphore_is_held() between its steps. */
    nanosleep(&a_while, NULL);

    puts("done");
    fflush(stdout);
    return consul_semaphore_release(semaphore, NULL) < 0 ? failed() : 0;
}

static int run(const consul_client *client)
{
    consul_semaphore_spec *spec = NULL;
    consul_semaphore *semaphore = NULL;
    consul_status status;
    int result;

    if (consul_semaphore_spec_new("app/imports", 2, &spec) < 0 ||
        consul_semaphore_new(client, spec, &semaphore) < 0) {
        consul_semaphore_spec_free(spec);
        return failed();
    }
    consul_semaphore_spec_free(spec);

    status = consul_semaphore_acquire(semaphore, 30000, NULL);
    if (status == CONSUL_OK) {
        result = work(semaphore);
    } else if (status == CONSUL_HELD) {
        puts("two others are at it");
        result = 1;
    } else {
        result = failed();
    }
    consul_semaphore_free(semaphore);
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

/* panic LIBRARY: a panic inside an exported function becomes CONSUL_ERR_INTERNAL with its message,
 * and the program goes on. The library is one built with the feature `test-panic`, and not linked to
 * this program. */

#include <consul_ffi.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), abort()))

typedef consul_status test_panic(void);
typedef const consul_error *last_error(void);
typedef consul_status new_config(consul_config **);
typedef void free_config(consul_config *);

static void *library;

/* ISO C has no conversion from an object pointer to a function's; POSIX has. */
#define CALL(type, name) (*(type **)(void *[]){dlsym(library, name)})

static void *panic(void *unused)
{
    int i;
    (void)unused;
    for (i = 0; i < 100; i++) {
        consul_config *config = NULL;
        const consul_error *error;
        CHECK(CALL(test_panic, "consul_test_panic")() == CONSUL_ERR_INTERNAL);
        error = CALL(last_error, "consul_last_error")();
        CHECK(error->status == CONSUL_ERR_INTERNAL);
        CHECK(strstr(error->message, "asked for") != NULL);
        CHECK(CALL(new_config, "consul_config_new")(&config) == CONSUL_OK);
        CALL(free_config, "consul_config_free")(config);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    CHECK(argc == 2);
    library = dlopen(argv[1], RTLD_NOW);
    CHECK(library != NULL);
    panic(NULL);
    CHECK(pthread_create(&thread, NULL, panic, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    return 0;
}

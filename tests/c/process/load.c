/* load LIBRARY: the library comes and goes quietly. Loading it and making a client starts no thread
 * and touches no signal handler; it can be loaded, used and closed in a thread that then ends, any
 * number of times. It is not linked to this program. */

#include <consul_ffi.h>
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), abort()))

static const char *path;

typedef consul_status new_config(consul_config **);
typedef consul_status set_config(consul_config *, const char *, const char *);
typedef consul_status new_client(const consul_config *, consul_client **);
typedef consul_status get_kv(consul_client *, const char *, const consul_options *,
                             const consul_async *, consul_kv **);
typedef void free_handle(void *);
typedef size_t live_handles(int32_t);

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (found == NULL)
        fprintf(stderr, "%s\n", dlerror());
    CHECK(found != NULL);
    return found;
}

/* ISO C has no conversion from an object pointer to a function's; POSIX has. */
#define CALL(library, type, name) (*(type **)(void *[]){symbol(library, name)})

static int threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    int count = 0;
    CHECK(folder != NULL);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 2;
}

/* The lines about handlers and masks in /proc/self/status. */
static void signals(char *text, size_t size)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[200];
    CHECK(status != NULL);
    *text = '\0';
    while (fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "SigBlk", 6) == 0 || strncmp(line, "SigIgn", 6) == 0 ||
            strncmp(line, "SigCgt", 6) == 0)
            strncat(text, line, size - strlen(text) - 1);
    fclose(status);
}

static void use(void *library, const char *address)
{
    consul_config *config = NULL;
    consul_client *client = NULL;
    consul_kv *kv = NULL;
    CHECK(CALL(library, new_config, "consul_config_new")(&config) == CONSUL_OK);
    CHECK(CALL(library, set_config, "consul_config_set")(config, "address", address) == CONSUL_OK);
    CHECK(CALL(library, new_client, "consul_client_new")(config, &client) == CONSUL_OK);
    CHECK(CALL(library, get_kv, "consul_kv_get")(client, "load", NULL, NULL, &kv) ==
          CONSUL_ERR_CONNECT);
    CALL(library, free_handle, "consul_client_free")(client);
    CALL(library, free_handle, "consul_config_free")(config);
    CHECK(CALL(library, live_handles, "consul_live_handles")(CONSUL_HANDLE_ALL) == 0);
}

static void *load_and_use(void *unused)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    (void)unused;
    CHECK(library != NULL);
    use(library, "http://127.0.0.1:1");
    dlclose(library);
    return NULL;
}

int main(int argc, char **argv)
{
    char before[600], after[600];
    void *library;
    int i;
    CHECK(argc == 2);
    path = argv[1];
    CHECK(threads() == 1);
    signals(before, sizeof before);

    library = dlopen(path, RTLD_NOW);
    if (library == NULL)
        fprintf(stderr, "%s\n", dlerror());
    CHECK(library != NULL);
    use(library, "http://127.0.0.1:1");
    CHECK(threads() == 1);
    signals(after, sizeof after);
    CHECK(strcmp(before, after) == 0);
    dlclose(library);

    for (i = 0; i < 1000; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, load_and_use, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    return 0;
}

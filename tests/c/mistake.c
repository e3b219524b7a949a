/* mistake row|leak|race: what the tools that watch the other programs must find. */

#include "support.h"
#include <pthread.h>

static volatile int shared;

/* So often that it is found: of two writes at the very same moment one may go unseen. */
static void *write_shared(void *unused)
{
    int i;
    (void)unused;
    for (i = 0; i < 100000; i++)
        shared++;
    return NULL;
}

int main(int argc, char **argv)
{
    consul_config *config = NULL;
    consul_text *text = NULL;
    const char *row;
    CHECK(argc == 2);
    CHECK_OK(consul_config_new(&config));
    CHECK_OK(consul_config_get(config, "timeout_ms", &text));
    row = consul_text_data(text);
    consul_text_free(text);
    consul_config_free(config);
    if (strcmp(argv[1], "row") == 0) {
        printf("%c\n", *(const volatile char *)row);
    } else if (strcmp(argv[1], "leak") == 0) {
        void *volatile lost = malloc(100);
        lost = NULL;
        CHECK(lost == NULL);
    } else {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, write_shared, NULL) == 0);
        write_shared(NULL);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    return 0;
}

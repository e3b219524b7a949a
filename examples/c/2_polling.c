/* Follows a key by blocking queries: each one is answered when something changes, or when its wait
 * is over. Ends when the key's value is "stop". */

#include <consul_ffi.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const key = "app/limit";

static void pause_s(time_t seconds)
{
    struct timespec time = {0, 0};
    time.tv_sec = seconds;
    nanosleep(&time, NULL);
}

/* Shows the key when it is not as it was. True at the end. */
static bool show(const consul_kv_pair *pair, uint64_t *shown)
{
    /* A query can be answered although this key is as it was. */
    uint64_t version = pair == NULL ? 0 : pair->modify_index;
    if (version == *shown)
        return false;
    *shown = version;
    if (pair == NULL)
        printf("%s does not exist\n", key);
    else
        printf("%s = %.*s\n", key, (int)pair->value_len, (const char *)pair->value);
    fflush(stdout);
    return pair != NULL && pair->value_len == 4 && memcmp(pair->value, "stop", 4) == 0;
}

static int follow(const consul_client *client, consul_options *options)
{
    uint64_t index = 0, shown = UINT64_MAX, news;
    bool stop = false;

    consul_options_set_wait_ms(options, 30000);
    while (!stop) {
        consul_kv *kv = NULL;
        /* 0 is answered at once. The call's timeout grows with the wait by itself. */
        consul_options_set_index(options, index);
        if (consul_kv_get(client, key, options, NULL, &kv) < 0) {
            fprintf(stderr, "%s\n", consul_last_error()->message);
            if (!consul_last_error()->retryable)
                return 1;
            pause_s(1);
            continue;
        }
        /* An index that went back tells of a Consul that was restored: begin anew. */
        news = consul_kv_meta(kv)->index;
        index = news < index ? 0 : news;
        stop = show(consul_kv_at(kv, 0), &shown);
        consul_kv_free(kv);
    }
    return 0;
}

int main(void)
{
    consul_client *client = NULL;
    consul_options *options = NULL;
    int result = 1;

    if (consul_client_new(NULL, &client) < 0 || consul_options_new(&options) < 0)
        fprintf(stderr, "%s\n", consul_last_error()->message);
    else
        result = follow(client, options);
    consul_options_free(options);
    consul_client_free(client);
    return result;
}

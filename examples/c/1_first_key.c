/* Writes a key, reads it back, deletes it. */

#include <consul_ffi.h>
#include <stdio.h>

static int failed(void)
{
    fprintf(stderr, "%s\n", consul_last_error()->message);
    return 1;
}

static int run(const consul_client *client)
{
    consul_kv *kv = NULL;
    const consul_kv_pair *pair;
    consul_status status;

    if (consul_kv_put(client, "app/greeting", (const uint8_t *)"hello", 5, 0, NULL, NULL) < 0)
        return failed();

    status = consul_kv_get(client, "app/greeting", NULL, NULL, &kv);
    if (status < 0)
        return failed();
    if (status == CONSUL_NOT_FOUND) {
        puts("no such key");
    } else {
        pair = consul_kv_at(kv, 0);
        /* A value is any bytes, with a length. */
        fwrite(pair->value, 1, pair->value_len, stdout);
        printf(", modify index %llu\n", (unsigned long long)pair->modify_index);
    }
    consul_kv_free(kv);

    return consul_kv_delete(client, "app/greeting", NULL, NULL) < 0 ? failed() : 0;
}

int main(void)
{
    consul_client *client = NULL;
    int result;

    /* NULL: the settings of the environment, CONSUL_HTTP_ADDR and so on. */
    if (consul_client_new(NULL, &client) < 0)
        return failed();
    result = run(client);
    consul_client_free(client);
    return result;
}

/* Writes a key and reads it back: shows that headers, library and Consul fit together. */

#include <consul_ffi.h>
#include <stdio.h>
#include <string.h>

static int failed(const char *what) {
    const consul_error *error = consul_last_error();
    fprintf(stderr, "%s: %s\n", what, error ? error->message : "wrong answer");
    return 1;
}

int main(void) {
    static const char key[] = "packages/c", value[] = "h\0llo";
    consul_client *client = NULL;
    consul_kv *kv = NULL;
    const consul_kv_pair *pair;

    if (strcmp(consul_version(), CONSUL_VERSION) != 0)
        return failed("version");
    if (consul_client_new(NULL, &client) != CONSUL_OK)
        return failed("client");
    if (consul_kv_put(client, key, (const uint8_t *)value, sizeof value, 0, NULL, NULL) != CONSUL_OK)
        return failed("put");
    if (consul_kv_get(client, key, NULL, NULL, &kv) != CONSUL_OK)
        return failed("get");
    pair = consul_kv_at(kv, 0);
    if (pair->value_len != sizeof value || memcmp(pair->value, value, sizeof value) != 0)
        return failed("value");
    consul_kv_free(kv);
    if (consul_kv_delete(client, key, NULL, NULL) != CONSUL_OK)
        return failed("delete");
    consul_client_free(client);
    printf("C %s\n", consul_version());
    return 0;
}

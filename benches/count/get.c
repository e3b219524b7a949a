/* Reads one key COUNT times through the C ABI, each answer decoded: what count.sh counts. */
#include <consul_ffi.h>
#include <stdio.h>
#include <stdlib.h>

static void must(consul_status status) {
    if (status == CONSUL_OK) return;
    fprintf(stderr, "%s: %s\n", consul_status_name(status), consul_last_error()->message);
    exit(1);
}

int main(int argc, char **argv) {
    consul_client *client = NULL;
    consul_kv *kv = NULL;
    size_t bytes = 0;
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;

    must(consul_client_new(NULL, &client));
    must(consul_kv_put(client, "count/get", (const uint8_t *)"12345", 5, 0, NULL, NULL));
    for (long i = 0; i < count; i++) {
        must(consul_kv_get(client, "count/get", NULL, NULL, &kv));
        bytes += consul_kv_at(kv, 0)->value_len;
        consul_kv_free(kv);
    }
    must(consul_kv_delete(client, "count/get", NULL, NULL));
    consul_client_free(client);
    return bytes == (size_t)count * 5 ? 0 : 1;
}

/* Sockets are few and used again: ten thousand writes in a row share one, clients of one address
 * share theirs, and the last client takes all of them along. */

#include "sockets.h"

static void one_for_many_calls(void)
{
    consul_client *client = consul();
    unsigned long first = 0, last = 0;
    char *key = unique("sockets");
    int i;
    CHECK(sockets(NULL) == 0);
    for (i = 0; i < 10000; i++) {
        CHECK_OK(consul_kv_put(client, key, (const uint8_t *)"v", 1, (uint64_t)i, NULL, NULL));
        if (i == 0)
            CHECK(sockets(&first) == 1);
    }
    CHECK(sockets(&last) == 1 && first == last);
    consul_client_free(client);
    CHECK(sockets(NULL) == 0);
    free(key);
}

static void few_for_many_clients(void)
{
    enum { CLIENTS = 200 };
    consul_client *clients[CLIENTS];
    int i;
    for (i = 0; i < CLIENTS; i++) {
        consul_kv *kv = NULL;
        clients[i] = consul();
        CHECK_STATUS(CONSUL_NOT_FOUND, consul_kv_get(clients[i], "sockets/no", NULL, NULL, &kv));
        consul_kv_free(kv);
    }
    CHECK(sockets(NULL) <= 16);
    CHECK(threads() == 1);
    for (i = 0; i < CLIENTS; i++)
        consul_client_free(clients[i]);
    CHECK(sockets(NULL) == 0);
}

int main(void)
{
    one_for_many_calls();
    few_for_many_clients();
    CHECK_NO_HANDLES();
    return 0;
}

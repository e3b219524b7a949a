/* Takes one from the stock and notes the order, both or neither. */

#include <consul_ffi.h>
#include <stdio.h>
#include <stdlib.h>

static int failed(void)
{
    fprintf(stderr, "%s\n", consul_last_error()->message);
    return 1;
}

/* Commits, and says what came of it. */
static int commit(const consul_client *client, const consul_txn *txn, int left)
{
    consul_txn_result *result = NULL;
    consul_status status = consul_txn_commit(client, txn, NULL, NULL, &result);
    size_t i;

    if (status < 0)
        return failed();
    if (status == CONSUL_OK)
        printf("ordered, %d left\n", left);
    /* CONSUL_CONFLICT: nothing was done, and the result says why. */
    for (i = 0; i < consul_txn_result_error_count(result); i++) {
        const consul_txn_error *error = consul_txn_result_error_at(result, i);
        printf("rolled back by operation %d: %s\n", (int)error->op_index + 1, error->what);
    }
    consul_txn_result_free(result);
    return 0;
}

static int order(const consul_client *client, consul_txn *txn)
{
    consul_kv *stock = NULL;
    const consul_kv_pair *pair;
    consul_status status;
    char text[24];
    int left, length;

    if (consul_kv_put(client, "shop/stock", (const uint8_t *)"10", 2, 0, NULL, NULL) < 0)
        return failed();
    status = consul_kv_get(client, "shop/stock", NULL, NULL, &stock);
    if (status < 0)
        return failed();
    if (status == CONSUL_NOT_FOUND) {
        consul_kv_free(stock);
        puts("somebody deleted it");
        return 1;
    }
    pair = consul_kv_at(stock, 0);
    snprintf(text, sizeof text, "%.*s", (int)pair->value_len, (const char *)pair->value);
    left = atoi(text) - 1;
    length = snprintf(text, sizeof text, "%d", left);

    /* Only if nobody changed the stock since it was read. */
    status = consul_txn_cas(txn, "shop/stock", (const uint8_t *)text, (size_t)length, 0,
                            pair->modify_index);
    consul_kv_free(stock);
    if (status < 0 || consul_txn_set(txn, "shop/order", (const uint8_t *)"one", 3, 0) < 0)
        return failed();

    if (commit(client, txn, left) != 0)
        return 1;
    /* Once more: the stock has changed by now. A real program reads it and tries again. */
    if (commit(client, txn, left) != 0)
        return 1;
    return consul_kv_delete_prefix(client, "shop/", NULL, NULL) < 0 ? failed() : 0;
}

int main(void)
{
    consul_client *client = NULL;
    consul_txn *txn = NULL;
    int result;

    if (consul_client_new(NULL, &client) < 0 || consul_txn_new(&txn) < 0)
        result = failed();
    else
        result = order(client, txn);
    consul_txn_free(txn);
    consul_client_free(client);
    return result;
}

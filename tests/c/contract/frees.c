/* Handles are freed in every order, children before and after their client, each of them twice. */

#include "support.h"

enum { COUNT = 6 };

struct handles {
    consul_client *client;
    consul_options *options;
    consul_kv *kv;
    consul_keys *keys;
    consul_text *text;
    consul_config *config;
};

static char *key;

static struct handles make(void)
{
    struct handles all;
    CHECK_OK(consul_config_new(&all.config));
    CHECK_OK(consul_options_new(&all.options));
    CHECK_OK(consul_client_new(all.config, &all.client));
    CHECK_OK(consul_config_get(all.config, "address", &all.text));
    CHECK_OK(consul_kv_get(all.client, key, all.options, NULL, &all.kv));
    CHECK_OK(consul_kv_keys(all.client, key, NULL, NULL, NULL, &all.keys));
    CHECK(consul_live_handles(CONSUL_HANDLE_ALL) == COUNT);
    return all;
}

static void end(struct handles *all, int which)
{
    switch (which) {
    case 0: consul_client_free(all->client); break;
    case 1: consul_options_free(all->options); break;
    case 2: consul_kv_free(all->kv); break;
    case 3: consul_keys_free(all->keys); break;
    case 4: consul_text_free(all->text); break;
    case 5: consul_config_free(all->config); break;
    }
}

static void in_order(const int *order)
{
    struct handles all = make();
    int i;
    for (i = 0; i < COUNT; i++) {
        end(&all, order[i]);
        CHECK(consul_live_handles(CONSUL_HANDLE_ALL) == (size_t)(COUNT - 1 - i));
        end(&all, order[i]);
    }
    for (i = 0; i < COUNT; i++)
        end(&all, i);
    CHECK_NO_HANDLES();
}

/* Every order of the places from `from` on. */
static void permute(int *order, int from)
{
    int i, kept;
    if (from == COUNT) {
        in_order(order);
        return;
    }
    for (i = from; i < COUNT; i++) {
        kept = order[from], order[from] = order[i], order[i] = kept;
        permute(order, from + 1);
        kept = order[from], order[from] = order[i], order[i] = kept;
    }
}

int main(void)
{
    int order[COUNT] = {0, 1, 2, 3, 4, 5};
    consul_client *client = consul();
    key = unique("frees");
    CHECK_OK(consul_kv_put(client, key, NULL, 0, 0, NULL, NULL));
    consul_client_free(client);
    permute(order, 0);
    free(key);
    return 0;
}

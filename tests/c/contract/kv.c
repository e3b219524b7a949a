/* Keys and values: any byte comes back, 64 bits are 64 bits, and every answer is the right one. */

#include "support.h"

static consul_client *client;
static char *key;

static const consul_kv_pair *get(consul_kv **kv)
{
    CHECK_OK(consul_kv_get(client, key, NULL, NULL, kv));
    CHECK(consul_kv_count(*kv) == 1 && consul_kv_at(*kv, 1) == NULL);
    return consul_kv_at(*kv, 0);
}

static void bytes(void)
{
    uint8_t value[1024];
    const consul_kv_pair *pair;
    consul_kv *kv = NULL;
    size_t i;
    for (i = 0; i < sizeof value; i++)
        value[i] = (uint8_t)(i % 256);
    CHECK_OK(consul_kv_put(client, key, value, sizeof value, 0, NULL, NULL));
    pair = get(&kv);
    CHECK(pair->value_len == sizeof value && memcmp(pair->value, value, sizeof value) == 0);
    CHECK(pair->key_len == strlen(key));
    CHECK_TEXT(key, pair->key);
    CHECK(pair->session_len == 0);
    CHECK_TEXT("", pair->session);
    consul_kv_free(kv);

    /* No value is a value too. */
    CHECK_OK(consul_kv_put(client, key, NULL, 0, 0, NULL, NULL));
    pair = get(&kv);
    CHECK(pair->value != NULL && pair->value_len == 0);
    consul_kv_free(kv);
}

static void flags(void)
{
    static const uint64_t all[] = {0, (UINT64_C(1) << 53) + 1, UINT64_C(0x2ddccbc058a50c18),
                                   UINT64_MAX};
    size_t i;
    for (i = 0; i < sizeof all / sizeof all[0]; i++) {
        consul_kv *kv = NULL;
        CHECK_OK(consul_kv_put(client, key, (const uint8_t *)"v", 1, all[i], NULL, NULL));
        CHECK(get(&kv)->flags == all[i]);
        consul_kv_free(kv);
        /* An update keeps them. */
        CHECK_OK(consul_kv_update(client, key, (const uint8_t *)"w", 1, NULL, NULL));
        CHECK(get(&kv)->flags == all[i]);
        CHECK(consul_kv_at(kv, 0)->value_len == 1 && consul_kv_at(kv, 0)->value[0] == 'w');
        consul_kv_free(kv);
    }
}

static void compare_and_set(void)
{
    const uint8_t *value = (const uint8_t *)"1";
    consul_kv *kv = NULL;
    uint64_t index;
    CHECK_OK(consul_kv_delete(client, key, NULL, NULL));
    CHECK_OK(consul_kv_cas(client, key, value, 1, 7, 0, NULL, NULL));
    CHECK_STATUS(CONSUL_CONFLICT, consul_kv_cas(client, key, value, 1, 7, 0, NULL, NULL));
    index = get(&kv)->modify_index;
    CHECK(index > 0 && consul_kv_at(kv, 0)->create_index == index);
    consul_kv_free(kv);
    CHECK_OK(consul_kv_cas(client, key, value, 1, 8, index, NULL, NULL));
    CHECK_STATUS(CONSUL_CONFLICT, consul_kv_cas(client, key, value, 1, 9, index, NULL, NULL));
    CHECK_STATUS(CONSUL_CONFLICT, consul_kv_delete_cas(client, key, index, NULL, NULL));
    CHECK(get(&kv)->flags == 8);
    index = consul_kv_at(kv, 0)->modify_index;
    consul_kv_free(kv);
    CHECK_OK(consul_kv_delete_cas(client, key, index, NULL, NULL));
}

static void absence(void)
{
    consul_kv *kv = NULL;
    CHECK_STATUS(CONSUL_NOT_FOUND, consul_kv_get(client, key, NULL, NULL, &kv));
    /* With the index to wait on. */
    CHECK(kv != NULL && consul_kv_count(kv) == 0 && consul_kv_at(kv, 0) == NULL);
    CHECK(consul_kv_meta(kv)->index > 0);
    consul_kv_free(kv);
    CHECK_OK(consul_kv_delete(client, key, NULL, NULL));
}

/* Keys that a careless client would cut, decode or send elsewhere. */
static void odd_keys(void)
{
    static const char *const odd[] = {"a b", "a?b=c", "a#b", "a%2Fb", "a+b", "\xc3\xa4", "a&b", "\"",
                                      "a/", "a\\b", "~", "a;b", "..a", "\xf0\x9f\x94\x92"};
    enum { COUNT = sizeof odd / sizeof odd[0] };
    char name[200], prefix[120];
    consul_kv *kv = NULL;
    size_t i;
    sprintf(prefix, "%.100s/odd/", key);
    for (i = 0; i < COUNT; i++) {
        sprintf(name, "%s%s", prefix, odd[i]);
        CHECK_OK(consul_kv_put(client, name, (const uint8_t *)odd[i], strlen(odd[i]), i, NULL, NULL));
        CHECK_OK(consul_kv_get(client, name, NULL, NULL, &kv));
        CHECK_TEXT(name, consul_kv_at(kv, 0)->key);
        CHECK(consul_kv_at(kv, 0)->flags == i);
        consul_kv_free(kv);
    }
    CHECK_OK(consul_kv_list(client, prefix, NULL, NULL, &kv));
    CHECK(consul_kv_count(kv) == COUNT);
    for (i = 0; i < COUNT; i++) {
        const consul_kv_pair *pair = consul_kv_at(kv, i);
        CHECK(strcmp(pair->key + strlen(prefix), odd[pair->flags]) == 0);
        CHECK((const char *)pair == (const char *)consul_kv_at(kv, 0) + i * consul_kv_pair_size());
    }
    consul_kv_free(kv);
    CHECK_OK(consul_kv_delete_prefix(client, prefix, NULL, NULL));
    CHECK_OK(consul_kv_list(client, prefix, NULL, NULL, &kv));
    CHECK(consul_kv_count(kv) == 0);
    consul_kv_free(kv);
}

static void lists_of_keys(void)
{
    static const char *const names[] = {"a", "b/1", "b/2", "c/1"};
    char name[200], prefix[120];
    consul_keys *keys = NULL;
    size_t i;
    sprintf(prefix, "%.100s/keys/", key);
    for (i = 0; i < 4; i++) {
        sprintf(name, "%s%s", prefix, names[i]);
        CHECK_OK(consul_kv_put(client, name, NULL, 0, 0, NULL, NULL));
    }
    CHECK_OK(consul_kv_keys(client, prefix, NULL, NULL, NULL, &keys));
    CHECK(consul_keys_count(keys) == 4 && consul_keys_at(keys, 4) == NULL);
    CHECK((const char *)consul_keys_at(keys, 3) ==
          (const char *)consul_keys_at(keys, 0) + 3 * consul_string_size());
    CHECK(consul_kv_pair_size() >= sizeof(consul_kv_pair));
    CHECK(consul_keys_meta(keys)->index > 0);
    consul_keys_free(keys);
    CHECK_OK(consul_kv_keys(client, prefix, "/", NULL, NULL, &keys));
    CHECK(consul_keys_count(keys) == 3);
    sprintf(name, "%sb/", prefix);
    CHECK_TEXT(name, consul_keys_at(keys, 1)->data);
    CHECK(consul_keys_at(keys, 1)->len == strlen(name));
    consul_keys_free(keys);
    CHECK_OK(consul_kv_delete_prefix(client, prefix, NULL, NULL));
}

static void settings_of_a_call(void)
{
    consul_options *options = NULL;
    consul_kv *kv = NULL;
    const consul_meta *meta;
    uint64_t index, began;
    CHECK_OK(consul_options_new(&options));
    CHECK_OK(consul_kv_put(client, key, NULL, 0, 0, NULL, NULL));
    CHECK_OK(consul_options_set_consistency(options, "stale"));
    CHECK_OK(consul_kv_get(client, key, options, NULL, &kv));
    meta = consul_kv_meta(kv);
    CHECK(meta->known_leader);
    index = meta->index;
    CHECK(index == consul_kv_at(kv, 0)->modify_index);
    consul_kv_free(kv);

    /* A blocking query is answered when its wait is over. */
    CHECK_OK(consul_options_set_consistency(options, NULL));
    CHECK_OK(consul_options_set_index(options, index));
    CHECK_OK(consul_options_set_wait_ms(options, 50));
    began = now_ms();
    CHECK_OK(consul_kv_get(client, key, options, NULL, &kv));
    CHECK(now_ms() - began >= 50);
    CHECK(consul_kv_meta(kv)->index == index);
    consul_kv_free(kv);
    consul_options_free(options);
}

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define OTHER "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

/* A client that encrypts below the key of this test. */
static consul_client *sealing(const char *secret, const char *old)
{
    consul_config *config = NULL;
    consul_client *sealing = NULL;
    CHECK_OK(consul_config_new(&config));
    CHECK_OK(consul_config_set(config, "address", consul_address()));
    CHECK_OK(consul_config_set(config, "encryption_key", secret));
    CHECK_OK(consul_config_set(config, "encryption_old_keys", old));
    CHECK_OK(consul_config_set(config, "encryption_prefixes", key));
    CHECK_OK(consul_client_new(config, &sealing));
    consul_config_free(config);
    return sealing;
}

/* Consul holds what only the key makes readable, a wrong key is an error and never a value, and
 * rotation leaves nothing behind. */
static void encryption_at_rest(void)
{
    static const uint8_t secret[] = {0, 's', 255};
    consul_client *before = sealing(OTHER, ""), *after = sealing(KEY, OTHER), *alone;
    consul_reencryption *done = NULL;
    const consul_reencryption_counts *counts;
    consul_kv *kv = NULL;
    CHECK_OK(consul_kv_put(before, key, secret, sizeof secret, 3, NULL, NULL));
    CHECK(get(&kv)->value_len == sizeof secret + 61 && memcmp(consul_kv_at(kv, 0)->value, "\0CFE", 4) == 0);
    consul_kv_free(kv);
    alone = sealing(KEY, "");
    CHECK_STATUS(CONSUL_ERR_CRYPTO, consul_kv_get(alone, key, NULL, NULL, &kv));
    CHECK(kv == NULL && strstr(consul_last_error()->message, key) != NULL);
    CHECK_OK(consul_kv_reencrypt(after, key, NULL, NULL, &done));
    counts = consul_reencryption_row(done);
    CHECK(counts->rewritten == 1 && counts->current == 0 && counts->failed == 0);
    consul_reencryption_free(done);
    CHECK_OK(consul_kv_get(alone, key, NULL, NULL, &kv));
    CHECK(consul_kv_at(kv, 0)->value_len == sizeof secret && consul_kv_at(kv, 0)->flags == 3);
    CHECK(memcmp(consul_kv_at(kv, 0)->value, secret, sizeof secret) == 0);
    consul_kv_free(kv);
    CHECK_STATUS(CONSUL_ERR_CONFIG, consul_kv_reencrypt(client, key, NULL, NULL, &done));
    CHECK(done == NULL);
    consul_client_free(before);
    consul_client_free(after);
    consul_client_free(alone);
}

int main(void)
{
    client = consul();
    key = unique("kv");
    absence();
    bytes();
    flags();
    compare_and_set();
    odd_keys();
    lists_of_keys();
    settings_of_a_call();
    encryption_at_rest();
    CHECK_OK(consul_kv_delete(client, key, NULL, NULL));
    CHECK_TEXT(consul_address(), consul_client_endpoint(client));
    consul_client_free(client);
    free(key);
    CHECK_NO_HANDLES();
    return 0;
}

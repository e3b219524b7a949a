/* Bad input gets an error that names what is wrong and what is allowed, before anything is sent. */

#include "support.h"

static struct listener nobody;

/* A configuration for the listener; NULL is no more settings. */
static consul_config *config_with(const char *name, const char *value)
{
    consul_config *config = NULL;
    CHECK_OK(consul_config_new(&config));
    CHECK_OK(consul_config_set(config, "address", nobody.address));
    CHECK_OK(consul_config_set(config, "timeout_ms", "1000"));
    if (name != NULL)
        CHECK_OK(consul_config_set(config, name, value));
    return config;
}

static void settings(void)
{
    consul_config *config = config_with(NULL, NULL);
    consul_text *text = NULL;
    CHECK_ERROR(CONSUL_ERR_CONFIG, "\"no_such_setting\"",
                consul_config_set(config, "no_such_setting", "1"));
    /* What there is. */
    CHECK_ERROR(CONSUL_ERR_CONFIG, "timeout_ms",
                consul_config_set(config, "no_such_setting", "1"));
    CHECK_ERROR(CONSUL_ERR_CONFIG, "\"no_such_setting\"",
                consul_config_get(config, "no_such_setting", &text));
    CHECK(text == NULL);
    CHECK_ERROR(CONSUL_ERR_CONFIG, "from 1 to 86400000",
                consul_config_set(config, "timeout_ms", "0"));
    CHECK_ERROR(CONSUL_ERR_CONFIG, "\"-1\"", consul_config_set(config, "timeout_ms", "-1"));
    CHECK_ERROR(CONSUL_ERR_CONFIG, "timeout_ms", consul_config_set(config, "timeout_ms", "soon"));
    CHECK_ERROR(CONSUL_ERR_CONFIG, "timeout_ms",
                consul_config_set(config, "timeout_ms", "99999999999999999999"));
    CHECK_ERROR(CONSUL_ERR_CONFIG, "from 1 to 200",
                consul_config_set(config, "max_connections", "201"));
    CHECK_ERROR(CONSUL_ERR_CONFIG, "true or false",
                consul_config_set(config, "tls_verify", "perhaps"));
    CHECK_ERROR(CONSUL_ERR_CONFIG, "default, consistent, stale",
                consul_config_set(config, "consistency", "odd"));
    CHECK_ERROR(CONSUL_ERR_CONFIG, "token", consul_config_set(config, "token", "a\r\nX-Other: b"));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "value is not UTF-8",
                consul_config_set(config, "datacenter", "\xff"));
    consul_config_free(config);
}

static void options(void)
{
    consul_options *options = NULL;
    CHECK_OK(consul_options_new(&options));
    CHECK_ERROR(CONSUL_ERR_CONFIG, "default, consistent, stale",
                consul_options_set_consistency(options, "odd"));
    CHECK_ERROR(CONSUL_ERR_CONFIG, "from 1 to 600000", consul_options_set_wait_ms(options, 0));
    CHECK_ERROR(CONSUL_ERR_CONFIG, "wait_ms", consul_options_set_wait_ms(options, UINT64_MAX));
    CHECK_ERROR(CONSUL_ERR_CONFIG, "timeout_ms", consul_options_set_timeout_ms(options, 0));
    CHECK_ERROR(CONSUL_ERR_CONFIG, "token", consul_options_set_token(options, "a\nb"));
    consul_options_free(options);
}

/* A client that cannot be made of the setting. */
static void no_client(const char *name, const char *value, consul_status status, const char *text)
{
    consul_config *config = config_with(name, value);
    consul_client *client = (consul_client *)config;
    if (strncmp(name, "tls_", 4) == 0)
        CHECK_OK(consul_config_set(config, "tls_enabled", "true"));
    CHECK_ERROR(status, text, consul_client_new(config, &client));
    CHECK(client == NULL);
    consul_config_free(config);
}

static void addresses(void)
{
    static const char *const malformed[] = {
        "http://", "ftp://127.0.0.1:1", "127.0.0.1:99999", "127.0.0.1:0", "http://a b:1", "unix://",
        "unix://relative", "http://127.0.0.1:1?a=b", "http://user:word@127.0.0.1:1", "http://[::1",
    };
    size_t i;
    for (i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        no_client("address", malformed[i], CONSUL_ERR_CONFIG, "address cannot be used");
    no_client("address", "ftp://127.0.0.1:1", CONSUL_ERR_CONFIG, "\"ftp\"");
    no_client("address", "ftp://127.0.0.1:1", CONSUL_ERR_CONFIG, "https://host:port");
}

static void files(void)
{
    char file[] = "/tmp/consul-ffi-XXXXXX";
    int fd = mkstemp(file);
    CHECK(fd >= 0 && write(fd, "no certificate\n", 15) == 15);
    close(fd);
    no_client("tls_ca_file", "/no/such.pem", CONSUL_ERR_CONFIG, "/no/such.pem");
    no_client("tls_ca_file", file, CONSUL_ERR_TLS, file);
    no_client("tls_ca_file", file, CONSUL_ERR_TLS, "PEM");
    no_client("tls_ca_path", "/no/such", CONSUL_ERR_CONFIG, "/no/such");
    no_client("tls_cert_file", file, CONSUL_ERR_CONFIG, "tls_key_file");
    no_client("token_file", "/no/such", CONSUL_ERR_CONFIG, "/no/such");
    unlink(file);
}

static void keys_and_values(void)
{
    enum { LIMIT = 512 * 1024 };
    static const uint8_t large[LIMIT + 1];
    consul_config *config = config_with("max_value_bytes", "10");
    consul_client *client = NULL, *small = NULL;
    consul_kv *kv = NULL;
    CHECK_OK(consul_client_new(config, &small));
    consul_config_free(config);
    config = config_with(NULL, NULL);
    CHECK_OK(consul_client_new(config, &client));
    consul_config_free(config);

    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "begins with a slash",
                consul_kv_put(client, "/a", large, 1, 0, NULL, NULL));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "\"/a\"", consul_kv_get(client, "/a", NULL, NULL, &kv));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "slash", consul_kv_list(client, "/", NULL, NULL, &kv));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "slash", consul_kv_delete_prefix(client, "/a", NULL, NULL));
    /* What no server would take as it is. */
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "empty segment",
                consul_kv_put(client, "a//b", large, 1, 0, NULL, NULL));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "\"..\"",
                consul_kv_put(client, "a/../b", large, 1, 0, NULL, NULL));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "U+000A",
                consul_kv_put(client, "a\nb", large, 1, 0, NULL, NULL));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "key is empty", consul_kv_delete(client, "", NULL, NULL));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "key is not UTF-8 (byte 1)",
                consul_kv_put(client, "a\xff", large, 1, 0, NULL, NULL));
    CHECK_ERROR(CONSUL_ERR_TOO_LARGE, "524288",
                consul_kv_put(client, "a", large, LIMIT + 1, 0, NULL, NULL));
    CHECK_ERROR(CONSUL_ERR_TOO_LARGE, "max_value_bytes",
                consul_kv_cas(small, "a", large, 11, 0, 0, NULL, NULL));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "session",
                consul_kv_acquire(client, "a", large, 1, 0, "", NULL, NULL));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "value is NULL with a length of 5",
                consul_kv_put(client, "a", NULL, 5, 0, NULL, NULL));
    CHECK(!was_asked(&nobody));
    /* The largest value that is allowed is sent. */
    CHECK_STATUS(CONSUL_ERR_TIMEOUT, consul_kv_put(client, "a", large, LIMIT, 0, NULL, NULL));
    CHECK(was_asked(&nobody));
    consul_client_free(client);
    consul_client_free(small);
}

int main(void)
{
    nobody = listener();
    settings();
    options();
    addresses();
    files();
    CHECK(!was_asked(&nobody));
    keys_and_values();
    close(nobody.fd);
    CHECK_NO_HANDLES();
    return 0;
}

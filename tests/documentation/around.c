/* What the parts of C take for granted. */
#include <consul_ffi.h>
#include <stdio.h>

static consul_config *config;
static consul_client *client;
static consul_election *election;
static const consul_options *options;
static const char *key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

static void work(uint64_t fencing_token)
{
    (void)fencing_token;
}

static void import(void)
{
}

static void begin(void)
{
    consul_config_new(&config);
    consul_client_new(NULL, &client);
}

static void end(void)
{
    consul_client_free(client);
    consul_config_free(config);
}

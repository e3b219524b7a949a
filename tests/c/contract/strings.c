/* A string from Consul may hold a NUL, which C would take for its end: the length beside it counts
 * all of it. */

#include "support.h"

static const char registered[] =
    "{\"Name\": \"strings\", \"ID\": \"strings\", \"TTL\": \"60s\", \"Notes\": \"a\\u0000b\"}";

int main(void)
{
    consul_client *client = consul();
    consul_response *response = NULL;
    consul_checks *checks = NULL;
    size_t i, found = 0;
    CHECK_OK(consul_request(client, "PUT", "/v1/agent/check/register", (const uint8_t *)registered,
                            sizeof registered - 1, NULL, NULL, NULL, &response));
    consul_response_free(response);
    CHECK_OK(consul_agent_checks(client, NULL, NULL, &checks));
    for (i = 0; i < consul_checks_count(checks); i++) {
        const consul_check *check = consul_checks_at(checks, i);
        CHECK(check->check_id[check->check_id_len] == '\0');
        if (strcmp(check->check_id, "strings") != 0)
            continue;
        found++;
        CHECK(check->notes_len == 3 && memcmp(check->notes, "a\0b", 4) == 0);
    }
    CHECK(found == 1);
    consul_checks_free(checks);
    CHECK_OK(consul_agent_check_deregister(client, "strings", NULL, NULL));
    consul_client_free(client);
    CHECK_NO_HANDLES();
    return 0;
}

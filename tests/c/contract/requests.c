/* Any other endpoint by one function. */

#include "support.h"

int main(void)
{
    consul_client *client = consul();
    consul_response *response = NULL;
    char *name = unique("requests"), target[200];
    CHECK_OK(consul_request(client, "GET", "/v1/status/leader", NULL, 0, NULL, NULL, NULL,
                            &response));
    CHECK(consul_response_http_status(response) == 200);
    CHECK(consul_response_body_len(response) > 2 && consul_response_body(response)[0] == '"');
    CHECK(strstr(consul_response_content_type(response), "json") != NULL);
    CHECK(consul_response_meta(response) != NULL);
    consul_response_free(response);
    CHECK(consul_response_http_status(response) == 0 && consul_response_body(response) == NULL);

    sprintf(target, "/v1/kv/%.100s?flags=18446744073709551615", name);
    CHECK_OK(consul_request(client, "PUT", target, (const uint8_t *)"a\0b", 3, "text/plain", NULL,
                            NULL, &response));
    CHECK(memcmp(consul_response_body(response), "true", 4) == 0);
    consul_response_free(response);
    sprintf(target, "/v1/kv/%.100s?raw", name);
    CHECK_OK(consul_request(client, "GET", target, NULL, 0, NULL, NULL, NULL, &response));
    CHECK(consul_response_body_len(response) == 3);
    CHECK(memcmp(consul_response_body(response), "a\0b", 3) == 0);
    consul_response_free(response);
    sprintf(target, "/v1/kv/%.100s", name);
    CHECK_OK(consul_request(client, "DELETE", target, NULL, 0, NULL, NULL, NULL, &response));
    consul_response_free(response);

    CHECK_STATUS(CONSUL_NOT_FOUND,
                 consul_request(client, "GET", target, NULL, 0, NULL, NULL, NULL, &response));
    CHECK(consul_response_http_status(response) == 404);
    consul_response_free(response);
    /* "Not found" is an answer of 404 alone. */
    sprintf(target, "/v1/agent/check/pass/%.100s", name);
    CHECK_STATUS(CONSUL_ERR_HTTP,
                 consul_request(client, "PUT", target, NULL, 0, NULL, NULL, NULL, &response));
    CHECK(response == NULL && consul_last_error()->http_status == 500);
    CHECK(strstr(consul_last_error()->message, name) != NULL);
    CHECK_ERROR(CONSUL_ERR_HTTP, "400",
                consul_request(client, "PUT", "/v1/session/create", (const uint8_t *)"{", 1, NULL,
                               NULL, NULL, &response));
    CHECK(response == NULL && consul_last_error()->http_status == 400);
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "token",
                consul_request(client, "GET", "/v1/status/leader?token=x", NULL, 0, NULL, NULL,
                               NULL, &response));
    CHECK_ERROR(CONSUL_ERR_ARGUMENT, "PATCH",
                consul_request(client, "PATCH", "/v1/status/leader", NULL, 0, NULL, NULL, NULL,
                               &response));
    consul_client_free(client);
    free(name);
    CHECK_NO_HANDLES();
    return 0;
}

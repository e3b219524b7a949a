/* Every status has its number for ever, its name and a meaning. */

#include "check.h"

#define S(name, number) {#name, name, number}

static const struct {
    const char *name;
    consul_status status;
    int number;
} statuses[] = {
    S(CONSUL_OK, 0),
    S(CONSUL_NOT_FOUND, 1),
    S(CONSUL_CONFLICT, 2),
    S(CONSUL_HELD, 3),
    S(CONSUL_PENDING, 4),
    S(CONSUL_NO_CHANGE, 5),
    S(CONSUL_ERR_ARGUMENT, -1),
    S(CONSUL_ERR_HANDLE, -2),
    S(CONSUL_ERR_CONFIG, -3),
    S(CONSUL_ERR_CONNECT, -4),
    S(CONSUL_ERR_TIMEOUT, -5),
    S(CONSUL_ERR_TLS, -6),
    S(CONSUL_ERR_DENIED, -7),
    S(CONSUL_ERR_NO_LEADER, -8),
    S(CONSUL_ERR_RATE_LIMITED, -9),
    S(CONSUL_ERR_HTTP, -10),
    S(CONSUL_ERR_DECODE, -11),
    S(CONSUL_ERR_TOO_LARGE, -12),
    S(CONSUL_ERR_SESSION_INVALID, -13),
    S(CONSUL_ERR_LOCK_LOST, -14),
    S(CONSUL_ERR_LOCK_CONFLICT, -15),
    S(CONSUL_ERR_LIMIT_CONFLICT, -16),
    S(CONSUL_ERR_NOT_HELD, -17),
    S(CONSUL_ERR_ALREADY_HELD, -18),
    S(CONSUL_ERR_CLOSED, -19),
    S(CONSUL_ERR_CANCELLED, -20),
    S(CONSUL_ERR_BUSY, -21),
    S(CONSUL_ERR_FORKED, -22),
    S(CONSUL_ERR_INTERRUPTED, -23),
    S(CONSUL_ERR_UNSUPPORTED, -24),
    S(CONSUL_ERR_IO, -25),
    S(CONSUL_ERR_CRYPTO, -26),
    S(CONSUL_ERR_NO_MEMORY, -27),
    S(CONSUL_ERR_INTERNAL, -28),
};
enum { COUNT = sizeof statuses / sizeof statuses[0] };

static void check_number(int number)
{
    int i;
    for (i = 0; i < COUNT; i++) {
        if (statuses[i].number != number)
            continue;
        CHECK(statuses[i].status == number);
        CHECK_TEXT(statuses[i].name, consul_status_name(number));
        CHECK(strlen(consul_status_message(number)) > 4);
        return;
    }
    CHECK_TEXT("unknown status", consul_status_name(number));
    CHECK_TEXT("unknown status", consul_status_message(number));
}

int main(void)
{
    uint32_t abi = consul_abi_version();
    int number;
    CHECK(sizeof(consul_status) == 4);
    for (number = -1000; number <= 1000; number++)
        check_number(number);
    check_number(INT32_MAX);
    check_number(INT32_MIN);
    CHECK(abi >> 16 == CONSUL_ABI_MAJOR && (abi & 0xffff) == CONSUL_ABI_MINOR);
    CHECK_TEXT(CONSUL_VERSION, consul_version());
    /* Neither asking nor a status that is none is a failure. */
    CHECK(consul_last_error()->status == CONSUL_OK);
    return 0;
}

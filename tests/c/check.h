/* What every test here stands on: checks that show the status and the last error.
 * A program is one idea; its first failed check ends it with 1. */

#ifndef CHECK_H
#define CHECK_H

#include <consul_ffi.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

UNUSED static void fail(const char *file, int line, const char *format, ...)
{
    const consul_error *error = consul_last_error();
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n    last error: %s, HTTP %d, \"%s\" (%s)\n", consul_status_name(error->status),
            (int)error->http_status, error->message, error->endpoint);
    fflush(NULL);
    /* Not exit(): other threads may be inside the library. */
    _exit(1);
}

#define CHECK(condition) ((condition) ? (void)0 : fail(__FILE__, __LINE__, "failed: %s", #condition))

UNUSED static void check_status(const char *file, int line, const char *call, consul_status got,
                                consul_status wanted)
{
    if (got != wanted)
        fail(file, line, "%s\n    gave %s, not %s", call, consul_status_name(got),
             consul_status_name(wanted));
}

/* The call answers this status. */
#define CHECK_STATUS(wanted, call) check_status(__FILE__, __LINE__, #call, (call), (wanted))
#define CHECK_OK(call) CHECK_STATUS(CONSUL_OK, call)

UNUSED static void check_error(const char *file, int line, const char *call, consul_status got,
                               consul_status wanted, const char *text)
{
    const consul_error *error = consul_last_error();
    check_status(file, line, call, got, wanted);
    if (error->status != got)
        fail(file, line, "%s\n    left another last error than %s", call, consul_status_name(got));
    if (strlen(error->message) != error->message_len || strstr(error->message, text) == NULL)
        fail(file, line, "%s\n    does not say \"%s\"", call, text);
}

/* The call fails with this status, and its message holds this text. */
#define CHECK_ERROR(wanted, text, call) \
    check_error(__FILE__, __LINE__, #call, (call), (wanted), (text))

UNUSED static void check_text(const char *file, int line, const char *what, const char *got,
                              const char *wanted)
{
    if (got == NULL || strcmp(got, wanted) != 0)
        fail(file, line, "%s is \"%s\", not \"%s\"", what, got ? got : "NULL", wanted);
}

#define CHECK_TEXT(wanted, text) check_text(__FILE__, __LINE__, #text, (text), (wanted))

/* Every handle that the test made is freed: the end of each test. */
#define CHECK_NO_HANDLES() CHECK(consul_live_handles(CONSUL_HANDLE_ALL) == 0)

#endif

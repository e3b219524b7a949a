/* What holds for every function of the header, whatever it does: a handle that is NULL, freed or of
 * another type is refused, a pointer that must not be NULL is named, a result that fails to come is
 * NULL, nothing of that is sent, and what cannot fail leaves the last error alone. What may be
 * asynchronous arrives in its queue, once. */

#include "queue.h"
#include "calls_table.h"

static struct listener nobody;
/* One of the listener, and one of an address where nobody listens. */
static consul_client *client, *refusing;
static uint8_t bytes[4] = {1, 2, 3, 4};
static uint32_t numbers[1] = {1};
static const char *texts[1] = {"text"};
static void *stale[handle_types];
static void *live[handle_types];

static const struct call *find(const char *prefix, const char *suffix)
{
    char name[80];
    size_t i;
    sprintf(name, "%s%s", prefix, suffix);
    for (i = 0; i < calls_count; i++)
        if (strcmp(calls[i].name, name) == 0)
            return &calls[i];
    return NULL;
}

static void *handle_of(int type);

/* Good arguments for a call, with results in `out`. */
static void fill(const struct call *call, union argument *arguments, uint64_t *out)
{
    size_t i;
    for (i = 0; i < call->count; i++) {
        arguments[i].number = 0;
        switch (call->parameters[i].kind) {
        case HANDLE: arguments[i].pointer = handle_of(call->parameters[i].type); break;
        case TEXT: arguments[i].pointer = (void *)"text"; break;
        case BYTES: arguments[i].pointer = bytes; break;
        case TEXTS: arguments[i].pointer = (void *)texts; break;
        case NUMBERS: arguments[i].pointer = numbers; break;
        case LENGTH: arguments[i].number = 1; break;
        case NUMBER: arguments[i].number = 1; break;
        case ASYNC: arguments[i].pointer = NULL; break;
        case OUT_HANDLE:
        case OUT_VALUE:
            out[i] = UINT64_MAX;
            arguments[i].pointer = &out[i];
            break;
        }
    }
}

static struct result run(const struct call *call, const union argument *arguments)
{
    struct result result = {0, 0, NULL};
    call->run(arguments, &result);
    return result;
}

/* A handle that its `_new` makes without a network, NULL for the other types. */
static void *handle_of(int type)
{
    const struct call *new = find(handle_names[type], "_new");
    union argument arguments[16];
    uint64_t out[16];
    if (live[type] != NULL || new == NULL)
        return live[type];
    fill(new, arguments, out);
    CHECK_OK(run(new, arguments).status);
    return live[type] = (void *)(uintptr_t)out[new->count - 1];
}

static void end(int type, void *handle)
{
    const struct call *free_call = find(handle_names[type], "_free");
    union argument argument;
    argument.pointer = handle;
    run(free_call, &argument);
}

/* The header says so of each, but for what it says once for all: the options of a call, and the
 * values of the setters made from the table of settings. */
static bool is_optional(const struct call *call, const struct parameter *parameter)
{
    return parameter->may_be_null ||
           (strcmp(parameter->name, "options") == 0 && parameter[1].kind == ASYNC) ||
           (strncmp(call->name, "consul_options_set_", 19) == 0 && parameter != call->parameters);
}

static bool fails(const struct call *call)
{
    return call->returns == STATUS;
}

/* A status call that must fail with `wanted`, say `text`, and clear its results. */
static void refused(const struct call *call, const union argument *arguments, const uint64_t *out,
                    consul_status wanted, const char *text)
{
    size_t i;
    consul_status status = run(call, arguments).status;
    const consul_error *error = consul_last_error();
    if (status != wanted || error->status != wanted || strstr(error->message, text) == NULL)
        fail(__FILE__, __LINE__, "%s gave %s, not %s with \"%s\"", call->name,
             consul_status_name(status), consul_status_name(wanted), text);
    for (i = 0; i < call->count; i++)
        if (call->parameters[i].kind == OUT_HANDLE && arguments[i].pointer != NULL && out[i] != 0)
            fail(__FILE__, __LINE__, "%s left something in %s", call->name,
                 call->parameters[i].name);
    if (was_asked(&nobody))
        fail(__FILE__, __LINE__, "%s has sent something", call->name);
}

/* What a call that cannot fail makes of a bad handle. */
static bool is_nothing(const struct call *call, const struct result *result)
{
    if (strcmp(call->name, "consul_queue_fd") == 0)
        return (int32_t)result->value == -1;
    if (strcmp(call->name, "consul_event_status") == 0)
        return (int32_t)result->value == CONSUL_ERR_HANDLE;
    return result->value == 0 && result->pointer == NULL;
}

/* Anything else: it returns nothing at all, and the last error stays. */
static void ignored(const struct call *call, const union argument *arguments)
{
    const consul_error *before = consul_last_error();
    struct result result = run(call, arguments);
    if (!is_nothing(call, &result))
        fail(__FILE__, __LINE__, "%s made something of a bad handle", call->name);
    if (consul_last_error() != before || before->status != CONSUL_ERR_CONFIG)
        fail(__FILE__, __LINE__, "%s touched the last error", call->name);
}

/* A failure for `ignored` to find unharmed. */
static void fail_somehow(void)
{
    consul_config *config = NULL;
    CHECK_OK(consul_config_new(&config));
    CHECK_STATUS(CONSUL_ERR_CONFIG, consul_config_set(config, "no_such_setting", "1"));
    consul_config_free(config);
}

static void bad_handle(const struct call *call, size_t which, void *handle)
{
    union argument arguments[16];
    uint64_t out[16];
    fill(call, arguments, out);
    arguments[which].pointer = handle;
    if (fails(call))
        refused(call, arguments, out, CONSUL_ERR_HANDLE,
                handle_names[call->parameters[which].type]);
    else
        ignored(call, arguments);
}

static void null_pointer(const struct call *call, size_t which)
{
    union argument arguments[16];
    uint64_t out[16];
    fill(call, arguments, out);
    arguments[which].pointer = NULL;
    refused(call, arguments, out, CONSUL_ERR_ARGUMENT, call->parameters[which].name);
}

/* What the header allows to be NULL is not what the call complains of. */
static void optional_pointer(const struct call *call, size_t which)
{
    union argument arguments[16];
    uint64_t out[16];
    char complaint[80];
    consul_status status;
    size_t i;
    live[CONSUL_HANDLE_CLIENT] = refusing;
    fill(call, arguments, out);
    arguments[which].pointer = NULL;
    status = run(call, arguments).status;
    sprintf(complaint, "%s is NULL", call->parameters[which].name);
    if (status == CONSUL_ERR_HANDLE ||
        (status == CONSUL_ERR_ARGUMENT && strstr(consul_last_error()->message, complaint) != NULL))
        fail(__FILE__, __LINE__, "%s needs %s", call->name, call->parameters[which].name);
    live[CONSUL_HANDLE_CLIENT] = client;
    for (i = 0; i < call->count; i++)
        if (call->parameters[i].kind == OUT_HANDLE)
            end(call->parameters[i].type, (void *)(uintptr_t)out[i]);
}

/* Would the good arguments of `fill` do? Not where a handle of the call needs a network. */
static bool has_handles(const struct call *call, size_t except)
{
    size_t i;
    for (i = 0; i < call->count; i++)
        if (i != except && call->parameters[i].kind == HANDLE &&
            handle_of(call->parameters[i].type) == NULL &&
            !is_optional(call, &call->parameters[i]))
            return false;
    return true;
}

static void check_handle(const struct call *call, size_t which)
{
    const struct parameter *parameter = &call->parameters[which];
    int foreign = parameter->type == CONSUL_HANDLE_CONFIG ? CONSUL_HANDLE_OPTIONS
                                                          : CONSUL_HANDLE_CONFIG;
    if (!has_handles(call, which))
        return;
    if (is_optional(call, parameter))
        optional_pointer(call, which);
    fail_somehow();
    if (!is_optional(call, parameter))
        bad_handle(call, which, NULL);
    if (stale[parameter->type] != NULL)
        bad_handle(call, which, stale[parameter->type]);
    bad_handle(call, which, handle_of(foreign));
    bad_handle(call, which, bytes);
    bad_handle(call, which, (void *)(uintptr_t)UINT64_MAX);
    bad_handle(call, which, (void *)(uintptr_t)((uintptr_t)handle_of(foreign) ^ 1));
}

static void check_async(const struct call *call, size_t which)
{
    union argument arguments[16];
    uint64_t out[16];
    consul_async async = {NULL, 7};
    fill(call, arguments, out);
    arguments[which].pointer = &async;
    refused(call, arguments, out, CONSUL_ERR_HANDLE, "consul_queue");
}

/* Asynchronous, it is either refused at once, or ends with one event. */
static void arrives(const struct call *call, size_t which)
{
    union argument arguments[16];
    uint64_t out[16];
    consul_async async = async_of(handle_of(CONSUL_HANDLE_QUEUE), which + 1);
    consul_status status;
    size_t i;
    fill(call, arguments, out);
    arguments[which].pointer = &async;
    status = run(call, arguments).status;
    for (i = 0; i < call->count; i++)
        if (call->parameters[i].kind == OUT_HANDLE && out[i] != 0)
            fail(__FILE__, __LINE__, "%s left something in %s", call->name,
                 call->parameters[i].name);
    if (status == CONSUL_PENDING) {
        consul_event *event = next_event(async.queue);
        CHECK_EVENT(which + 1, consul_event_status(event), event);
        if (consul_event_status(event) == CONSUL_ERR_INTERNAL)
            fail(__FILE__, __LINE__, "%s: %s", call->name, consul_event_error(event)->message);
        consul_event_free(event);
    } else if (status >= 0) {
        fail(__FILE__, __LINE__, "%s gave %s", call->name, consul_status_name(status));
    }
    check_empty(async.queue);
}

/* Would the calls after it find their client closed? */
static bool ends_client(const struct call *call)
{
    return strcmp(call->name, "consul_client_close_async") == 0;
}

static void check(const struct call *call)
{
    size_t i;
    for (i = 0; i < call->count; i++) {
        const struct parameter *parameter = &call->parameters[i];
        switch (parameter->kind) {
        case HANDLE: check_handle(call, i); break;
        case ASYNC: check_async(call, i); break;
        case TEXT:
        case BYTES:
        case TEXTS:
        case NUMBERS:
        case OUT_HANDLE:
            if (!fails(call) || !has_handles(call, i))
                break;
            if (is_optional(call, parameter))
                optional_pointer(call, i);
            else
                null_pointer(call, i);
            break;
        default: break;
        }
    }
}

/* So that every handle can be ended, and every failed call has somewhere to put NULL. */
static void check_shape(const struct call *call)
{
    size_t i;
    for (i = 0; i < call->count; i++) {
        const struct parameter *parameter = &call->parameters[i];
        if (parameter->kind != OUT_HANDLE)
            continue;
        if (i + 1 != call->count || !fails(call))
            fail(__FILE__, __LINE__, "%s: %s is not its last", call->name, parameter->name);
        if (find(handle_names[parameter->type], "_free") == NULL)
            fail(__FILE__, __LINE__, "%s: no way to free it", call->name);
    }
}

int main(void)
{
    size_t i, which, asynchronous = 0;
    int type;
    nobody = listener();
    client = client_with(nobody.address, "timeout_ms", "100");
    refusing = client_with("http://127.0.0.1:1", NULL, NULL);
    for (type = 1; type < handle_types; type++) {
        live[type] = type == CONSUL_HANDLE_CLIENT ? client : NULL;
        if (handle_of(type) == NULL)
            continue;
        if (type != CONSUL_HANDLE_CLIENT) {
            stale[type] = live[type];
            live[type] = NULL;
            end(type, stale[type]);
        }
    }
    stale[CONSUL_HANDLE_CLIENT] = client_with(nobody.address, NULL, NULL);
    consul_client_free(stale[CONSUL_HANDLE_CLIENT]);

    for (i = 0; i < calls_count; i++) {
        check_shape(&calls[i]);
        check(&calls[i]);
    }

    live[CONSUL_HANDLE_CLIENT] = refusing;
    for (i = 0; i < calls_count; i++)
        for (which = 0; which < calls[i].count; which++)
            if (calls[i].parameters[which].kind == ASYNC && has_handles(&calls[i], which) &&
                !ends_client(&calls[i])) {
                arrives(&calls[i], which);
                asynchronous++;
            }
    CHECK(asynchronous > 60);
    live[CONSUL_HANDLE_CLIENT] = client;

    for (type = 1; type < handle_types; type++)
        if (live[type] != NULL)
            end(type, live[type]);
    consul_client_free(refusing);
    close(nobody.fd);
    CHECK_NO_HANDLES();
    return 0;
}

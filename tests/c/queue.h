/* A queue and what arrives in it. */

#ifndef QUEUE_H
#define QUEUE_H

#include "support.h"

UNUSED static consul_queue *new_queue(void)
{
    consul_queue *queue = NULL;
    CHECK_OK(consul_queue_new(&queue));
    return queue;
}

UNUSED static consul_async async_of(consul_queue *queue, uint64_t tag)
{
    consul_async async;
    async.queue = queue;
    async.tag = tag;
    return async;
}

/* The next event, which must come. */
UNUSED static consul_event *next_event(consul_queue *queue)
{
    consul_event *event = NULL;
    CHECK_OK(consul_queue_next(queue, PATIENCE_MS, &event));
    CHECK(event != NULL && consul_event_type(event) == CONSUL_EVENT_DONE);
    return event;
}

/* The next event has this tag and this status, and a row that says the same. */
UNUSED static void check_event(const char *file, int line, consul_event *event, uint64_t tag,
                               consul_status status)
{
    const consul_error *error = consul_event_error(event);
    if (consul_event_tag(event) != tag || consul_event_status(event) != status)
        fail(file, line, "an event of tag %u with %s (%s)\n    is not one of tag %u with %s",
             (unsigned)consul_event_tag(event), consul_status_name(consul_event_status(event)),
             error->message, (unsigned)tag, consul_status_name(status));
    if (error->status != (status < 0 ? status : CONSUL_OK) ||
        (status < 0) != (error->message_len > 0))
        fail(file, line, "the event's error says %s", consul_status_name(error->status));
}

#define CHECK_EVENT(tag, status, event) check_event(__FILE__, __LINE__, (event), (tag), (status))

/* Takes the next event, which must be this one, and frees it. */
#define CHECK_NEXT(queue, tag, status)                  \
    do {                                                \
        consul_event *event_ = next_event(queue);       \
        CHECK_EVENT((tag), (status), event_);           \
        consul_event_free(event_);                      \
    } while (0)

UNUSED static void check_empty(consul_queue *queue)
{
    consul_event *event = NULL;
    CHECK_STATUS(CONSUL_NO_CHANGE, consul_queue_next(queue, 0, &event));
    CHECK(event == NULL);
}

#endif

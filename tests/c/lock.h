/* A lock that is free again at once after a loss. */
#ifndef LOCK_H
#define LOCK_H

#include "support.h"

static consul_lock *lock_of(consul_client *client, const char *key)
{
    consul_session_spec *session = NULL;
    consul_lock_spec *spec = NULL;
    consul_lock *lock = NULL;
    CHECK_OK(consul_session_spec_new(&session));
    /* Longer than a machine may stand still. */
    CHECK_OK(consul_session_spec_set_ttl_ms(session, 60000));
    CHECK_OK(consul_session_spec_set_lock_delay_ms(session, 0));
    CHECK_OK(consul_lock_spec_new(key, &spec));
    CHECK_OK(consul_lock_spec_set_session_spec(spec, session));
    CHECK_OK(consul_lock_new(client, spec, &lock));
    consul_session_spec_free(session);
    consul_lock_spec_free(spec);
    return lock;
}

#endif

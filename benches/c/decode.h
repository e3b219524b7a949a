/* The answer of /v1/kv/: JSON with values in base64, decoded in place. */
#ifndef DECODE_H
#define DECODE_H

#include <stddef.h>
#include <stdint.h>

struct text {
    char *at;
    size_t len;
};

struct pair {
    struct text key, value, session;
    uint64_t flags, lock_index, create_index, modify_index;
};

struct pairs {
    struct pair *at;
    size_t count, room;
};

/* Decodes `json`, which ends with a NUL and is overwritten. The pairs point into it. */
void decode_pairs(char *json, struct pairs *pairs);

/* The bytes of all values. */
size_t value_bytes(const struct pairs *pairs);

#endif

/* Every function of the header as a value, so that a test can call them all: calls_table.h, made
 * from the header by calls.awk, describes each with its parameters. */

#ifndef CALLS_H
#define CALLS_H

#include <consul_ffi.h>

enum kind {
    HANDLE,     /* a handle of type `type` */
    TEXT,       /* const char * */
    BYTES,      /* const uint8_t * */
    TEXTS,      /* const char *const * */
    NUMBERS,    /* const uint32_t * */
    LENGTH,     /* the length of the parameter before */
    NUMBER,     /* any other number, or bool */
    ASYNC,      /* const consul_async * */
    OUT_HANDLE, /* where a handle of type `type` goes */
    OUT_VALUE   /* where a number or a borrowed pointer goes */
};

enum result_kind { NOTHING, STATUS, VALUE, POINTER };

struct parameter {
    const char *name;
    enum kind kind;
    int type;
    /* The header says that it may be NULL. */
    bool may_be_null;
};

union argument {
    void *pointer;
    uint64_t number;
};

struct result {
    consul_status status;
    uint64_t value;
    const void *pointer;
};

struct call {
    const char *name;
    enum result_kind returns;
    size_t count;
    struct parameter parameters[16];
    void (*run)(const union argument *arguments, struct result *result);
};

#endif

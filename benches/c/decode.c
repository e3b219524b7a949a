/* A scanner of JSON that makes no tree and copies nothing. */
#include "decode.h"
#include "bench.h"
#include <stdlib.h>
#include <string.h>

static void bad(void) { die("the answer", "not the JSON of a KV endpoint"); }

static char *space(char *p) {
    while (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r') p++;
    return p;
}

/* Past one character that must be there, and the white space around it. */
static char *expect(char *p, char c) {
    p = space(p);
    if (*p != c) bad();
    return space(p + 1);
}

static unsigned hex4(const char *p) {
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        value = value << 4 | (unsigned)(c >= '0' && c <= '9'   ? c - '0'
                                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                               : (bad(), 0));
    }
    return value;
}

static char *put_utf8(char *out, unsigned code) {
    if (code < 0x80) return *out++ = (char)code, out;
    if (code < 0x800) {
        *out++ = (char)(0xC0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *out++ = (char)(0xE0 | code >> 12);
        } else {
            *out++ = (char)(0xF0 | code >> 18);
            *out++ = (char)(0x80 | (code >> 12 & 63));
        }
        *out++ = (char)(0x80 | (code >> 6 & 63));
    }
    *out++ = (char)(0x80 | (code & 63));
    return out;
}

/* One escape, at its backslash. */
static char *escape(char *p, char **out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *known = p[1] ? strchr(from, p[1]) : NULL;
    if (known) return *(*out)++ = to[known - from], p + 2;
    if (p[1] != 'u') bad();
    unsigned code = hex4(p + 2);
    p += 6;
    if (code >= 0xD800 && code < 0xDC00 && p[0] == '\\' && p[1] == 'u') {
        code = 0x10000 + ((code & 0x3FF) << 10) + (hex4(p + 2) & 0x3FF);
        p += 6;
    }
    *out = put_utf8(*out, code);
    return p;
}

/* A string, unescaped in place. */
static char *string(char *p, struct text *text) {
    if (*p++ != '"') bad();
    text->at = p;
    while (*p != '"' && *p != '\\' && *p) p++;
    char *out = p;
    while (*p != '"') {
        if (!*p) bad();
        if (*p == '\\')
            p = escape(p, &out);
        else
            *out++ = *p++;
    }
    text->len = (size_t)(out - text->at);
    return p + 1;
}

static char *number(char *p, uint64_t *value) {
    if (*p < '0' || *p > '9') bad();
    for (*value = 0; *p >= '0' && *p <= '9'; p++) *value = *value * 10 + (uint64_t)(*p - '0');
    return p;
}

static signed char digits[256];

__attribute__((constructor)) static void fill_digits(void) {
    const char *alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    memset(digits, -1, sizeof digits);
    for (int i = 0; i < 64; i++) digits[(unsigned char)alphabet[i]] = (signed char)i;
}

/* Base64 in place. */
static void base64(struct text *text) {
    const unsigned char *in = (const unsigned char *)text->at;
    unsigned char *out = (unsigned char *)text->at;
    size_t len = text->len;
    if (len % 4) bad();
    size_t pad = len == 0 ? 0 : (in[len - 1] == '=') + (in[len - 2] == '=');
    for (size_t i = 0; i < len; i += 4, out += 3) {
        int last = i + 4 == len;
        int a = digits[in[i]], b = digits[in[i + 1]];
        int c = last && pad == 2 ? 0 : digits[in[i + 2]], d = last && pad ? 0 : digits[in[i + 3]];
        if ((a | b | c | d) < 0) bad();
        out[0] = (unsigned char)(a << 2 | b >> 4);
        out[1] = (unsigned char)(b << 4 | c >> 2);
        out[2] = (unsigned char)(c << 6 | d);
    }
    text->len = len / 4 * 3 - pad;
}

static int is(const struct text *name, const char *wanted) {
    return name->len == strlen(wanted) && memcmp(name->at, wanted, name->len) == 0;
}

static char *null(char *p) {
    if (strncmp(p, "null", 4) != 0) bad();
    return p + 4;
}

static char *optional_string(char *p, struct text *text) {
    return *p == 'n' ? null(p) : string(p, text);
}

static char *field(char *p, struct pair *pair) {
    struct text name;
    p = expect(string(p, &name), ':');
    if (is(&name, "Key")) return string(p, &pair->key);
    if (is(&name, "Session")) return string(p, &pair->session);
    if (is(&name, "Flags")) return number(p, &pair->flags);
    if (is(&name, "LockIndex")) return number(p, &pair->lock_index);
    if (is(&name, "CreateIndex")) return number(p, &pair->create_index);
    if (is(&name, "ModifyIndex")) return number(p, &pair->modify_index);
    if (!is(&name, "Value")) bad();
    p = optional_string(p, &pair->value);
    base64(&pair->value);
    return p;
}

static struct pair *add(struct pairs *pairs) {
    if (pairs->count == pairs->room) {
        pairs->room = pairs->room ? pairs->room * 2 : 16;
        pairs->at = realloc(pairs->at, pairs->room * sizeof *pairs->at);
        if (!pairs->at) die("the answer", "no memory");
    }
    struct pair *pair = &pairs->at[pairs->count++];
    memset(pair, 0, sizeof *pair);
    return pair;
}

void decode_pairs(char *json, struct pairs *pairs) {
    pairs->count = 0;
    char *p = expect(json, '[');
    while (*p != ']') {
        struct pair *pair = add(pairs);
        p = expect(p, '{');
        while (*p != '}') {
            p = space(field(p, pair));
            if (*p == ',') p = space(p + 1);
        }
        p = space(p + 1);
        if (*p == ',') p = space(p + 1);
    }
    if (*space(p + 1)) bad();
}

size_t value_bytes(const struct pairs *pairs) {
    size_t bytes = 0;
    for (size_t i = 0; i < pairs->count; i++) bytes += pairs->at[i].value.len;
    return bytes;
}

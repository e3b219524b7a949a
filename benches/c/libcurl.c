/* libcurl as its documentation advises: an easy handle a thread, used again; answers decoded as the
 * floor does. */
#include "bench.h"
#include "decode.h"
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct worker {
    CURL *curl;
    char base[300];
    char *body;
    size_t room, filled;
    struct pairs pairs;
};

static void must(CURLcode code) {
    if (code != CURLE_OK) die("libcurl", curl_easy_strerror(code));
}

static size_t receive(char *data, size_t size, size_t count, void *worker) {
    struct worker *w = worker;
    size_t len = size * count;
    if (w->room - w->filled <= len) {
        w->room = (w->room + len) * 2;
        w->body = realloc(w->body, w->room);
        if (!w->body) die("libcurl", "no memory");
    }
    memcpy(w->body + w->filled, data, len);
    w->filled += len;
    return len;
}

void *worker_new(const char *host, const char *port) {
    struct worker *w = calloc(1, sizeof *w);
    if (!w || !(w->curl = curl_easy_init())) die("libcurl", "no handle");
    snprintf(w->base, sizeof w->base, "http://%s:%s/v1/kv/", host, port);
    must(curl_easy_setopt(w->curl, CURLOPT_WRITEFUNCTION, receive));
    must(curl_easy_setopt(w->curl, CURLOPT_WRITEDATA, w));
    must(curl_easy_setopt(w->curl, CURLOPT_TIMEOUT_MS, 10000L));
    must(curl_easy_setopt(w->curl, CURLOPT_NOSIGNAL, 1L));
    return w;
}

void worker_free(void *worker) {
    struct worker *w = worker;
    curl_easy_cleanup(w->curl);
    free(w->body);
    free(w->pairs.at);
    free(w);
}

/* One exchange; the body, with a NUL after it. */
static char *perform(struct worker *w, const char *key, const char *query) {
    char url[512];
    long status = 0;
    snprintf(url, sizeof url, "%s%s%s", w->base, key, query);
    w->filled = 0;
    must(curl_easy_setopt(w->curl, CURLOPT_URL, url));
    must(curl_easy_perform(w->curl));
    must(curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &status));
    if (status != 200 || !w->body) die(url, "not status 200");
    w->body[w->filled] = 0;
    return w->body;
}

size_t worker_get(void *worker, const char *key) {
    struct worker *w = worker;
    decode_pairs(perform(w, key, ""), &w->pairs);
    return value_bytes(&w->pairs);
}

size_t worker_list(void *worker, const char *prefix, size_t *keys) {
    struct worker *w = worker;
    decode_pairs(perform(w, prefix, "?recurse"), &w->pairs);
    *keys = w->pairs.count;
    return value_bytes(&w->pairs);
}

void worker_put(void *worker, const char *key, const char *value, size_t len) {
    struct worker *w = worker;
    must(curl_easy_setopt(w->curl, CURLOPT_CUSTOMREQUEST, "PUT"));
    must(curl_easy_setopt(w->curl, CURLOPT_POSTFIELDSIZE, (long)len));
    must(curl_easy_setopt(w->curl, CURLOPT_POSTFIELDS, value));
    if (strncmp(perform(w, key, ""), "true", 4) != 0) die(key, "not written");
}

/* libcurl as its documentation advises: an easy handle a thread, used again, or for gets in flight a
 * multi handle with easy handles that are used again; answers decoded as the floor does. */
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
    /* For gets in flight: those that have none. */
    CURLM *multi;
    struct worker *idle[IN_FLIGHT];
    int idle_count;
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

static void aim(struct worker *w, const char *key, const char *query) {
    char url[512];
    snprintf(url, sizeof url, "%s%s%s", w->base, key, query);
    w->filled = 0;
    must(curl_easy_setopt(w->curl, CURLOPT_URL, url));
}

/* The body of an answer, with a NUL after it. */
static char *answer(struct worker *w) {
    long status = 0;
    must(curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &status));
    if (status != 200 || !w->body) die(w->base, "not status 200");
    w->body[w->filled] = 0;
    return w->body;
}

static char *perform(struct worker *w, const char *key, const char *query) {
    aim(w, key, query);
    must(curl_easy_perform(w->curl));
    return answer(w);
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

static void must_multi(CURLMcode code) {
    if (code != CURLM_OK) die("libcurl", curl_multi_strerror(code));
}

/* The program ends with them. */
static struct worker *worker_like(struct worker *w) {
    struct worker *one = worker_new("", "");
    memcpy(one->base, w->base, sizeof one->base);
    must(curl_easy_setopt(one->curl, CURLOPT_PRIVATE, one));
    return one;
}

void worker_begin(void *worker, const char *key) {
    struct worker *w = worker, *one = w->idle_count ? w->idle[--w->idle_count] : worker_like(w);
    if (!w->multi) {
        w->multi = curl_multi_init();
        must_multi(curl_multi_setopt(w->multi, CURLMOPT_MAXCONNECTS, (long)IN_FLIGHT));
    }
    aim(one, key, "");
    must_multi(curl_multi_add_handle(w->multi, one->curl));
}

size_t worker_take(void *worker) {
    struct worker *w = worker, *one;
    CURLMsg *message;
    int left, running;
    while (!(message = curl_multi_info_read(w->multi, &left))) {
        must_multi(curl_multi_perform(w->multi, &running));
        if ((message = curl_multi_info_read(w->multi, &left))) break;
        must_multi(curl_multi_poll(w->multi, NULL, 0, 10000, NULL));
    }
    must(message->data.result);
    must(curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&one));
    must_multi(curl_multi_remove_handle(w->multi, one->curl));
    decode_pairs(answer(one), &one->pairs);
    w->idle[w->idle_count++] = one;
    return value_bytes(&one->pairs);
}

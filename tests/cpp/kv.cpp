// Keys and values: every call, bytes and numbers as they are, answers that are not errors.

#include "support.hpp"

#include <array>
#include <vector>

static void written_and_read(const consul::client &client, const std::string &key) {
    const auto kv = client.kv();
    const std::string value("\0\xff x\0", 5);
    const std::uint64_t flags = UINT64_MAX;
    OK(kv.put(key, value, flags));
    const auto pair = GET(kv.get(key));
    CHECK(pair->key() == key && pair->value() == value && pair->flags() == flags);
    CHECK(pair->session().empty() && pair->lock_index() == 0);
    CHECK(pair->create_index() > 0 && pair->create_index() == pair->modify_index());
    CHECK(pair.meta().index() == pair->modify_index() && pair.meta().known_leader());
    CHECK(pair.meta().last_contact() == 0ms && pair.meta().cache_age() == 0s);
    CHECK(!pair.meta().cache_hit());

    OK(kv.update(key, "kept flags"));
    CHECK(ROW(kv.get(key), flags()) == flags);
}

// A value is taken from whatever holds bytes.
static void bytes(const consul::client &client, const std::string &key) {
    const auto holds = [&](std::string_view wanted) {
        const auto pair = GET(client.kv().get(key));
        return pair->value() == wanted;
    };
    OK(client.kv().put(key, "literal"));
    CHECK(holds("literal"));
    OK(client.kv().put(key, std::vector<std::uint8_t>{1, 0, 2}));
    CHECK(holds(std::string_view("\1\0\2", 3)));
    OK(client.kv().put(key, std::array<std::byte, 2>{std::byte{7}, std::byte{0}}));
    CHECK(holds(std::string_view("\7\0", 2)));
    OK(client.kv().put(key, {"pointer", 3}));
    CHECK(holds("poi"));
    OK(client.kv().put(key, std::string_view()));
    CHECK(holds(""));
    const char *none = nullptr;
    OK(client.kv().put(key, none));
    CHECK(holds(""));
}

static void lists(const consul::client &client, const std::string &key) {
    const auto kv = client.kv();
    for (const char *name : {"/a", "/b", "/c/d"}) {
        OK(kv.put(key + name, name));
    }
    const auto pairs = GET(kv.list(key + "/"));
    CHECK(pairs.size() == 3 && !pairs.empty() && pairs.meta().index() > 0);
    std::string names;
    for (const auto pair : pairs) {
        CHECK(key + std::string(pair.value()) == pair.key());
        names += pair.value();
    }
    CHECK(names == "/a/b/c/d");
    CHECK(pairs[2].value() == "/c/d" && pairs[3].key().empty());
    CHECK(pairs.begin()->value() == "/a" && pairs.end() - pairs.begin() == 3);
    CHECK(*(pairs.begin() + 1)->value().data() == '/' && pairs.begin()[2].value() == "/c/d");

    const auto keys = GET(kv.keys(key + "/", "/"));
    CHECK(keys.size() == 3 && keys[2] == key + "/c/" && keys[3].empty());
    CHECK(GET(kv.keys(std::string_view(key + "/"))).size() == 3);
    CHECK(GET(kv.list(key + "/none")).empty());

    OK(kv.delete_prefix(key + "/"));
    CHECK(GET(kv.list(key + "/")).empty());
    FAILS(err_argument, "prefix", kv.delete_prefix(""));
}

static void honest_answers(const consul::client &client, const std::string &key) {
    const auto kv = client.kv();
    OK(kv.delete_(key));
    const auto missing = IS(not_found, kv.get(key));
    CHECK(!missing && !missing.ok() && !missing.failed() && !missing.error().is_error());
    CHECK(missing.meta().index() > 0);
    CHECK(missing.answer() != nullptr && (*missing.answer())->value().empty());

    OK(kv.cas(key, "first", 0, 5));
    (void)IS(conflict, kv.cas(key, "second", 0));
    const auto pair = GET(kv.get(key));
    CHECK(pair->value() == "first" && pair->flags() == 5);
    (void)IS(conflict, kv.delete_cas(key, pair->modify_index() + 1));
    OK(kv.delete_cas(key, pair->modify_index()));
}

static void sessions(const consul::client &client, const std::string &key) {
    const auto kv = client.kv();
    const std::string holder = GET(client.session().create());
    const std::string other = GET(client.session().create());
    OK(kv.acquire(key, "mine", holder, 9));
    (void)IS(held, kv.acquire(key, "mine too", other));
    const auto pair = GET(kv.get(key));
    CHECK(pair->session() == holder && pair->lock_index() == 1 && pair->flags() == 9);
    OK(kv.put_held(key + "/fenced", "1", key, holder));
    (void)IS(conflict, kv.put_held(key + "/fenced", "2", key, other));
    (void)IS(conflict, kv.release(key, "no", other));
    OK(kv.release(key, "free", holder));
    (void)IS(err_session_invalid, kv.acquire(key, "x", "00000000-0000-0000-0000-000000000000"));
    OK(client.session().destroy(holder));
    OK(client.session().destroy(other));
    OK(kv.delete_prefix(key));
}

static void blocking(const consul::client &client, const std::string &key) {
    OK(client.kv().put(key, "1"));
    const auto first = GET(client.kv().get(key));
    consul::options settings;
    settings.index(first.meta().index()).wait(10ms);
    // Nothing new: the same index, after the wait.
    CHECK(GET(client.kv().get(key, settings)).meta().index() == first.meta().index());
    OK(client.kv().put(key, "2"));
    CHECK(ROW(client.kv().get(key, settings), value() == "2"));
    OK(client.kv().delete_(key));
}

static void encrypted(const consul::client &client, const std::string &key) {
    const auto sealing = [&](const char *secret, const char *old) {
        return GET(consul::client::create(consul::config()
                                              .set("encryption_key", secret)
                                              .set("encryption_old_keys", old)
                                              .set("encryption_prefixes", key)));
    };
    const char *first = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    const char *second = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    OK(sealing(first, "").kv().put(key, "secret"));
    CHECK(ROW(client.kv().get(key), value() != "secret"));
    FAILS(err_crypto, key.c_str(), sealing(second, "").kv().get(key));
    const auto done = GET(sealing(second, first).kv().reencrypt(key));
    CHECK(done->rewritten() == 1 && done->current() + done->held() + done->failed() == 0);
    CHECK(done->outside() == 0);
    const auto queue = GET(consul::queue::create());
    const auto sealed = sealing(second, first);
    (void)IS(pending, sealed.on(queue, 1).kv().reencrypt(key));
    auto event = GET(queue.next(30s));
    CHECK(ROW(event.take<consul::reencryption>(), current() == 1));
    CHECK(ROW(sealing(second, "").kv().get(key), value() == "secret"));
    OK(client.kv().delete_(key));
}

static void refused(const consul::client &client) {
    using namespace std::string_literals;
    FAILS(err_argument, "slash", client.kv().get("/key"));
    FAILS(err_argument, "NUL", client.kv().get("a\0b"s));
    FAILS(err_argument, "NUL", client.kv().put(std::string_view("a\0b", 3), ""));
    FAILS(err_argument, "key", client.kv().get(nullptr));
    FAILS(err_too_large, "max_value_bytes", client.kv().put("a", std::string(1 << 20, 'x')));
}

int main() {
    {
        const auto client = new_client();
        const auto key = unique("kv");
        written_and_read(client, key);
        bytes(client, key);
        lists(client, key);
        honest_answers(client, key);
        sessions(client, key);
        blocking(client, key);
        encrypted(client, key);
        refused(client);
    }
    return finished();
}

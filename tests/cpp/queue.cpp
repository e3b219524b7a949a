// Asynchronous calls: each result by its event, errors, tags, limits, descriptors, the queue's end.

#include "support.hpp"

#include <poll.h>
#include <set>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>

static const std::uint64_t tag = 7;

/// What the call that was started comes to: its event has the very type that the call has.
template <class T>
static consul::result<T> ended(const consul::queue &queue, consul::result<T> started) {
    (void)IS(pending, std::move(started));
    auto event = GET(queue.next(30s));
    CHECK(event.type() == consul::event_type::done && event.tag() == tag);
    return event.template take<T>();
}

static void keys(const consul::queue &queue, const consul::client &client) {
    const auto key = unique("queue");
    const auto kv = client.on(queue, tag).kv();
    OK(ended(queue, kv.put(key, "1", 5)));
    OK(ended(queue, kv.update(key, "2")));
    const auto pair = GET(ended(queue, kv.get(key)));
    CHECK(pair->value() == "2" && pair->flags() == 5 && pair.meta().index() > 0);
    CHECK(GET(ended(queue, kv.list(key))).size() == 1);
    CHECK(GET(ended(queue, kv.keys(key))).size() == 1);
    (void)IS(conflict, ended(queue, kv.cas(key, "3", 1)));
    OK(ended(queue, kv.delete_(key)));
    const auto missing = IS(not_found, ended(queue, kv.get(key)));
    CHECK(missing.meta().index() > 0 && missing.answer() != nullptr);

    consul::txn txn;
    txn.set(key, "1").check_not_exists(key);
    const auto rolled_back = IS(conflict, ended(queue, client.on(queue, tag).commit(txn)));
    CHECK(rolled_back.answer()->errors()[0].op_index() == 1);
}

static void every_answer(const consul::queue &queue, const consul::client &client) {
    const auto later = client.on(queue, tag);
    const auto id = GET(ended(queue, later.session().create()));
    CHECK(ROW(ended(queue, later.session().info(id)), id() == id));
    CHECK(!GET(ended(queue, later.session().list())).empty());
    OK(ended(queue, later.session().destroy(id)));
    (void)IS(not_found, ended(queue, later.session().info(id)));
    const auto kept = GET(ended(queue, later.session().start()));
    CHECK(kept.is_valid());

    const auto leader = GET(ended(queue, later.status().leader()));
    CHECK(FIRST(ended(queue, later.status().peers()), == leader));
    CHECK(FIRST(ended(queue, later.catalog().datacenters()), == "dc1"));
    CHECK(GET(ended(queue, later.catalog().nodes())).size() == 1);
    CHECK(FIRST(ended(queue, later.catalog().services()), .name() == "consul"));
    CHECK(GET(ended(queue, later.health().service("consul"))).size() == 1);
    CHECK(GET(ended(queue, later.health().state("any"))).aggregated_status() == "passing");
    CHECK(ROW(ended(queue, later.agent().self()), node_name().size()) > 0);
    CHECK(GET(ended(queue, later.agent().members())).size() == 1);
    (void)GET(ended(queue, later.agent().services()));
    const auto response = IS(not_found, ended(queue, later.request("GET", "/v1/kv/none")));
    CHECK(response.answer()->http_status() == 404);
}

static void locks(const consul::queue &queue, const consul::client &client) {
    const auto key = unique("lock");
    auto lock = GET(client.lock(key));
    const auto moved = std::move(lock);
    const auto later = moved.on(queue, tag);
    OK(ended(queue, later.acquire(30s)));
    CHECK(moved.is_held());
    (void)IS(err_already_held, ended(queue, later.try_acquire()));
    OK(ended(queue, later.put(key + "/fenced", "1")));
    OK(ended(queue, later.release()));
    OK(ended(queue, later.destroy()));
    OK(client.kv().delete_(key + "/fenced"));
    (void)IS(err_handle, lock.on(queue).acquire(0ms));
}

/// What a call is refused for, it says itself; nothing arrives.
static void refused(const consul::queue &queue, const consul::client &client) {
    FAILS(err_argument, "slash", client.on(queue).kv().get("/a"));
    FAILS(err_argument, "NUL", client.on(queue).kv().get(std::string("a\0b", 3)));
    (void)IS(err_handle, client.on(consul::queue()).kv().get("a"));
    (void)IS(err_handle, client.on(consul::queue())
                             .watch(consul::watch_spec(consul::watch_kind::nodes)));
    (void)IS(no_change, queue.next(0ms));
    (void)IS(err_argument, queue.next(-1ms));
    (void)IS(err_argument, queue.max_in_flight(0));
}

/// What went wrong later, the event says.
static void failed(const consul::queue &queue) {
    consul::config config;
    config.set("address", "http://127.0.0.1:1");
    const auto nowhere = GET(consul::client::create(config));
    (void)IS(pending, nowhere.on(queue, tag).kv().get("a"));
    auto event = GET(queue.next(30s));
    CHECK(event.status() == consul::status::err_connect);
    const auto error = event.error();
    CHECK(error.retryable() && error.endpoint() == "http://127.0.0.1:1");
    CHECK(event.result_type() == consul::handle_type::all);
    CHECK(event.version() == 0 && event.age() == std::chrono::milliseconds::max());
    FAILS(err_connect, "refused", event.take<consul::kv_entry>());
    FAILS(err_connect, "refused", event.take<void>());
}

static void taken_once(const consul::queue &queue, const consul::client &client) {
    (void)IS(pending, client.on(queue, tag).catalog().nodes());
    auto event = GET(queue.next(30s));
    CHECK(event.result_type() == consul::handle_type::nodes && !event.error().is_error());
    FAILS(err_argument, "nodes", event.take<consul::kv_entry>());
    OK(event.take<consul::node_list>());
    FAILS(err_argument, "taken already", event.take<consul::node_list>());

    auto moved = std::move(event);
    CHECK(event.tag() == 0 && moved.tag() == tag);
    (void)IS(err_handle, event.take<consul::node_list>());
}

static void many(const consul::queue &queue, const consul::client &client) {
    const auto prefix = unique("many");
    const std::size_t count = 100;
    for (std::size_t i = 0; i < count; i++) {
        client.on(queue, i).kv().put(prefix + std::to_string(i), "x").throw_if_failed();
    }
    std::set<std::uint64_t> tags;
    for (auto &event : queue.events(30s)) {
        OK(event.take<void>());
        tags.insert(event.tag());
        if (tags.size() == count) {
            break;
        }
    }
    CHECK(tags.size() == count);
    for (auto &event : queue.events()) {
        CHECK(event.tag() > count);
    }
    OK(client.kv().delete_prefix(prefix));
}

static consul::options long_wait() {
    consul::options settings;
    settings.index(1000000000).wait(5min);
    return settings;
}

static void limited_and_cancelled(const consul::queue &queue, const consul::client &client) {
    OK(queue.max_in_flight(1));
    (void)IS(pending, client.on(queue, tag).kv().get("a", long_wait()));
    (void)IS(err_busy, client.on(queue, tag).kv().get("a"));
    OK(queue.cancel(tag));
    auto event = GET(queue.next(30s));
    (void)IS(err_cancelled, event.take<consul::kv_entry>());
    OK(queue.max_in_flight(1024));
    OK(queue.cancel(tag));
}

static void woken(const consul::queue &queue) {
    OK(queue.wake());
    (void)IS(no_change, queue.next());
    std::thread waits([&] { (void)IS(no_change, queue.next()); });
    OK(queue.wake());
    waits.join();
}

/// A loop of its own sleeps on the descriptor; one that knows sockets only reads bytes.
static void descriptors(const consul::queue &queue, const consul::client &client) {
    pollfd news = {queue.fd(), POLLIN, 0};
    CHECK(news.fd >= 0 && poll(&news, 1, 0) == 0);
    (void)IS(pending, client.on(queue, tag).status().leader());
    CHECK(poll(&news, 1, 30000) == 1);

    const auto path = "/tmp/" + unique("queue");
    OK(queue.serve(path));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int peer = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(peer, reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0);
    char byte = 0;
    CHECK(read(peer, &byte, 1) == 1 && byte == 1);
    close(peer);
    auto event = GET(queue.next(0ms));
    OK(event.take<std::string>());
    CHECK(poll(&news, 1, 0) == 0);
    FAILS(err_io, "/no/such", queue.serve("/no/such/folder"));
}

static void moved_and_ended(const consul::client &client) {
    auto queue = GET(consul::queue::create());
    (void)IS(pending, client.on(queue, tag).kv().get("a", long_wait()));
    const auto moved = std::move(queue);
    CHECK(queue.fd() == -1);
    (void)IS(err_handle, queue.next(0ms));
    (void)IS(err_handle, queue.wake());
    for (auto &event : queue.events()) {
        CHECK(event.tag() > tag); // there is none
    }
    // Its end is that of what is in flight.
}

/// What waits without asking Consul ends in the queue, too.
static void waits(const consul::queue &queue, const consul::client &client) {
    const auto key = unique("waits");
    const auto next = [&] { return GET(queue.next(30s)).status(); };
    const auto lock = GET(client.lock(key));
    OK(lock.acquire(5s));
    (void)IS(pending, lock.on(queue, tag).wait_lost(5ms));
    CHECK(next() == consul::status::no_change);
    (void)IS(pending, lock.on(queue, tag).wait_lost());
    OK(client.kv().delete_(key));
    CHECK(next() == consul::status::err_lock_lost);

    const auto semaphore = GET(client.semaphore(key + "-slots", 1));
    (void)IS(pending, semaphore.on(queue, tag).wait_lost());
    CHECK(next() == consul::status::err_not_held);

    const auto watch = GET(client.watch(consul::watch_spec(consul::watch_kind::key, key)));
    (void)IS(pending, watch.on(queue, tag).wait_ready());
    CHECK(next() == consul::status::ok);
    (void)IS(no_change, watch.wait_newer(watch.version(), 1ms));
    (void)IS(pending, watch.on(queue, tag).wait_newer(watch.version()));
    OK(client.kv().put(key, "1"));
    CHECK(next() == consul::status::ok);
    OK(client.kv().delete_(key));

    const auto election = GET(client.election(key + "-leader"));
    (void)IS(pending, election.on(queue, tag).wait_elected());
    CHECK(next() == consul::status::ok);
    (void)IS(pending, election.on(queue, tag).wait_leader());
    CHECK(ROW(GET(queue.next(30s)).take<consul::leader>(), is_present()));
    (void)IS(pending, election.on(queue, tag).wait_change(1000000, 1ms));
    CHECK(next() == consul::status::no_change);
    OK(election.resign());

    const auto other = new_client();
    (void)IS(pending, other.on(queue, tag).close(30s));
    CHECK(next() == consul::status::ok);
    (void)IS(err_closed, other.status().leader());
}

int main() {
    {
        const auto client = new_client();
        const auto queue = GET(consul::queue::create());
        keys(queue, client);
        every_answer(queue, client);
        locks(queue, client);
        refused(queue, client);
        failed(queue);
        taken_once(queue, client);
        many(queue, client);
        limited_and_cancelled(queue, client);
        woken(queue);
        descriptors(queue, client);
        waits(queue, client);
        moved_and_ended(client);
    }
    return finished();
}

// Locks, semaphores and their guards: acquired, contended, fenced, released, lost, given up.

#include "support.hpp"

#include <thread>

static consul::lock_spec spec_of(const std::string &key) {
    consul::session_spec session;
    session.ttl(10s).lock_delay(0ms);
    consul::lock_spec spec(key);
    spec.value("owner").session_spec(session);
    return spec;
}

static void held_and_released(const consul::client &client, const std::string &key) {
    const auto lock = GET(client.lock(spec_of(key)));
    CHECK(!lock.is_held() && lock.fencing_token() == 0 && lock.remaining() == 0ms);
    (void)IS(not_found, lock.session_id());
    (void)IS(err_not_held, lock.release());

    OK(lock.acquire(5s));
    CHECK(lock.is_held() && lock.remaining() > 0ms);
    CHECK(lock.lost_reason() == consul::lost_reason::none);
    (void)IS(err_already_held, lock.try_acquire());
    (void)IS(err_already_held, lock.destroy());
    (void)IS(no_change, lock.wait_lost(10ms));
    const auto pair = GET(client.kv().get(key));
    CHECK(pair->session() == GET(lock.session_id()) && pair->value() == "owner");
    CHECK(pair->modify_index() == lock.fencing_token());

    OK(lock.put(key + "/fenced", "1", 4));
    CHECK(ROW(client.kv().get(key + "/fenced"), flags()) == 4);
    OK(lock.release());
    (void)IS(err_not_held, lock.put(key + "/fenced", "2"));
    OK(lock.destroy());
    OK(client.kv().delete_(key + "/fenced"));
}

static void contended(const consul::client &client, const std::string &key) {
    const auto first = GET(client.lock(spec_of(key)));
    const auto second = GET(client.lock(spec_of(key)));
    OK(first.try_acquire());
    const auto token = first.fencing_token();
    (void)IS(held, second.try_acquire());
    (void)IS(held, second.acquire(100ms));
    CHECK(GET(second.holder()) == GET(first.session_id()));
    (void)IS(held, second.destroy());
    (void)IS(err_argument, second.acquire(-1s));

    const auto third = GET(client.lock(spec_of(key)));
    std::thread waits([&] {
        (void)IS(err_cancelled, third.acquire(std::chrono::milliseconds::max()));
    });
    // It waits once it has seen the holder.
    while (!third.holder()) {
        std::this_thread::yield();
    }
    OK(third.stop());
    waits.join();

    OK(first.release());
    OK(second.acquire(5s));
    CHECK(second.fencing_token() > token);
    OK(second.release());
}

static void guarded(const consul::client &client, const std::string &key) {
    {
        const auto guard = GET(client.hold(spec_of(key), 5s));
        CHECK(guard->is_held() && (*guard).fencing_token() == guard->fencing_token());
        (void)IS(held, client.hold(key, 0ms));
    }
    // Its end releases in the background, so the next one waits a moment at most.
    auto guard = GET(client.hold(spec_of(key), 10s));
    OK(guard->release());
    CHECK(!guard->is_held());
    FAILS(err_argument, "slash", client.hold("/bad", 0ms));
}

static void borrowed_sessions(const consul::client &client, const std::string &key) {
    const auto session = GET(client.session().start());
    consul::lock_spec kept(key);
    kept.session(session).monitor_retry(2s).adopt(true);
    auto lock = GET(client.lock(kept));
    OK(lock.acquire(5s));
    CHECK(GET(lock.session_id()) == session.id());
    OK(lock.release());

    consul::options settings;
    settings.timeout(5s);
    consul::lock_spec by_id(key);
    by_id.session_id(session.id()).options(settings);
    lock = GET(client.lock(by_id));
    OK(lock.acquire(5s));
    OK(lock.release());
    OK(client.session().destroy(session.id()));
}

static void lost(const consul::client &client, const std::string &key) {
    const auto lock = GET(client.lock(key));
    OK(lock.acquire(5s));
    OK(client.kv().delete_(key));
    (void)IS(err_lock_lost, lock.wait_lost());
    CHECK(!lock.is_held() && lock.lost_reason() == consul::lost_reason::key_deleted);
    (void)IS(err_lock_lost, lock.release());
    (void)IS(err_argument, lock.wait_lost(-2ms));
}

static void losses_in_a_queue(const consul::client &client, const std::string &key) {
    const auto queue = GET(consul::queue::create());
    auto session = GET(client.session().start());
    consul::lock_spec spec(key);
    spec.session(session);
    const auto lock = GET(client.lock(spec));
    (void)IS(err_handle, lock.set_queue(consul::queue()));
    (void)IS(err_handle, session.set_queue(consul::queue()));
    OK(session.set_queue(queue, 1));
    OK(session.unset_queue());
    OK(session.set_queue(queue, 2));
    OK(lock.set_queue(queue, 3));
    OK(lock.acquire(5s));
    OK(client.kv().delete_(key));
    auto event = GET(queue.next(30s));
    CHECK(event.type() == consul::event_type::lock_lost && event.tag() == 3);
    CHECK(event.error().status() == consul::status::err_lock_lost);
    CHECK(lock.lost_reason() == consul::lost_reason::key_deleted);
    OK(lock.unset_queue());
    OK(session.stop());
    event = GET(queue.next(30s));
    CHECK(event.type() == consul::event_type::session_lost && event.tag() == 2);
    CHECK(event.error().status() == consul::status::err_cancelled);
    OK(client.session().destroy(session.id()));
}

static void closed(const consul::client &client, const std::string &key) {
    const auto other = new_client();
    const auto guard = GET(other.hold(spec_of(key), 5s));
    OK(other.close());
    OK(other.close()); // twice is harmless
    CHECK(!guard->is_held() && guard->lost_reason() == consul::lost_reason::closed);
    (void)IS(err_closed, guard->acquire(0ms));
    CHECK(ROW(client.kv().get(key), session().empty()));
}

static consul::semaphore_spec slot_of(const std::string &prefix, std::uint64_t limit) {
    consul::session_spec session;
    session.ttl(10s);
    consul::semaphore_spec spec(prefix, limit);
    spec.value("owner").session_spec(session).monitor_retry(5s).options(consul::options());
    return spec;
}

static void slots(const consul::client &client, const std::string &prefix) {
    const auto session = GET(client.session().start());
    const auto one = GET(client.semaphore(prefix, 2));
    auto spec = slot_of(prefix, 2);
    spec.session(session);
    const auto two = GET(client.semaphore(spec));
    spec.session_id(session.id());
    (void)IS(err_not_held, one.release());
    (void)IS(not_found, one.session_id());
    OK(one.acquire(5s));
    OK(two.try_acquire());
    CHECK(one.is_held() && one.remaining() > 0ms && GET(two.session_id()) == session.id());
    CHECK(one.lost_reason() == consul::lost_reason::none);
    (void)IS(no_change, one.wait_lost(10ms));
    const auto three = GET(client.semaphore(slot_of(prefix, 2)));
    (void)IS(held, three.acquire(50ms));
    (void)IS(held, three.destroy());
    CHECK(GET(three.holders()).size() == 2);
    const auto stats = GET(one.stats());
    CHECK(stats->state() == "held");
    OK(one.release());
    (void)IS(err_limit_conflict, client.hold(slot_of(prefix, 3), 0ms));
    {
        const auto guard = GET(client.hold(slot_of(prefix, 2), 5s));
        CHECK(guard->is_held() && (*guard).is_held());
        OK(guard->stop());
    }
    const auto queue = GET(consul::queue::create());
    OK(two.set_queue(queue, 4));
    OK(client.session().destroy(session.id()));
    const auto event = GET(queue.next(30s));
    CHECK(event.type() == consul::event_type::lock_lost && event.tag() == 4);
    CHECK(two.lost_reason() == consul::lost_reason::session_invalid);
    OK(two.unset_queue());
    // The guard's end gives its slot back in the background.
    while (!three.destroy()) {
        std::this_thread::yield();
    }
}

int main() {
    {
        const auto client = new_client();
        const auto key = unique("locks");
        held_and_released(client, key);
        contended(client, key);
        guarded(client, key);
        borrowed_sessions(client, key);
        lost(client, key);
        losses_in_a_queue(client, key);
        closed(client, key);
        slots(client, unique("semaphores"));
        OK(client.kv().delete_prefix(key));
    }
    return finished();
}

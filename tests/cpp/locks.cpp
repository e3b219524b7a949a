// Locks, semaphores and their guards: acquired, contended, fenced, released, lost, given up. What stands
// on them: elections, clusters and their rings.

#include "support.hpp"

#include <thread>

static consul::lock_spec spec_of(const std::string &key) {
    consul::session_spec session;
    session.ttl(60s).lock_delay(0ms);
    consul::lock_spec spec(key);
    spec.value("owner").session_spec(session);
    return spec;
}

/// Waits in vain for what others hold, and longer where Consul takes longer to say so.
template <typename Contender>
static consul::result<void> acquire_in_vain(const Contender &contender) {
    auto time = 50ms;
    auto got = contender.acquire(time);
    for (; got.status() == consul::status::err_timeout && time < 10s; time *= 2) {
        got = contender.acquire(time * 2);
    }
    return got;
}

static void held_and_released(const consul::client &client, const std::string &key) {
    const auto lock = GET(client.lock(spec_of(key)));
    CHECK(!lock.is_held() && lock.fencing_token() == 0 && lock.remaining() == 0ms);
    (void)IS(not_found, lock.session_id());
    (void)IS(err_not_held, lock.release());

    OK(lock.acquire(30s));
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
    (void)IS(held, acquire_in_vain(second));
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
    OK(second.acquire(30s));
    CHECK(second.fencing_token() > token);
    OK(second.release());
}

static void guarded(const consul::client &client, const std::string &key) {
    {
        const auto guard = GET(client.hold(spec_of(key), 30s));
        CHECK(guard->is_held() && (*guard).fencing_token() == guard->fencing_token());
        (void)IS(held, client.hold(key, 0ms));
    }
    // Its end has released, so the next one waits for nothing.
    CHECK(ROW(client.kv().get(key), session().empty()));
    auto guard = GET(client.hold(spec_of(key), 0ms));
    OK(guard->release());
    CHECK(!guard->is_held());
    // Nobody else's, who has it by now: what is not held is not given back.
    const auto next = GET(client.lock(spec_of(key)));
    OK(next.try_acquire());
    guard = GET(client.hold(spec_of(key + "/other"), 30s));
    CHECK(next.is_held() && !ROW(client.kv().get(key), session().empty()));
    // It gives back what it has before it takes something else over.
    guard = GET(client.hold(spec_of(key + "/third"), 30s));
    CHECK(ROW(client.kv().get(key + "/other"), session().empty()));
    CHECK(guard->is_held());
    FAILS(err_argument, "slash", client.hold("/bad", 0ms));
}

static void borrowed_sessions(const consul::client &client, const std::string &key) {
    const auto session = GET(client.session().start());
    consul::lock_spec kept(key);
    kept.session(session).monitor_retry(50s).adopt(true);
    auto lock = GET(client.lock(kept));
    OK(lock.acquire(30s));
    CHECK(GET(lock.session_id()) == session.id());
    OK(lock.release());

    consul::options settings;
    settings.timeout(30s);
    consul::lock_spec by_id(key);
    by_id.session_id(session.id()).options(settings);
    lock = GET(client.lock(by_id));
    OK(lock.acquire(30s));
    OK(lock.release());
    OK(client.session().destroy(session.id()));
}

static void lost(const consul::client &client, const std::string &key) {
    const auto lock = GET(client.lock(key));
    OK(lock.acquire(30s));
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
    OK(lock.acquire(30s));
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
    const auto guard = GET(other.hold(spec_of(key), 30s));
    OK(other.close(30s));
    OK(other.close(30s)); // twice is harmless
    CHECK(!guard->is_held() && guard->lost_reason() == consul::lost_reason::closed);
    (void)IS(err_closed, guard->acquire(0ms));
    CHECK(ROW(client.kv().get(key), session().empty()));
}

static consul::semaphore_spec slot_of(const std::string &prefix, std::uint64_t limit) {
    consul::session_spec session;
    session.ttl(60s);
    consul::semaphore_spec spec(prefix, limit);
    spec.value("owner").session_spec(session).monitor_retry(50s).options(consul::options());
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
    OK(one.acquire(30s));
    OK(two.try_acquire());
    CHECK(one.is_held() && one.remaining() > 0ms && GET(two.session_id()) == session.id());
    CHECK(one.lost_reason() == consul::lost_reason::none);
    (void)IS(no_change, one.wait_lost(10ms));
    const auto three = GET(client.semaphore(slot_of(prefix, 2)));
    (void)IS(held, acquire_in_vain(three));
    (void)IS(held, three.destroy());
    CHECK(GET(three.holders()).size() == 2);
    const auto stats = GET(one.stats());
    CHECK(stats->state() == "held");
    OK(one.release());
    (void)IS(err_limit_conflict, client.hold(slot_of(prefix, 3), 0ms));
    {
        const auto guard = GET(client.hold(slot_of(prefix, 2), 30s));
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
    OK(three.destroy());
}

/// A client of an agent in memory, which others share.
static consul::client new_client_of(const std::string &agent) {
    consul::config config;
    config.set("address", "embedded:" + agent).set("timeout_ms", "500");
    return GET(consul::client::create(config));
}

// A client's end gives back what still lives on it, and what is being given back.
static void given_back(const std::string &key) {
    const auto watcher = new_client_of(key);
    const auto gone = [&] {
        CHECK(GET(watcher.session().list()).empty());
        CHECK(GET(watcher.kv().list("slots/.lock")).size() <= 1);
        (void)IS(not_found, watcher.agent().service("web"));
    };
    {
        const auto client = new_client_of(key);
        const auto guard = GET(client.hold(key, 0ms));
        const auto slot = GET(client.hold(consul::semaphore_spec("slots", 1), 0ms));
        CHECK(GET(watcher.session().list()).size() == 2);
    }
    gone();
    consul::lock lock;
    consul::session session;
    consul::semaphore slot;
    consul::kept_service service;
    {
        auto client = new_client_of(key);
        lock = GET(client.lock(key));
        OK(lock.acquire(0ms));
        slot = GET(client.semaphore("slots", 1));
        OK(slot.acquire(0ms));
        session = GET(client.session().start());
        consul::kept_service_spec web{consul::service_spec("web")};
        service = GET(client.kept_service(web));
        OK(service.start());
        auto elsewhere = std::move(client); // what was moved from ends nothing
        client = consul::client();
        CHECK(lock.is_held() && GET(watcher.session().list()).size() == 3);
        OK(watcher.agent().service("web"));
    }
    CHECK(!lock.is_held() && lock.lost_reason() == consul::lost_reason::closed);
    (void)IS(err_handle, consul::client().close());
    gone();
    {
        auto client = new_client_of(key);
        const auto own = GET(client.lock(key));
        const auto election = GET(client.election(key + "/leader"));
        const auto member = GET(client.join(consul::cluster_spec("one", "127.0.0.1:7000")));
        const auto kept = GET(client.session().start());
        OK(own.acquire(0ms));
        OK(election.wait_elected(30s));
        OK(member.wait_joined(30s));
        client = new_client_of(key); // one client's end as well
        CHECK(!own.is_held());
        gone();
        lock = GET(client.lock(key));
        OK(lock.acquire(0ms));
        lock = consul::lock(); // in the background, for which its client waits
    }
    gone();
}

// Errors of the way back are nobody's, and it has an end.
static void given_up(const std::string &key) {
    const auto began = std::chrono::steady_clock::now();
    const auto watcher = new_client_of(key);
    {
        const auto client = new_client_of(key);
        const auto guard = GET(client.hold(key, 0ms));
        OK(client.embedded().fail_next(1000000, 500, "no"));
    }
    OK(watcher.embedded().reset_faults());
    CHECK(!ROW(watcher.kv().get(key), session().empty()));
    // A guard that outlives its client, or whose client is closed.
    auto client = new_client_of(key + "-2");
    const auto guard = GET(client.hold(key, 0ms));
    const auto other = GET(client.hold(key + "/other", 0ms));
    OK(client.close());
    client = consul::client();
    CHECK(!guard->is_held());
    CHECK(std::chrono::steady_clock::now() - began < 60s);
}

static consul::election_spec candidate(const std::string &key, const char *value) {
    consul::election_spec spec(key);
    consul::session_spec session;
    session.ttl(60s);
    spec.value(value).session_spec(session).session_ttl(60s).lock_delay(0ms);
    spec.adopt(true).ephemeral(false).monitor_retry(50s).options(consul::options());
    return spec;
}

static void elected(const consul::client &client, const std::string &key) {
    const auto one = GET(client.election(candidate(key, "one")));
    OK(one.wait_elected(30s));
    CHECK(one.is_leader() && one.remaining() > 0ms && one.fencing_token() > 0);
    const auto own = GET(one.leader());
    CHECK(own->is_self() && own->session() == GET(one.session_id()));
    CHECK(ROW(one.stats(), state() == "leading"));

    auto observing = candidate(key, "");
    const auto observer = GET(client.election(observing.observe_only(true)));
    auto leader = GET(observer.wait_leader(30s));
    CHECK(leader->value() == "one" && leader->is_present() && !leader->is_self());
    CHECK(leader->modify_index() == one.fencing_token() && !leader->node().empty());
    (void)IS(no_change, observer.wait_elected(0ms));
    (void)IS(no_change, observer.wait_change(leader->version(), 0ms));
    OK(one.set_value("changed"));
    leader = GET(observer.wait_change(leader->version(), 30s));
    CHECK(leader->value() == "changed");

    const auto queue = GET(consul::queue::create());
    const auto two = GET(client.election(candidate(key, "two")));
    (void)IS(err_handle, two.set_queue(consul::queue()));
    OK(two.set_queue(queue, 5));
    (void)IS(pending, one.on(queue, 6).resign());
    bool won = false, resigned = false;
    while (!won || !resigned) {
        auto event = GET(queue.next(30s));
        won = won || event.type() == consul::event_type::election_won;
        if (event.tag() == 6) {
            OK(event.take<void>());
            resigned = true;
        }
    }
    CHECK(two.is_leader() && !one.is_leader());
    CHECK(two.fencing_token() > one.fencing_token());
    OK(two.unset_queue());
    OK(two.resign());
    OK(one.campaign());
    OK(one.wait_elected(30s));
    (void)IS(err_handle, consul::election().resign());
    CHECK(!consul::election().is_leader());
}

static void rings() {
    const auto ring = GET(consul::ring::create());
    CHECK(ring.node_for_key("k").empty() && ring.version() == 0);
    OK(ring.add("a"));
    OK(ring.set({"b", "a"}, {2, 3}));
    (void)IS(err_argument, ring.set({"b", "a"}, {2}));
    CHECK(ring.count() == 2 && ring.weight("a") == 3);
    const auto replicas = GET(ring.replicas_for_key("k", 9));
    CHECK(replicas.size() == 2 && std::string_view(replicas[0]) == ring.node_for_key("k"));
    CHECK(GET(ring.nodes()).size() == 2);
    OK(ring.remove("a"));
    (void)IS(not_found, ring.remove("a"));
    (void)IS(err_argument, consul::ring::create(10001));
}

static consul::cluster_spec member(const std::string &id, const std::string &prefix) {
    consul::cluster_spec spec(id, "127.0.0.1:7000");
    spec.prefix(prefix).ttl(60s).min_nodes(2).add_meta("rack", "r1").weight(2);
    spec.lock_delay(0ms).leave_after(1s).join_after(1s).outage_hold(1s).options(consul::options());
    return spec;
}

/// Waits for changes until it holds.
template <class Holds>
static void until(const consul::cluster &cluster, Holds holds) {
    for (auto seen = cluster.version(); !holds(); seen = cluster.version()) {
        OK(cluster.wait_change(seen, 30s));
    }
}

static void clusters(const consul::client &client, const std::string &prefix) {
    const auto queue = GET(consul::queue::create());
    const auto one = GET(client.join(member("one", prefix)));
    OK(one.wait_joined(30s));
    (void)IS(err_handle, one.set_queue(consul::queue()));
    OK(one.set_queue(queue, 7));
    until(one, [&] { return one.is_leader() && one.leader(); });
    CHECK(one.id() == "one" && GET(one.leader()) == "one" && !one.has_enough_nodes());
    CHECK(one.age() < std::chrono::hours(1));
    auto spec = member("two", prefix);
    spec.campaigns(false).nodes_prefix(prefix + "/nodes").leader_key(prefix + "/leader");
    const auto two = GET(client.join(spec));
    OK(two.wait_joined());
    for (bool joined = false; !joined;) {
        auto event = GET(queue.next(30s));
        if (event.type() == consul::event_type::cluster_joined) {
            const auto nodes = GET(event.take<consul::cluster_node_list>());
            CHECK(nodes[0].id() == "two" && nodes[0].weight() == 2);
            joined = true;
        }
    }
    until(one, [&] { return one.living() == 2; });
    const auto nodes = GET(one.nodes());
    CHECK(nodes.size() == 2 && nodes[0].is_leader() && nodes[0].address() == "127.0.0.1:7000");
    CHECK(GET(two.replicas_for_key("k", 9)).size() == 2);
    CHECK(!two.node_for_key("k").id().empty());
    const auto version = one.ring_version();
    OK(two.set_weight(5));
    OK(two.set_meta("rack", nullptr));
    until(one, [&] { return one.ring_version() != version; });
    OK(two.leave());
    (void)IS(err_cancelled, two.wait_joined(0s));
    OK(one.unset_queue());
    CHECK(ROW(one.stats(), state() == "joined"));
    (void)IS(pending, one.on(queue, 8).leave());
    for (bool left = false; !left;) {
        auto event = GET(queue.next(30s));
        left = event.tag() == 8;
        if (left) {
            OK(event.take<void>());
        }
    }
    (void)IS(err_handle, consul::cluster().leave());
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
        given_back(key);
        given_up(key);
        elected(client, key);
        rings();
        clusters(client, key + "/cluster");
        OK(client.kv().delete_prefix(key));
    }
    return finished();
}

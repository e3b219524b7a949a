// Misuse and lifetimes: moved from, moved onto itself, closed twice, outlived, shared by threads.

#include "support.hpp"

#include <thread>
#include <type_traits>
#include <vector>

// What borrows from something that is gone at the end of the line does not compile.
template <class T, class = void> struct arrow_works : std::false_type {};
template <class T>
struct arrow_works<T, std::void_t<decltype(std::declval<T>().operator->())>>
    : std::bool_constant<!std::is_void_v<decltype(std::declval<T>().operator->())>> {};
template <class T, class = void> struct begin_works : std::false_type {};
template <class T>
struct begin_works<T, std::void_t<decltype(std::declval<T>().begin())>> : std::true_type {};
static_assert(arrow_works<const consul::kv_entry &>::value);
static_assert(!arrow_works<consul::kv_entry>::value);
static_assert(arrow_works<consul::result<consul::kv_entry> &>::value);
static_assert(!arrow_works<consul::result<consul::kv_entry>>::value);
static_assert(begin_works<const consul::kv_list &>::value);
static_assert(!begin_works<consul::kv_list>::value);
template <class T, class = void> struct texts_work : std::false_type {};
template <class T>
struct texts_work<T, std::void_t<decltype(std::declval<T>().message())>> : std::true_type {};
template <class T, class = void> struct endpoint_works : std::false_type {};
template <class T>
struct endpoint_works<T, std::void_t<decltype(std::declval<T>().endpoint())>> : std::true_type {};
template <class T, class = void> struct what_works : std::false_type {};
template <class T>
struct what_works<T, std::void_t<decltype(std::declval<T>().what())>> : std::true_type {};
static_assert(texts_work<consul::error &>::value && texts_work<const consul::error &>::value);
static_assert(!texts_work<consul::error>::value);
static_assert(endpoint_works<const consul::error &>::value && !endpoint_works<consul::error>::value);
static_assert(what_works<consul::error &>::value && what_works<const consul::error &>::value);
static_assert(!what_works<consul::error>::value);
template <class T, class = void> struct star_works : std::false_type {};
template <class T>
struct star_works<T, std::void_t<decltype(*std::declval<T>())>> : std::true_type {};
static_assert(arrow_works<const consul::lock_guard &>::value);
static_assert(star_works<const consul::lock_guard &>::value);
static_assert(!arrow_works<consul::lock_guard>::value && !star_works<consul::lock_guard>::value);

// The error of something that is gone is a copy.
template <class T> using error_of = decltype(std::declval<T>().error());
template <class T>
constexpr bool gives_its_error = std::is_same_v<error_of<T &>, const consul::error &> &&
                                 std::is_same_v<error_of<const T &>, const consul::error &> &&
                                 std::is_same_v<error_of<T>, consul::error> &&
                                 std::is_same_v<error_of<const T>, consul::error>;
static_assert(gives_its_error<consul::result<int>> && gives_its_error<consul::result<void>>);
static_assert(gives_its_error<consul::options> && gives_its_error<consul::txn>);

// A chain that begins with something new gives the thing, not a reference to what was.
#define CHAINS(type, ...)                                                                          \
    static_assert(std::is_same_v<decltype(std::declval<consul::type>().__VA_ARGS__),               \
                                 consul::type> &&                                                  \
                  std::is_same_v<decltype(std::declval<consul::type &>().__VA_ARGS__),             \
                                 consul::type &>)
CHAINS(options, timeout(1s));
CHAINS(config, set("address", "embedded:"));
CHAINS(session_spec, ttl(60s));
CHAINS(lock_spec, value("worker-1"));
CHAINS(semaphore_spec, value("worker-1"));
CHAINS(election_spec, value("worker-1"));
CHAINS(cluster_spec, weight(2));
CHAINS(check_spec, ttl(1s));
CHAINS(service_spec, port(80));
CHAINS(kept_service_spec, ttl(1s));
CHAINS(registration, datacenter("dc1"));
CHAINS(txn, get("app/limit"));
CHAINS(watch_spec, add_tag("v1"));
CHAINS(event_filters, service("web"));

template <class T>
constexpr bool is_move_only = !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> &&
                              std::is_nothrow_move_constructible_v<T> &&
                              std::is_nothrow_move_assignable_v<T> &&
                              std::is_nothrow_destructible_v<T>;
static_assert(is_move_only<consul::client> && is_move_only<consul::config>);
static_assert(is_move_only<consul::options> && is_move_only<consul::txn>);
static_assert(is_move_only<consul::session> && is_move_only<consul::session_spec>);
static_assert(is_move_only<consul::lock> && is_move_only<consul::lock_guard>);
static_assert(is_move_only<consul::kv_list> && is_move_only<consul::kv_entry>);
static_assert(is_move_only<consul::txn_result> && is_move_only<consul::response>);
static_assert(is_move_only<consul::queue> && is_move_only<consul::event>);
static_assert(is_move_only<consul::watch> && is_move_only<consul::view>);
static_assert(is_move_only<consul::lease> && is_move_only<consul::watch_spec>);
static_assert(std::is_nothrow_copy_constructible_v<consul::error>);
#if __cplusplus >= 202002L
static_assert(std::random_access_iterator<consul::kv_list::iterator>);
static_assert(std::ranges::random_access_range<consul::view::pair_range>);
#endif

template <class T>
static void move_onto_itself(T &object) {
    T &same = object;
    object = std::move(same);
}

static void moved(const std::string &key) {
    auto client = new_client();
    auto kv = client.kv();
    auto other = std::move(client);
    OK(kv.put(key, "x")); // the same client, elsewhere
    (void)IS(err_handle, client.kv().get(key));
    (void)IS(err_handle, client.close());
    CHECK(client.endpoint().empty());
    move_onto_itself(other);
    OK(other.kv().get(key));
    client = std::move(other);
    OK(client.kv().get(key));

    auto pair = GET(client.kv().get(key));
    auto taken = std::move(pair);
    CHECK(pair->value().empty() && pair.meta().index() == 0 && taken->value() == "x");
    auto list = GET(client.kv().list(key));
    auto moved_list = std::move(list);
    CHECK(list.empty() && list.begin() == list.end() && moved_list.size() == 1);
    move_onto_itself(moved_list);
    CHECK(moved_list[0].value() == "x");

    // Options that were moved from are not the client's settings in disguise.
    consul::options settings;
    settings.index(1);
    consul::options moved_settings = std::move(settings);
    (void)IS(err_handle, client.kv().get(key, settings));
    OK(client.kv().get(key, moved_settings));
    move_onto_itself(moved_settings);
    OK(client.kv().get(key, moved_settings));
    settings = consul::options();
    OK(client.kv().get(key, settings));

    consul::txn txn;
    txn.get(key);
    consul::txn moved_txn = std::move(txn);
    txn.get(key);
    (void)IS(err_handle, client.commit(txn));
    CHECK(GET(client.commit(moved_txn)).size() == 1);

    auto guard = GET(client.hold(unique("guard"), 30s));
    auto moved_guard = std::move(guard);
    CHECK(!guard->is_held() && moved_guard->is_held());
    (void)IS(err_handle, guard->release());
    move_onto_itself(moved_guard);
    OK(moved_guard->release());
}

static void chained(const consul::client &client, const std::string &key) {
    const auto settings = consul::options().consistency("consistent").timeout(30s);
    CHECK(!settings.error().is_error());
    OK(client.kv().get(key, settings));
    OK(client.kv().get(key, consul::options().timeout(30s)));
    const auto wrong = consul::options().consistency("sometimes").timeout(30s);
    FAILS(err_config, "consistent", client.kv().get(key, wrong));
    CHECK(consul::txn().get("/").get(key).error().status() == consul::status::err_argument);
    CHECK(GET(client.commit(consul::txn().get(key))).size() == 1);
}

static void empty() {
    consul::client client;
    (void)IS(err_handle, client.kv().get("a"));
    (void)IS(err_handle, client.lock("a"));
    consul::lock lock;
    CHECK(!lock.is_held());
    (void)IS(err_handle, lock.acquire(0ms));
    (void)IS(err_handle, lock.wait_lost());
}

static void outlived(const std::string &key) {
    auto client = new_client();
    auto pair = GET(client.kv().get(key));
    auto lock = GET(client.lock(key));
    auto kv = client.kv();
    OK(client.close(30s));
    OK(client.close(30s));
    (void)IS(err_closed, kv.get(key));
    client = consul::client();
    (void)IS(err_handle, kv.get(key));
    CHECK(pair->value() == "x");
    (void)IS(err_closed, lock.acquire(0ms));
}

// The range of a loop may be made in its head, and iterators outlive the ranges of a row.
static void loops(const consul::client &client, const std::string &key) {
    std::size_t count = 0;
    for (const auto pair : GET(client.kv().list(key))) {
        count += pair.value().size();
    }
    CHECK(count == 1);
    const auto members = GET(client.agent().members());
    auto tag = members[0].tags().begin();
    CHECK(!(*tag).first.empty() && !tag->second.empty());
}

static void shared(const consul::client &client, const std::string &key) {
    consul::options settings;
    settings.timeout(30s);
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; i++) {
        threads.emplace_back([&] {
            for (int n = 0; n < 20; n++) {
                CHECK(ROW(client.kv().get(key, settings), value() == "x"));
                (void)IS(err_argument, client.kv().get("/"));
            }
        });
    }
    for (auto &thread : threads) {
        thread.join();
    }
}

int main() {
    {
        const auto key = unique("ownership");
        moved(key);
        empty();
        outlived(key);
        const auto client = new_client();
        loops(client, key);
        chained(client, key);
        shared(client, key);
        OK(client.kv().delete_(key));
    }
    return finished();
}

// Results and errors by themselves, and a library that does not fit. No Consul is asked.

#include "support.hpp"

#include <memory>
#include <sstream>
#include <type_traits>

using namespace std::string_literals;

static void values() {
    consul::result<int> good(5);
    CHECK(good && good.ok() && !good.failed() && good.value() == 5 && *good == 5);
    CHECK(*good.answer() == 5 && good.error().status() == consul::status::ok);
    *good = 6;
    CHECK(good.or_throw().value() == 6);

    consul::result<std::string> text(std::string("abc"));
    CHECK(text->size() == 3);
    // A result is taken apart by moving, too.
    consul::result<std::unique_ptr<int>> unique(std::make_unique<int>(7));
    CHECK(*std::move(unique).value() == 7);
}

static void honest_answers() {
    const consul::result<int> missing{consul::error(consul::status::not_found)};
    CHECK(!missing && !missing.failed() && missing.answer() == nullptr);
    CHECK(missing.error().name() == "CONSUL_NOT_FOUND");
    CHECK(missing.error().message() == "What was asked for does not exist.");
    CHECK(missing.error().what() == "CONSUL_NOT_FOUND: "s + std::string(missing.error().message()));
    const consul::error none;
    CHECK(none.what() == "CONSUL_OK: Done."s && none.message() == "Done.");
    CHECK(!missing.or_throw());
    const consul::result<void> held{consul::error(consul::status::held)};
    CHECK(!held.or_throw() && held.status() == consul::status::held);
    held.throw_if_failed();
    consul::result<int>(consul::error(consul::status::pending)).throw_if_failed();
}

// What an honest answer is about is told where the call says it.
static void subjects() {
    consul::config config;
    config.set("address", "embedded:");
    const auto client = GET(consul::client::create(config));
    const auto told = [](const consul::detail::outcome &result, std::string_view of) {
        const std::string what = result.error().what();
        const std::string wanted = std::string(result.error().name()) + ": " + std::string(of) + ": ";
        CHECK(what.compare(0, wanted.size(), wanted) == 0);
        CHECK(result.error().message() == what.substr(result.error().name().size() + 2));
        CHECK(!result.error().is_error() && result.error().endpoint().empty());
    };
    told(IS(not_found, client.kv().get("app/limit")), "app/limit");
    OK(client.kv().put("app/limit", "5"));
    told(IS(conflict, client.kv().cas("app/limit", "6", 0)), "app/limit");
    const std::string id = "6f3c2e4c-0000-0000-0000-000000000000";
    told(IS(not_found, client.session().info(id)), id);
    told(IS(not_found, client.agent().service("web")), "web");
    told(IS(not_found, client.agent().check_pass("web:ttl")), "web:ttl");
    told(IS(not_found, client.request("GET", "/v1/kv/nope")), "/v1/kv/nope");
    const auto guard = GET(client.hold("app/leader", 0ms));
    told(IS(held, client.hold("app/leader", 0ms)), "app/leader");
    told(IS(held, client.hold(consul::lock_spec("app/leader"), 0ms)), "app/leader");
    const auto slot = GET(client.hold(consul::semaphore_spec("app/slots", 1), 0ms));
    told(IS(held, client.hold(consul::semaphore_spec("app/slots", 1), 0ms)), "app/slots");
    // What was asked for, and no secret.
    const auto read = client.acl().token_read(id);
    CHECK(read.failed() || std::string(read.error().what()).find(id) != std::string::npos);
}

static void errors() {
    // Nobody listens at port 1.
    consul::config config = consul::config::without_environment();
    config.set("address", "http://127.0.0.1:1");
    const auto client = GET(consul::client::create(config));
    const auto failed = IS(err_connect, client.kv().get("a"));
    const consul::error error = failed.error();
    CHECK(failed.failed() && error.is_error() && error.retryable() && !error.outcome_unknown());
    CHECK(error.endpoint() == "http://127.0.0.1:1" && error.http_status() == 0);
    CHECK(error.name() == "CONSUL_ERR_CONNECT");
    CHECK(std::string(error.what()) == "CONSUL_ERR_CONNECT: " + std::string(error.message()));
    CHECK(failed.meta().index() == 0 && failed.answer() == nullptr);
    // A copy of its own: later failures leave it alone.
    (void)IS(err_argument, client.kv().get("/"));
    CHECK(error.message().find("127.0.0.1:1") != std::string_view::npos);
    const consul::error copy = error;
    CHECK(copy.what() == error.what());
}

template <class Constant> static std::string printed(Constant value) {
    std::ostringstream out;
    out << value;
    return out.str();
}

static void prints() {
    CHECK(printed(consul::status::err_timeout) == "CONSUL_ERR_TIMEOUT");
    CHECK(printed(consul::status::ok) == "CONSUL_OK");
    CHECK(printed(consul::event_type::watch_changed) == "watch_changed");
    CHECK(printed(consul::lost_reason::key_deleted) == "key_deleted");
    CHECK(printed(consul::behavior::delete_) == "delete_");
    // Of a later library.
    CHECK(printed(static_cast<consul::event_type>(4711)) == "4711");
}

static void versions() {
    using consul::detail::check_abi;
    const auto abi = [](std::uint32_t major, std::uint32_t minor) { return major << 16 | minor; };
    CHECK(!check_abi(abi(1, 2), 1, 2).is_error() && !check_abi(abi(1, 3), 1, 2).is_error());
    CHECK(check_abi(abi(1, 1), 1, 2).status() == consul::status::err_unsupported);
    const consul::error other = check_abi(abi(2, 2), 1, 2);
    CHECK(other.message().find("has ABI 2.2") != std::string_view::npos);
    CHECK(!consul::version().empty());
}

// By a preloaded library that says it is another one.
static int refused() {
    FAILS(err_unsupported, "has ABI 2.0", consul::check_library());
    FAILS(err_unsupported, "has ABI 2.0", consul::client::create());
    consul::txn txn;
    CHECK(txn.error().status() == consul::status::err_unsupported);
    consul::options settings;
    settings.index(1);
    CHECK(settings.error().status() == consul::status::err_unsupported);
    return finished();
}

int main(int count, char **) {
    if (count > 1) {
        return refused();
    }
    OK(consul::check_library());
    values();
    honest_answers();
    subjects();
    errors();
    prints();
    versions();
    return finished();
}

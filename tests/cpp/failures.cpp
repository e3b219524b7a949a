// What a failure that nobody asks about does: it is thrown; without exceptions it is printed, and
// the process ends.

#include "support.hpp"

#include <csignal>
#include <sys/wait.h>

#if CONSUL_FFI_EXCEPTIONS

template <class Function>
static consul::error thrown(Function function) {
    try {
        function();
    } catch (const std::exception &caught) {
        const auto *error = dynamic_cast<const consul::error *>(&caught);
        CHECK(error != nullptr && std::string(caught.what()) == error->what());
        return *error;
    }
    return consul::error();
}

static void failures(const consul::client &client, const std::string &key) {
    CHECK(thrown([&] { client.kv().get("/").value(); }).status() == consul::status::err_argument);
    CHECK(thrown([&] { (void)client.kv().get("/").or_throw(); }).is_error());
    CHECK(thrown([&] { (void)client.kv().put("/", "").or_throw(); }).is_error());
    const auto refused = thrown([&] { client.kv().put("/", "").value(); });
    CHECK(refused.message().size() > 0);
    // An honest answer is thrown by value() alone, and says of what.
    const auto missing = thrown([&] { client.kv().get(key).value(); });
    CHECK(missing.status() == consul::status::not_found);
    CHECK(missing.what() == "CONSUL_NOT_FOUND: " + key + ": What was asked for does not exist.");
    CHECK(thrown([&] { CHECK(!client.kv().get(key).or_throw()); }).status() == consul::status::ok);
    CHECK(thrown([&] {
              auto got = client.kv().get(key);
              (void)got->value();
          }).status() == consul::status::not_found);
    // What was made before is ended on the way out.
    CHECK(thrown([&] {
              auto guard = client.hold(key + "/lock", 30s).value();
              consul::txn txn;
              txn.get("/");
              client.commit(txn).value();
          }).is_error());
}

#else

/// In a process of its own, which must abort with the error's words.
template <class Function>
static void aborts(const char *words, Function function) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        function();
        _exit(0);
    }
    close(ends[1]);
    std::string said;
    char part[256];
    for (ssize_t n; (n = read(ends[0], part, sizeof part)) > 0;) {
        said.append(part, static_cast<std::size_t>(n));
    }
    close(ends[0]);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(said.find(words) != std::string::npos);
}

static void failures(const consul::client &, const std::string &) {
    using consul::error;
    using consul::status;
    aborts("consul: CONSUL_ERR_ARGUMENT: too much", [] {
        consul::result<int>(error(status::err_argument, "too much")).value();
    });
    aborts("CONSUL_ERR_CONFIG: oh", [] {
        (void)consul::result<void>(error(status::err_config, "oh")).or_throw();
    });
    aborts("consul: CONSUL_NOT_FOUND: What was asked for does not exist.", [] {
        consul::result<void>(error(status::not_found)).value();
    });
}

#endif

int main() {
    {
        const auto client = new_client();
        const auto key = unique("failures");
        failures(client, key);
        OK(client.close(30s));
    }
    return finished();
}

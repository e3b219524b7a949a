// Transactions: every verb, results and errors.

#include "support.hpp"

static std::uint64_t applied(const consul::client &client, const std::string &key) {
    consul::txn txn;
    txn.check_not_exists(key)
        .set(key, std::string("\0\xff", 2), UINT64_MAX)
        .cas(key + "/a", "x", 0, 7)
        .get(key)
        .get_tree(key + "/");
    CHECK(!txn.error().is_error());
    const auto result = GET(client.commit(txn));
    CHECK(result.size() == 4 && result.errors().empty() && result.meta().index() == 0);
    const auto read = result[2];
    CHECK(read.kind() == consul::txn_kind::kv && read.json().empty());
    CHECK(read.pair().value() == std::string_view("\0\xff", 2));
    CHECK(read.pair().flags() == UINT64_MAX);
    CHECK(result[3].pair().key() == key + "/a" && result[3].pair().flags() == 7);
    return read.pair().modify_index();
}

static void rolled_back(const consul::client &client, const std::string &key, std::uint64_t index) {
    consul::txn txn;
    txn.set(key + "/b", "x").check_index(key, index + 1);
    const auto result = IS(conflict, client.commit(txn));
    CHECK(!result.failed() && result.answer() != nullptr && result.answer()->empty());
    const auto errors = result.answer()->errors();
    CHECK(errors.size() == 1);
    for (const auto error : errors) {
        CHECK(error.op_index() == 1 && !error.denied());
        CHECK(error.what().find("index") != std::string_view::npos);
    }
    (void)IS(not_found, client.kv().get(key + "/b"));
}

static void locks(const consul::client &client, const std::string &key) {
    const auto id = GET(client.session().create());
    consul::txn txn;
    txn.lock(key + "/lock", "1", id, 3).check_session(key + "/lock", id).unlock(key + "/lock", "2", id);
    CHECK(GET(client.commit(txn)).size() > 0);
    // It may be committed again.
    CHECK(GET(client.commit(txn)).size() > 0);
    OK(client.session().destroy(id));
}

static void other_kinds(const consul::client &client, const std::string &node) {
    consul::txn txn;
    txn.add_json(R"({"Node": {"Verb": "set", "Node": {"Node": ")" + node +
                 R"(", "Address": "127.0.0.9"}}})");
    const auto result = GET(client.commit(txn));
    CHECK(result[0].kind() == consul::txn_kind::node && result[0].pair().key().empty());
    CHECK(result[0].json().find("127.0.0.9") != std::string_view::npos);
    OK(client.catalog().deregister_node(node));
}

static void refused(const consul::client &client) {
    consul::txn txn;
    txn.set("good", "x").set("/bad", "x").set("good too", "x");
    CHECK(txn.error().status() == consul::status::err_argument);
    // The first step that failed, and nothing was sent.
    FAILS(err_argument, "slash", client.commit(txn));
    (void)IS(not_found, client.kv().get("good"));

    consul::txn empty;
    CHECK(GET(client.commit(empty)).empty());
}

int main() {
    {
        const auto client = new_client();
        const auto key = unique("txn");
        const auto index = applied(client, key);
        rolled_back(client, key, index);
        locks(client, key);
        other_kinds(client, key);
        refused(client);
        consul::txn clean;
        clean.delete_cas(key, index).delete_(key + "/a").delete_tree(key);
        CHECK(GET(client.commit(clean)).empty());
        // Consul 1.14 has it, older ones refuse it.
        consul::txn newer;
        newer.get_or_empty(key);
        CHECK(!newer.error().is_error());
        const auto result = client.commit(newer);
        CHECK(result || result.status() == consul::status::err_unsupported);
        CHECK(result || (result.answer() != nullptr && result.answer()->errors().size() == 1));
    }
    return finished();
}

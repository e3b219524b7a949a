// Takes one from the stock and notes the order, both or neither.

#include <consul_ffi.hpp>
#include <iostream>
#include <string>

// Commits, and says what came of it.
static void commit(const consul::client &client, const consul::txn &txn, int left) {
    const auto result = client.commit(txn).or_throw();
    if (result) {
        std::cout << "ordered, " << left << " left\n";
        return;
    }
    // A conflict: nothing was done, and the answer says why.
    for (const auto error : result.answer()->errors()) {
        std::cout << "rolled back by operation " << error.op_index() + 1 << ": " << error.what()
                  << '\n';
    }
}

int main() try {
    const auto client = consul::client::create().value();
    client.kv().put("shop/stock", "10").value();

    const auto stock = client.kv().get("shop/stock").value();
    const int left = std::stoi(std::string(stock->value())) - 1;

    // Only if nobody changed the stock since it was read.
    consul::txn txn;
    txn.cas("shop/stock", std::to_string(left), stock->modify_index()).set("shop/order", "one");
    commit(client, txn, left);
    // Once more: the stock has changed by now. A real program reads it and tries again.
    commit(client, txn, left);

    client.kv().delete_prefix("shop/").value();
} catch (const consul::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}

"""Takes one from the stock and notes the order, both or neither."""

import consul_ffi


def commit(txn: consul_ffi.Txn, left: int) -> None:
    """Commits, and says what came of it."""
    try:
        txn.commit()
        print(f"ordered, {left} left")
    except consul_ffi.RolledBack as error:
        # Nothing was done, and the error says why. Operations count from 0.
        for reason in error.errors:
            print(f"rolled back by operation {reason.operation + 1}: {reason.what}")


with consul_ffi.Client() as client:
    client.kv.put("shop/stock", "10")

    stock = client.kv.get("shop/stock")
    assert stock is not None
    left = int(stock.value) - 1

    # Only if nobody changed the stock since it was read.
    txn = client.txn().cas("shop/stock", str(left), stock.modify_index).set("shop/order", "one")
    commit(txn, left)
    # Once more: the stock has changed by now. A real program reads it and tries again.
    commit(txn, left)

    client.kv.delete_prefix("shop/")

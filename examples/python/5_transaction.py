"""Changes two keys together or not at all."""

import consul_ffi


def transfer(client: consul_ffi.Client, amount: int) -> bool:
    """Moves an amount between two accounts, if nobody changes them meanwhile."""
    source, target = client.kv.get("accounts/anna"), client.kv.get("accounts/ben")
    if source is None or target is None or int(source.value) < amount:
        return False
    txn = client.txn()
    txn.cas(source.key, str(int(source.value) - amount), source.modify_index)
    txn.cas(target.key, str(int(target.value) + amount), target.modify_index)
    try:
        txn.commit()
    except consul_ffi.RolledBack as error:
        print("nothing was changed:", error)
        return False
    return True


with consul_ffi.Client() as client:
    client.kv.put("accounts/anna", "100")
    client.kv.put("accounts/ben", "0")

    print("transferred" if transfer(client, 30) else "not transferred")
    for account in client.kv.list("accounts/"):
        print(account.key, account.text)

    # A key that exists already: the whole transaction is rolled back.
    try:
        client.txn().delete("accounts/ben").check_not_exists("accounts/anna").commit()
    except consul_ffi.RolledBack as rolled_back:
        for problem in rolled_back.errors:
            print(f"operation {problem.operation}: {problem.what}")
    print("ben still has", client.kv.get("accounts/ben").text)  # type: ignore[union-attr]

    client.kv.delete_prefix("accounts/")

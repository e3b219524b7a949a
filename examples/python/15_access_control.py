"""Gives a program a token that may do what it needs and nothing else, where all else is denied.

CONSUL_HTTP_TOKEN is a token that may change tokens, for example that of `client.acl.bootstrap()`.
"""

import consul_ffi

# A resource and its name, or a prefix of names: without `_prefix` a rule is about one key alone.
RULES = """
key_prefix "stock-tsdb/" { policy = "write" }
key_prefix "metadata/"   { policy = "write" }
key_prefix "locks/"      { policy = "write" }
key_prefix "cluster/"    { policy = "write" } # where the programs find each other
session_prefix ""        { policy = "write" }
service_prefix "stock-"  { policy = "write" }
service_prefix ""        { policy = "read" }
node_prefix ""           { policy = "read" }
agent_prefix ""          { policy = "read" }
"""

with consul_ffi.Client() as admin:
    policy = admin.acl.policy_create({"Name": "stock-tsdb", "Rules": RULES})
    token = admin.acl.token_create(
        {"Description": "the stock programs", "Policies": [{"Name": "stock-tsdb"}]}
    )
    print("token:", token["Policies"][0]["Name"])

    with consul_ffi.Client(token=token["SecretID"]) as program:
        for prefix in ("stock-tsdb/", "metadata/", "locks/", "cluster/"):
            program.kv.put(prefix + "example", "1")
            program.kv.delete(prefix + "example")
        print("keys: written")

        session = program.session.create(consul_ffi.SessionSpec(name="stock"))
        program.session.destroy(session)
        print("session: created")

        program.agent.service_register(consul_ffi.ServiceSpec("stock-reader"))
        program.agent.service_deregister("stock-reader")
        print("service: registered")

        print("nodes:", len(program.catalog.nodes()))

        try:
            program.kv.put("others/example", "1")
            print("another's key: written")
        except consul_ffi.Denied:
            print("another's key: denied")

    admin.acl.token_delete(token["AccessorID"])
    admin.acl.policy_delete(policy["ID"])

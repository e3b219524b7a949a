"""How the cluster is: who leads, how each server is, and what this client has seen of its addresses."""

import consul_ffi

HEALTH = {None: "unknown", True: "healthy", False: "not healthy"}

with consul_ffi.Client() as client:
    # It comes also while there is no leader, or where the token may not ask for all of it.
    report = client.operator.cluster_report()

print("leader:", report["leader"] or "none")
for server in report["servers"]:
    role = "leads" if server["leader"] else "votes" if server["voter"] else "follows"
    print(f"server {server['node']} at {server['address']}: {role}, {HEALTH[server['healthy']]}")
for endpoint in report["endpoints"]:
    error = f", {endpoint['error']}" if endpoint["error"] else ""
    print(f"endpoint {endpoint['address']}: {endpoint['state']}{error}")
for missing in report["missing"]:
    print(f"no {missing['part']}: {missing['reason']}")

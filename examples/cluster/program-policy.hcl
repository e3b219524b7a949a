# What a program may do. A key, a session or a service by the name alone, without `_prefix`, would be
# that one name and nothing below it.
key_prefix "stock-tsdb/" { policy = "write" }
key_prefix "chaos/" { policy = "write" }
# Locks and elections need sessions.
session_prefix "" { policy = "write" }
service_prefix "ticks" { policy = "write" }
# To find instances, and the nodes that they run on.
service_prefix "" { policy = "read" }
node_prefix "" { policy = "read" }
# To register a service with the agent that answers.
agent_prefix "" { policy = "read" }

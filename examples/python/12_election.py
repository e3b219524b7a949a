"""Of all processes one leads, and everybody knows which: start it on several machines."""

import sys

import consul_ffi

with consul_ffi.Client() as client:
    # Who only wants to know observes, without campaigning.
    with client.election("app/election", observe_only=True) as observer:
        changes = iter(observer)

        def show(leader: consul_ffi.Leadership) -> None:
            print(f"the leader is {leader.value.decode()}" if leader.value else "nobody leads")

        show(next(changes))

        # A candidate campaigns in the background until it resigns, also while Consul is away.
        with client.election("app/election", value="node-1") as candidate:
            if not candidate.wait_elected(30_000):
                sys.exit("somebody else leads")

            # A store that refuses lower tokens than it has seen is safe from a leader that was too
            # slow.
            print("leading, fencing token", candidate.fencing_token)

            # Work goes here. A long one asks candidate.is_leader between its steps.
            show(next(changes))

            candidate.resign()  # another candidate leads at once
            show(next(changes))

// Of all processes one leads, and everybody knows which: start it on several machines.

#include <consul_ffi.hpp>
#include <iostream>

using namespace std::chrono_literals;

// Shows what has changed, and gives its version.
static std::uint64_t show_change(const consul::election &observer, std::uint64_t version) {
    const auto leader = observer.wait_change(version, 30s).value();
    if (leader->is_present())
        std::cout << "the leader is " << leader->value() << '\n';
    else
        std::cout << "nobody leads\n";
    return leader->version();
}

int main() try {
    const auto client = consul::client::create().value();

    // Who only wants to know observes, without campaigning.
    consul::election_spec observing("app/election");
    observing.observe_only(true);
    const auto observer = client.election(observing).value();
    std::uint64_t version = show_change(observer, 0);

    // A candidate campaigns in the background until it resigns, also while Consul is away.
    consul::election_spec spec("app/election");
    spec.value("node-1");
    const auto candidate = client.election(spec).value();
    if (!candidate.wait_elected(30s)) {
        std::cout << "somebody else leads\n";
        return 1;
    }

    // A store that refuses lower tokens than it has seen is safe from a leader that was too slow.
    std::cout << "leading, fencing token " << candidate.fencing_token() << '\n';

    // Work goes here. A long one asks candidate.is_leader() between its steps.
    version = show_change(observer, version);

    // Another candidate leads at once.
    candidate.resign().value();
    show_change(observer, version);
    client.close().value();
} catch (const consul::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}

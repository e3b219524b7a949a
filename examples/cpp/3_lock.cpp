// One process at a time does the work, however many run: start it twice.

#include <consul_ffi.hpp>
#include <iostream>
#include <thread>

using namespace std::chrono_literals;

int main() try {
    const auto client = consul::client::create().value();
    consul::lock_spec spec("app/leader");
    spec.value("worker");

    // Held until the guard's end, whatever ends it.
    const auto guard = client.hold(spec, 30s).or_throw();
    if (!guard) {
        std::cout << "somebody else leads\n";
        return 1;
    }

    // A store that refuses lower tokens than it has seen is safe from a holder that was too slow.
    std::cout << "leading, fencing token " << guard->fencing_token() << std::endl;

    // Work goes here. A long one asks guard->is_held() between its steps.
    std::this_thread::sleep_for(200ms);

    // Written only while the lock is held, whatever this process believes.
    guard->put("app/last-leader", "worker").value();
    std::cout << "done" << std::endl;

    // The guard's end would do it, too; this says whether it worked.
    guard->release().value();
    client.close().value();
} catch (const consul::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}

// Two processes at a time do the work, however many run: start it three times.

#include <consul_ffi.hpp>
#include <iostream>
#include <thread>

using namespace std::chrono_literals;

int main() try {
    const auto client = consul::client::create().value();

    // Held until the guard's end, whatever ends it.
    const auto slot = client.hold(consul::semaphore_spec("app/imports", 2), 30s).or_throw();
    if (!slot) {
        std::cout << "two others are at it\n";
        return 1;
    }
    std::cout << "one of two" << std::endl;

    // Work goes here. A long one asks slot->is_held() between its steps.
    std::this_thread::sleep_for(200ms);
    std::cout << "done" << std::endl;

    // The guard's end would do it, too; this says whether it worked.
    slot->release().value();
    client.close().value();
} catch (const consul::error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}

// A program of two halves: without exceptions, which the linker sees first, and with them. Each has
// its own `value()`, or this one would end the process.

#include <consul_ffi.hpp>

bool plain_is_ok();

int main() {
    const consul::result<int> missing{consul::error(consul::status::not_found)};
    try {
        (void)missing.value();
    } catch (const consul::error &error) {
        return error.status() == consul::status::not_found && plain_is_ok() ? 0 : 1;
    }
    return 1;
}

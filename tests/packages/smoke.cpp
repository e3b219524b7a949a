// The installed headers from C++.

#include <consul_ffi.h>
#include <iostream>
#include <string>

int main() {
    if (std::string(consul_version()) != CONSUL_VERSION)
        return 1;
    std::cout << "C++ " << consul_version() << "\n";
}

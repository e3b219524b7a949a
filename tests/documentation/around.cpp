// What the parts of C++ take for granted.
#include <consul_ffi.hpp>
#include <iostream>

static consul::client client;
static consul::election election;

static void work(std::uint64_t) {}
template <class T> static void show(const T &) {}
static void connect_to(std::string_view, int) {}
static void import() {}

static void begin() { client = consul::client::create().value(); }
static void end() { client = consul::client(); }

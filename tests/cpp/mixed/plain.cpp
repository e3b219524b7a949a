// The half without exceptions.

#include <consul_ffi.hpp>

bool plain_is_ok() {
    const consul::result<int> one(1);
    return one.value() == 1 && one.or_throw().ok();
}

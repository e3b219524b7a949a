/* Preloaded, it makes the library one of another ABI. */

#include <stdint.h>

uint32_t consul_abi_version(void)
{
    return (uint32_t)2 << 16;
}

# What carries a version, for the scripts beside this file, which run in the project's folder:
# . deploy/versions.sh
# shellcheck shell=sh disable=SC2034     # used where it is read in

# The package's version is that of Cargo.toml; the header, which is generated, has both it and the
# ABI's.
header_number() { sed -n "s/^#define CONSUL_$1 //p" include/consul_ffi.h; }

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
abi_major=$(header_number ABI_MAJOR)
soname=libconsul_ffi.so.$abi_major
# Two of one ABI never share the name, so ldconfig takes the newer: a release that adds to the ABI
# raises the second number, one that only mends raises the third.
shared_library=$soname.$(header_number ABI_MINOR).$(header_number VERSION_PATCH)

# Seconds since 1970 that go into archives in place of the time of the build: the last commit's.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.toml)}
export SOURCE_DATE_EPOCH

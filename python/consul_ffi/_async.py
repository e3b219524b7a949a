"""Where the end of a call arrives."""

from ctypes import Structure, c_uint64, c_void_p


class Async(Structure):
    """`consul_async`: where the end of a call arrives, and under which tag."""

    _fields_ = [("queue", c_void_p), ("tag", c_uint64)]

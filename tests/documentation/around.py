"""What the parts of Python take for granted."""

import consul_ffi
from consul_ffi import Ring, SessionSpec

client = consul_ffi.Client()
key = "A" * 43 + "="
batches = [1, 2]
work = load = print



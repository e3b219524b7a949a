"""The native library: found, checked for its version, its functions bound."""

from __future__ import annotations

import ctypes
from pathlib import Path

from . import _search
from ._abi import CONSUL_ABI_MAJOR, CONSUL_ABI_MINOR, SIGNATURES, Functions


def _misfit(library: ctypes.CDLL) -> str | None:
    """What is wrong with a library, None when it fits."""
    try:
        version_of = library.consul_abi_version
    except AttributeError:
        return "is no libconsul_ffi: it has no consul_abi_version"
    version_of.restype, version_of.argtypes = SIGNATURES["consul_abi_version"]
    major, minor = divmod(version_of(), 0x10000)
    if major == CONSUL_ABI_MAJOR and minor >= CONSUL_ABI_MINOR:
        return None
    return (
        f"has ABI {major}.{minor}, this package needs "
        f"{CONSUL_ABI_MAJOR}.{CONSUL_ABI_MINOR} or a later {CONSUL_ABI_MAJOR}.x"
    )


def find(places: list[str]) -> str:
    """The first place with a library that fits; ImportError tells what is wrong with each."""
    tried = []
    for place in places:
        try:
            problem = _misfit(ctypes.CDLL(place))
        except OSError as error:
            problem = str(error)
        if problem is None:
            return place
        # The system's loader begins its messages with the path.
        tried.append(problem if problem.startswith(place) else f"{place}: {problem}")
    raise ImportError("libconsul_ffi could not be loaded; tried\n  " + "\n  ".join(tried))


#: Functions that return an `int32_t` and only look at memory, or move it.
LOOKING = frozenset(
    name
    for name in SIGNATURES
    if name.startswith("consul_event_take_")
    or name
    in (
        "consul_event_result_type",
        "consul_event_status",
        "consul_event_type",
        "consul_lock_lost_reason",
        "consul_queue_fd",
        # With the GIL, no other thread is within one of these when the process forks.
        "consul_view_refresh",
        "consul_view_state",
    )
)


def keeps_gil(name: str) -> bool:
    """Whether a function may not wait for anything."""
    return name in LOOKING or SIGNATURES[name][0] not in (None, ctypes.c_int32)


def bind(place: str) -> Functions:
    """Every function of the library, with its signature.

    What returns a value instead of a status only looks at memory, as `LOOKING` does, so it keeps
    the GIL: giving it up and taking it back for each row of an answer costs more than the call.
    """
    waiting, looking = ctypes.CDLL(place), ctypes.PyDLL(place)
    functions = Functions()
    for name, (restype, argtypes) in SIGNATURES.items():
        library = looking if keeps_gil(name) else waiting
        function = getattr(library, name)
        function.restype, function.argtypes = restype, argtypes
        setattr(functions, name, function)
    return functions


#: The file that is in use.
PATH = find(_search.places(Path(__file__).resolve().parent))
lib = bind(PATH)

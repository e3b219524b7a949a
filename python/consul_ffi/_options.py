"""The options of a call as the library's `consul_options`."""

from __future__ import annotations

from contextlib import contextmanager
from ctypes import byref, c_void_p
from typing import Any, Callable, Collection, Iterable, Iterator, Mapping

from . import _convert, _settings
from ._library import lib
from ._outcome import check

_CONVERT: dict[type, Callable[[Any, str], Any]] = {
    str: _convert.text,
    int: _convert.uint64,
    bool: _convert.flag,
}

#: By its name, how an option is taken, and the library's function that sets it.
_SETTERS = {
    name: (_CONVERT[kind], getattr(lib, f"consul_options_set_{name}"))
    for name, kind in _settings.OPTION_TYPES.items()
}


#: The options of a call.
OF_CALL = frozenset([*_SETTERS, "node_meta"])
#: Those of what calls again and again: in whose name, and where.
OF_LOCK = frozenset(_settings.LockOptions.__annotations__)


def _set(handle: int | None, name: str, value: Any) -> None:
    if name == "node_meta":
        for key, each in _convert.pairs(value, name):
            arguments = _convert.text(key, f"a key of {name}"), _convert.text(each, f"{name}[{key!r}]")
            check(lib.consul_options_add_node_meta(handle, *arguments))
        return
    convert, setter = _SETTERS[name]
    check(setter(handle, convert(value, name)))


def require(options: Iterable[str], allowed: Collection[str]) -> None:
    """Raises where one of the options is none of those that are allowed."""
    for name in options:
        if name not in allowed:
            raise TypeError(f"unknown option {name!r}; allowed are {', '.join(sorted(allowed))}")


@contextmanager
def opened(
    options: Mapping[str, Any], allowed: Collection[str] = OF_CALL
) -> Iterator[int | None]:
    """The library's options, None where there are none; ended with the block."""
    if not options:
        yield None
        return
    require(options, allowed)
    out = c_void_p()
    check(lib.consul_options_new(byref(out)))
    try:
        for name, value in options.items():
            if value is not None:
                _set(out.value, name, value)
        yield out.value
    finally:
        lib.consul_options_free(out)

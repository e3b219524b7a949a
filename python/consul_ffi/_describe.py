"""Descriptions (`specs.py`) as objects of the library.

A kind of description has a setter for each field, called as `setter(handle, value, place)` for what
is not None; `place` names the field in errors.
"""

from __future__ import annotations

from contextlib import contextmanager
from ctypes import byref, c_char_p, c_void_p
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence

from . import _convert, _outcome
from ._abi import CONSUL_ERR_ARGUMENT as _ARGUMENT
from ._outcome import check

Setter = Callable[[Any, Any, str], None]
Function = Callable[..., int]


class Kind:
    """A kind of description. `new` makes the library's object from those of `first` and an
    `out`."""

    def __init__(
        self,
        name: str,
        cls: type,
        new: Function,
        free: Callable[..., None],
        setters: Mapping[str, Setter],
        first: Sequence[str] = (),
        kinds: Sequence[str] = (),
    ) -> None:
        self._name, self._new, self._free = name, new, free
        self._setters, self._first = setters, first
        #: What describes one.
        self.cls = cls
        # It has one of these fields.
        self._kinds = kinds

    @contextmanager
    def opened(self, description: Any, place: Optional[str] = None) -> Iterator[c_void_p]:
        """The library's object for a description, ended with the block."""
        name, out = place or self._name, c_void_p()
        if not isinstance(description, self.cls):
            raise _convert.wrong(description, name, f"a {self.cls.__name__}")
        first = [
            _convert.optional_text(getattr(description, field), f"{name}.{field}")
            for field in self._first
        ]
        check(self._new(*first, byref(out)))
        try:
            for field, setter in self._setters.items():
                value = getattr(description, field)
                if value is not None:
                    setter(out, value, f"{name}.{field}")
            self._require_kind(description, name)
            yield out
        finally:
            self._free(out)

    def _require_kind(self, description: Any, name: str) -> None:
        if self._kinds and all(getattr(description, kind) is None for kind in self._kinds):
            kinds = ", ".join(self._kinds)
            raise _outcome.new(_ARGUMENT, f"{name} has no kind, it takes exactly one of {kinds}")


def _simple(convert: Callable[[Any, str], Any]) -> Callable[[Function], Setter]:
    def kind(function: Function) -> Setter:
        return lambda handle, value, place: check(function(handle, convert(value, place)))

    return kind


text = _simple(_convert.text)
file_name = _simple(_convert.file_name)
uint64 = _simple(_convert.uint64)
uint32 = _simple(_convert.uint32)
flag = _simple(_convert.flag)
json = _simple(_convert.json_text)


def data(function: Function) -> Setter:
    """A setter for bytes."""

    def setter(handle: Any, value: Any, place: str) -> None:
        content = _convert.data(value, place)
        check(function(handle, content, len(content)))

    return setter


def choice(function: Function, numbers: Mapping[str, int]) -> Setter:
    """A setter for one of some words, which are numbers to the library."""

    def setter(handle: Any, value: Any, place: str) -> None:
        if not isinstance(value, str) or value not in numbers:
            allowed = " or ".join(map(repr, numbers))
            raise _outcome.new(_ARGUMENT, f"{place} must be {allowed}, not {value!r}")
        check(function(handle, numbers[value]))

    return setter


def string_array(values: Sequence[str], place: str) -> Any:
    """A list of texts as C has it."""
    texts = enumerate(_convert.elements(values, place))
    encoded = [_convert.text(value, f"{place}[{n}]") for n, value in texts]
    return (c_char_p * len(encoded))(*encoded)


def string_list(function: Function) -> Setter:
    """A setter for a whole list of texts."""

    def setter(handle: Any, value: Any, place: str) -> None:
        array = string_array(value, place)
        check(function(handle, array, len(array)))

    return setter


def each(setter: Setter, of: str = "texts") -> Setter:
    """A setter for a list, by the setter of one of its elements."""

    def setter_of_all(handle: Any, value: Any, place: str) -> None:
        for number, element in enumerate(_convert.elements(value, place, of)):
            setter(handle, element, f"{place}[{number}]")

    return setter_of_all


def mapping(function: Function) -> Setter:
    """A setter for texts by their names."""

    def setter(handle: Any, value: Any, place: str) -> None:
        for name, one in _convert.pairs(value, place):
            key = _convert.text(name, f"a name in {place}")
            check(function(handle, key, _convert.text(one, f"{place}[{name!r}]")))

    return setter


def lists(function: Function) -> Setter:
    """A setter for texts by their names, of which each may have several."""

    def setter(handle: Any, value: Any, place: str) -> None:
        for name, texts in _convert.pairs(value, place):
            key, where = _convert.text(name, f"a name in {place}"), f"{place}[{name!r}]"
            for one in [texts] if isinstance(texts, str) else _convert.elements(texts, where):
                check(function(handle, key, _convert.text(one, where)))

    return setter


def nested(kind: Kind, function: Function) -> Setter:
    """A setter for a description within a description."""

    def setter(handle: Any, value: Any, place: str) -> None:
        with kind.opened(value, place) as inner:
            check(function(handle, inner))

    return setter

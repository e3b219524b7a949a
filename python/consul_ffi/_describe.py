"""Descriptions (`specs.py`) as objects of the library.

A kind of description has a setter for each field, called as `setter(handle, value, place)` for what
is not None; `place` names the field in errors.
"""

from __future__ import annotations

from contextlib import contextmanager
from ctypes import byref, c_char_p, c_void_p
from dataclasses import is_dataclass
from typing import Any, Callable, Iterator, Mapping, Sequence

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
        new: Function,
        free: Callable[..., None],
        setters: Mapping[str, Setter],
        first: Sequence[str] = (),
    ) -> None:
        self._name, self._new, self._free = name, new, free
        self._setters, self._first = setters, first

    @contextmanager
    def opened(self, description: Any) -> Iterator[c_void_p]:
        """The library's object for a description, ended with the block."""
        name, out = self._name, c_void_p()
        if not is_dataclass(description) or not hasattr(description, next(iter(self._setters))):
            given = type(description).__name__
            raise TypeError(f"{name} must be a description of one, not {given}")
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
            yield out
        finally:
            self._free(out)


def _simple(convert: Callable[[Any, str], Any]) -> Callable[[Function], Setter]:
    def kind(function: Function) -> Setter:
        return lambda handle, value, place: check(function(handle, convert(value, place)))

    return kind


text = _simple(_convert.text)
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
        if value not in numbers:
            allowed = " or ".join(map(repr, numbers))
            raise _outcome.new(_ARGUMENT, f"{place} must be {allowed}, not {value!r}")
        check(function(handle, numbers[value]))

    return setter


def string_array(values: Sequence[str], place: str) -> Any:
    """A list of texts as C has it. A lone text is refused: it is a list of letters to Python."""
    if isinstance(values, str):
        raise TypeError(f"{place} must be a list of texts, not one text")
    encoded = [_convert.text(value, f"{place}[{n}]") for n, value in enumerate(values)]
    return (c_char_p * len(encoded))(*encoded)


def string_list(function: Function) -> Setter:
    """A setter for a whole list of texts."""

    def setter(handle: Any, value: Any, place: str) -> None:
        array = string_array(value, place)
        check(function(handle, array, len(array)))

    return setter


def each(setter: Setter) -> Setter:
    """A setter for a list, by the setter of one of its elements."""

    def setter_of_all(handle: Any, value: Any, place: str) -> None:
        if isinstance(value, str):
            raise TypeError(f"{place} must be a list, not a text")
        for number, element in enumerate(value):
            setter(handle, element, f"{place}[{number}]")

    return setter_of_all


def mapping(function: Function) -> Setter:
    """A setter for texts by their names; a name may have a list of them."""

    def setter(handle: Any, value: Any, place: str) -> None:
        for name, texts in value.items():
            key, where = _convert.text(name, f"a name in {place}"), f"{place}[{name!r}]"
            for one in [texts] if isinstance(texts, str) else texts:
                check(function(handle, key, _convert.text(one, where)))

    return setter


def nested(kind: Kind, function: Function) -> Setter:
    """A setter for a description within a description."""

    def setter(handle: Any, value: Any, place: str) -> None:
        with kind.opened(value) as inner:
            check(function(handle, inner))

    return setter

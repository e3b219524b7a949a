"""From settings to a native client."""

from __future__ import annotations

import os
from contextlib import contextmanager
from ctypes import byref, c_void_p
from typing import Any, Iterator, Mapping, Sequence

from . import _abi, _convert
from ._answers import take_text
from ._core import Native
from ._background import sweep
from ._library import lib
from ._outcome import check, new
from ._settings import SETTING_TYPES


def connect(environment: bool, settings: Mapping[str, Any]) -> Native:
    """Makes a client, which opens no connection."""
    sweep()
    with _config(environment, settings) as config:
        out = c_void_p()
        check(lib.consul_client_new(config, byref(out)))
        return Native(out.value, _number(config, b"timeout_ms"), _number(config, b"wait_ms"))


def reload(native: Native, environment: bool, settings: Mapping[str, Any]) -> None:
    """Has a client take these settings from now on."""
    with _config(environment, settings) as config:
        native.check(lib.consul_client_reload(native.handle.value, config))
        native.timeout_ms = _number(config, b"timeout_ms")
        native.wait_ms = _number(config, b"wait_ms")


def set_token(native: Native, token: str | None) -> None:
    """Has a client take this token from now on, None for the one that was configured."""
    text = None if token is None else _convert.text(token, "token")
    native.check(lib.consul_client_set_token(native.handle.value, text))


@contextmanager
def _config(environment: bool, settings: Mapping[str, Any]) -> Iterator[c_void_p]:
    make = lib.consul_config_new if environment else lib.consul_config_new_without_environment
    config = c_void_p()
    check(make(byref(config)))
    try:
        for name, value in settings.items():
            if value is not None:
                check(lib.consul_config_set(config, *_setting(name, value)))
        yield config
    finally:
        lib.consul_config_free(config)


def _setting(name: str, value: object) -> tuple[bytes, bytes]:
    """The name and the value of a setting as the library takes them."""
    text = _text_of(name, value)
    return _convert.text(name, "the name of a setting"), _convert.text(text, name)


#: What settings take, by what the table of settings says.
_ALLOWED = {
    str: "a str",
    int: "an int",
    bool: "a bool",
    list: "a str or a list of them",
    os.PathLike: "a str or a path",
}


def _text_of(name: str, value: Any) -> str:
    kind = SETTING_TYPES.get(name)
    # The library says that it does not know the name.
    if isinstance(value, str) or kind is None:
        return str(value)
    # A bool is an int to Python, and a tuple does for a list.
    if isinstance(value, bool) and kind is bool:
        return str(value).lower()
    if isinstance(value, int) and not isinstance(value, bool) and kind is int:
        return str(value)
    if isinstance(value, (list, tuple)) and kind is list:
        return _joined(name, value)
    if isinstance(value, os.PathLike) and kind is os.PathLike:
        path: str = os.fspath(value)
        return path
    raise _convert.wrong(value, name, _ALLOWED[kind])


def _joined(name: str, values: Sequence[object]) -> str:
    """Several texts as the one that the library takes."""
    if not values:
        raise new(_abi.CONSUL_ERR_CONFIG, f"{name} is an empty list: leave it out for its default")
    texts = []
    for place, value in enumerate(values):
        if not isinstance(value, str):
            raise _convert.wrong(value, f"{name}[{place}]", "a str")
        if not value or "," in value:
            what = "has a comma" if value else "is empty"
            raise new(_abi.CONSUL_ERR_CONFIG, f"{name}[{place}] {what}")
        texts.append(value)
    return ",".join(texts)


def _number(config: c_void_p, name: bytes) -> int:
    out = c_void_p()
    check(lib.consul_config_get(config, name, byref(out)))
    return int(take_text(0, out.value))

"""Any endpoint of Consul's HTTP API: `client.request(method, path)`."""

from __future__ import annotations

from typing import Any, Iterator, Mapping, Optional, Sequence, Union
from urllib.parse import quote

from . import _rows
from ._convert import data, json_text, optional_text, pairs, text, wrong
from ._core import Core
from ._library import lib
from ._memory import MEMORY, c_text
from .results import Response

#: A parameter: a text, a number, True for one without a value, False or None for none, or several.
Parameter = Union[str, int, bool, None, Sequence[Union[str, int]]]


def _parameters(query: Mapping[str, Parameter]) -> Iterator[str]:
    for name, value in pairs(query, "query", "values"):
        key, place = quote(text(name, "a name in query"), safe=""), f"query[{name!r}]"
        if isinstance(value, (list, tuple)):
            for number, each in enumerate(value):
                yield from _parameter(key, each, f"{place}[{number}]", _ONE)
        else:
            yield from _parameter(key, value, place, f"{_ONE}, or a list of them")


#: What a parameter is.
_ONE = "a str, an int, a bool or None"


def _parameter(key: str, value: object, place: str, allowed: str) -> Iterator[str]:
    if value is True:
        yield key
    elif isinstance(value, (str, int)) and value is not False:
        yield f"{key}={quote(str(value), safe='')}"
    elif value is not None and value is not False:
        raise wrong(value, place, allowed)


def _target(path: str, query: Optional[Mapping[str, Parameter]]) -> str:
    parameters = "&".join(_parameters({} if query is None else query))
    if not parameters:
        return path
    return f"{path}{'&' if '?' in path else '?'}{parameters}"


def _body(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, (str, bytes, bytearray, memoryview)):
        return data(body, "body")
    return json_text(body, "body")


def send(
    core: Core,
    method: str,
    path: str,
    body: Any,
    query: Optional[Mapping[str, Parameter]],
    content_type: Optional[str],
    options: Mapping[str, Any],
) -> Response:
    """Sends a request, and reads its answer."""
    content = _body(body)
    first = text(method, "method"), text(_target(path, query), "path")
    arguments = *first, content, len(content), optional_text(content_type, "content_type")
    return core.ask(_take, lib.consul_request, options, *arguments)


def _take(_status: int, handle: Optional[int]) -> Response:
    try:
        start, length = lib.consul_response_body(handle), lib.consul_response_body_len(handle)
        return Response(
            status=lib.consul_response_http_status(handle),
            body=MEMORY[start : (start or 0) + length],
            content_type=c_text(lib.consul_response_content_type(handle)),
            meta=_rows.meta(lib.consul_response_meta(handle)),
        )
    finally:
        lib.consul_response_free(handle)

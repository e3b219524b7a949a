"""Any endpoint of Consul's HTTP API: `client.request(method, path)`."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence, Union
from urllib.parse import quote

from . import _rows
from ._convert import data, json_text, optional_text, text
from ._core import Core
from ._library import lib
from ._memory import MEMORY, c_text
from .results import Response

#: A parameter: a text, a number, True for one without a value, False or None for none, or several.
Parameter = Union[str, int, bool, None, Sequence[Union[str, int]]]


def _parameters(query: Mapping[str, Parameter]) -> list[str]:
    parts = []
    for name, value in query.items():
        one = isinstance(value, str) or not isinstance(value, Sequence)
        values: list[object] = [value] if one else list(value)  # type: ignore[arg-type]
        for each in values:
            if each is True:
                parts.append(quote(name, safe=""))
            elif each is not None and each is not False:
                parts.append(f"{quote(name, safe='')}={quote(str(each), safe='')}")
    return parts


def _target(path: str, query: Optional[Mapping[str, Parameter]]) -> str:
    text = "&".join(_parameters(query or {}))
    if not text:
        return path
    return f"{path}{'&' if '?' in path else '?'}{text}"


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

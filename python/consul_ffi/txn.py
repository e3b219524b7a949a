"""Transactions: `client.txn()`.

    client.txn().check_not_exists("app/owner").set("app/owner", "me").commit()

Operations are applied together or not at all, in the order in which they are added. What cannot be
is refused when it is added, and adds nothing.
"""

from __future__ import annotations

import json
from ctypes import byref, c_void_p
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from . import _abi, _rows, _outcome
from ._convert import Value, data, json_text, text, uint64
from ._core import Core, Handle
from ._error import ConsulError
from ._library import lib
from ._memory import text as read_text
from ._outcome import check
from .errors import Conflict
from .kept_session import AnySession, session_id
from .results import Pair, Rows, TxnError, TxnObject

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from ._settings import CallOptions

#: What an operation gives: a key, or what else it was about.
TxnRow = Union[Pair, TxnObject]

_KINDS = {
    _abi.CONSUL_TXN_NODE: "node",
    _abi.CONSUL_TXN_SERVICE: "service",
    _abi.CONSUL_TXN_CHECK: "check",
}


class RolledBack(Conflict):
    """A transaction was rolled back, for what it found: nothing of it was applied. `errors` has which
    operations failed, and why."""


class Txn:
    """A transaction that is being put together. It may be committed again."""

    def __init__(self, core: Core) -> None:
        self._core = core
        out = c_void_p()
        check(lib.consul_txn_new(byref(out)))
        self._handle = Handle(out.value, lib.consul_txn_free)

    def _add(self, function: Callable[..., int], key: str, *arguments: Any) -> Self:
        check(function(self._handle.value, text(key, "key"), *arguments))
        return self

    def set(self, key: str, value: Value, flags: int = 0) -> Self:
        """Writes a key; its flags become these."""
        content = data(value)
        return self._add(lib.consul_txn_set, key, content, len(content), uint64(flags, "flags"))

    def cas(self, key: str, value: Value, modify_index: int, flags: int = 0) -> Self:
        """Writes a key if its modify index is still this one; 0 means "if it does not exist"."""
        content = data(value)
        numbers = uint64(flags, "flags"), uint64(modify_index, "modify_index")
        return self._add(lib.consul_txn_cas, key, content, len(content), *numbers)

    def lock(self, key: str, value: Value, session: AnySession, flags: int = 0) -> Self:
        """Writes a key and locks it for a session. The modify index of its result is the fencing
        token of the lock."""
        content, number = data(value), uint64(flags, "flags")
        arguments = content, len(content), number, session_id(session)
        return self._add(lib.consul_txn_lock, key, *arguments)

    def unlock(self, key: str, value: Value, session: AnySession, flags: int = 0) -> Self:
        """Writes a key and unlocks it, if this session holds it."""
        content, number = data(value), uint64(flags, "flags")
        arguments = content, len(content), number, session_id(session)
        return self._add(lib.consul_txn_unlock, key, *arguments)

    def get(self, key: str) -> Self:
        """Reads a key, which must exist."""
        return self._add(lib.consul_txn_get, key)

    def get_or_empty(self, key: str) -> Self:
        """Reads a key; one that does not exist gives an empty value (Consul 1.14)."""
        return self._add(lib.consul_txn_get_or_empty, key)

    def get_tree(self, prefix: str) -> Self:
        """Reads every key that begins with a prefix, which may not be empty."""
        return self._add(lib.consul_txn_get_tree, prefix)

    def check_index(self, key: str, modify_index: int) -> Self:
        """Goes on only if the key's modify index is this one."""
        return self._add(lib.consul_txn_check_index, key, uint64(modify_index, "modify_index"))

    def check_session(self, key: str, session: AnySession) -> Self:
        """Goes on only if this session holds the key."""
        return self._add(lib.consul_txn_check_session, key, session_id(session))

    def check_not_exists(self, key: str) -> Self:
        """Goes on only if the key does not exist."""
        return self._add(lib.consul_txn_check_not_exists, key)

    def delete(self, key: str) -> Self:
        """Deletes a key, which need not exist."""
        return self._add(lib.consul_txn_delete, key)

    def delete_cas(self, key: str, modify_index: int) -> Self:
        """Deletes a key if its modify index is still this one."""
        return self._add(lib.consul_txn_delete_cas, key, uint64(modify_index, "modify_index"))

    def delete_tree(self, prefix: str) -> Self:
        """Deletes every key that begins with a prefix; the empty one is refused."""
        return self._add(lib.consul_txn_delete_tree, prefix)

    def add(self, operation: Any) -> Self:
        """Adds any operation as Consul's API writes it: what JSON can hold, or JSON, with one
        member `KV`, `Node`, `Service` or `Check`."""
        check(lib.consul_txn_add_json(self._handle.value, json_text(operation, "operation")))
        return self

    def commit(self, **options: Unpack[CallOptions]) -> Rows[TxnRow]:
        """Applies all operations or none. Raises RolledBack when it was rolled back for what it found:
        read again and try again. Raises Denied when the token may not do one of its operations, and
        Unsupported when this Consul does not know one. The `errors` of each say which failed, and why.

        The results stand in the order of the operations, but are not one for each: deletions and
        checks that a key does not exist give none, a tree gives one for each of its keys."""
        return self._core.ask(_take, lib.consul_txn_commit, options, self._handle.value)


class _Take:
    """Reads what a transaction came to."""

    def __call__(self, status: int, handle: Optional[int]) -> Rows[TxnRow]:
        try:
            if status == _abi.CONSUL_CONFLICT:
                raise _rolled_back(status, handle)
            return _read(handle)
        finally:
            lib.consul_txn_result_free(handle)

    def refuse(self, error: ConsulError, handle: int) -> None:
        """Has an error tell which operations failed."""
        try:
            error.errors = _problems(handle)
        finally:
            lib.consul_txn_result_free(handle)


_take = _Take()


def _read(handle: Optional[int]) -> Rows[TxnRow]:
    count = lib.consul_txn_result_count(handle)
    rows = [_read_row(lib.consul_txn_result_at(handle, index)) for index in range(count)]
    return Rows(rows, _rows.meta(lib.consul_txn_result_meta(handle)))


def _read_row(address: int) -> TxnRow:
    row = _abi.TXN.read(address)
    if row.pair:
        return _rows.pair(row.pair)
    kind = _KINDS.get(row.kind, str(row.kind))
    return TxnObject(kind, json.loads(read_text(row.json, row.json_len)))


def _problems(handle: Optional[int]) -> tuple[TxnError, ...]:
    problems = []
    for index in range(lib.consul_txn_result_error_count(handle)):
        row = _abi.TXN_ERROR.read(lib.consul_txn_result_error_at(handle, index))
        what = read_text(row.what, row.what_len)
        problems.append(TxnError(row.op_index, what, row.denied))
    return tuple(problems)


def _rolled_back(status: int, handle: Optional[int]) -> RolledBack:
    problems = _problems(handle)
    reasons = "; ".join(f"operation {each.operation}: {each.what}" for each in problems)
    error = RolledBack(
        f"the transaction was rolled back: {reasons}", status=status, name=_outcome.name_of(status)
    )
    error.errors = problems
    return error

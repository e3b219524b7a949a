"""The key-value store: `client.kv`.

A key is a path without a leading slash. Values are bytes. A session is its id, or a session of
`client.session.start`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from . import _abi
from ._answers import PAIRS, STRINGS, take_text
from ._convert import Value, data, optional_text, text, uint64
from ._core import Core
from ._library import lib
from ._outcome import answered, nothing
from ._rows import pair
from .kept_session import AnySession, session_id
from .results import Meta, Pair, Reencryption, Rows

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._settings import CallOptions

_get, _at, _free = lib.consul_kv_get, lib.consul_kv_at, lib.consul_kv_free
_unless_conflict, _unless_held = answered(_abi.CONSUL_CONFLICT), answered(_abi.CONSUL_HELD)


def _take_pair(status: int, handle: Optional[int]) -> Optional[Pair]:
    try:
        return None if status else pair(_at(handle, 0))
    finally:
        _free(handle)


def _take_counts(_status: int, handle: Optional[int]) -> Reencryption:
    try:
        row = lib.consul_reencryption_row(handle)
        return Reencryption(*_abi.REENCRYPTION_COUNTS.read(row))
    finally:
        lib.consul_reencryption_free(handle)


class Kv:
    """Reads and writes keys. The keyword arguments of each method are the options of the call."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def get(self, key: str, **options: Unpack[CallOptions]) -> Optional[Pair]:
        """Reads a key; None when it does not exist."""
        return self._core.ask(_take_pair, _get, options, text(key, "key"))

    def get_with_meta(
        self, key: str, **options: Unpack[CallOptions]
    ) -> tuple[Optional[Pair], Meta]:
        """Reads a key, or None, and what the answer's headers say: `meta.index` is what a blocking
        query waits on, also for a key that does not exist."""
        return self._core.ask(PAIRS.take_one_with_meta, _get, options, text(key, "key"))

    def list(self, prefix: str, **options: Unpack[CallOptions]) -> Rows[Pair]:
        """Reads every key that begins with a prefix, byte by byte: `"a"` finds `"ab"` too. The
        empty prefix reads all."""
        return self._core.ask(PAIRS.take, lib.consul_kv_list, options, text(prefix, "prefix"))

    def keys(
        self, prefix: str, separator: Optional[str] = None, **options: Unpack[CallOptions]
    ) -> Rows[str]:
        """Reads the names of the keys that begin with a prefix. With a separator a name ends after
        its first one past the prefix, each such name once: a level of a tree."""
        arguments = text(prefix, "prefix"), optional_text(separator, "separator")
        return self._core.ask(STRINGS.take, lib.consul_kv_keys, options, *arguments)

    def put(
        self, key: str, value: Value, flags: int = 0, **options: Unpack[CallOptions]
    ) -> None:
        """Writes a key, whatever it held. Its flags become these; `update` keeps them."""
        name, content = text(key, "key"), data(value)
        arguments = name, content, len(content), uint64(flags, "flags")
        return self._core.do(nothing, lib.consul_kv_put, options, *arguments)

    def update(self, key: str, value: Value, **options: Unpack[CallOptions]) -> None:
        """Writes a key and keeps its flags."""
        name, content = text(key, "key"), data(value)
        return self._core.do(nothing, lib.consul_kv_update, options, name, content, len(content))

    def cas(
        self,
        key: str,
        value: Value,
        modify_index: int,
        flags: int = 0,
        **options: Unpack[CallOptions],
    ) -> bool:
        """Writes a key if its modify index is still this one; 0 means "if it does not exist". False
        when it is not."""
        name, content = text(key, "key"), data(value)
        numbers = uint64(flags, "flags"), uint64(modify_index, "modify_index")
        arguments = name, content, len(content), *numbers
        return self._core.do(_unless_conflict, lib.consul_kv_cas, options, *arguments)

    def delete(self, key: str, **options: Unpack[CallOptions]) -> None:
        """Deletes a key, which need not exist."""
        return self._core.do(nothing, lib.consul_kv_delete, options, text(key, "key"))

    def delete_cas(self, key: str, modify_index: int, **options: Unpack[CallOptions]) -> bool:
        """Deletes a key if its modify index is still this one. False when it is not; True also when
        the key does not exist."""
        arguments = text(key, "key"), uint64(modify_index, "modify_index")
        return self._core.do(_unless_conflict, lib.consul_kv_delete_cas, options, *arguments)

    def delete_prefix(self, prefix: str, **options: Unpack[CallOptions]) -> None:
        """Deletes every key that begins with a prefix, byte by byte: `"a"` deletes `"ab"` too. The
        empty prefix, which would delete all, is refused."""
        return self._core.do(nothing, lib.consul_kv_delete_prefix, options, text(prefix, "prefix"))

    def reencrypt(self, prefix: str, **options: Unpack[CallOptions]) -> Reencryption:
        """Encrypts every value below a prefix anew that is under an old key or plain, by
        check-and-set: what others write meanwhile stays, and so do flags. It may take `timeout_ms`
        in all; one that ended early goes on where it was when it is called again."""
        arguments = text(prefix, "prefix")
        return self._core.ask(_take_counts, lib.consul_kv_reencrypt, options, arguments)

    def acquire(
        self,
        key: str,
        value: Value,
        session: AnySession,
        flags: int = 0,
        **options: Unpack[CallOptions],
    ) -> bool:
        """Writes a key and locks it for a session. False when another session holds it or its
        lock-delay is not over. `client.lock` is the whole recipe."""
        name, content, holder = text(key, "key"), data(value), session_id(session)
        arguments = name, content, len(content), uint64(flags, "flags"), holder
        return self._core.do(_unless_held, lib.consul_kv_acquire, options, *arguments)

    def release(
        self,
        key: str,
        value: Value,
        session: AnySession,
        flags: int = 0,
        **options: Unpack[CallOptions],
    ) -> bool:
        """Writes a key and unlocks it. False when this session does not hold it."""
        name, content, holder = text(key, "key"), data(value), session_id(session)
        arguments = name, content, len(content), uint64(flags, "flags"), holder
        return self._core.do(_unless_conflict, lib.consul_kv_release, options, *arguments)

    def put_held(
        self,
        key: str,
        value: Value,
        lock_key: str,
        session: AnySession,
        flags: int = 0,
        **options: Unpack[CallOptions],
    ) -> bool:
        """Writes a key only while a session holds `lock_key`, in one transaction. False when it
        does not."""
        name, content, lock = text(key, "key"), data(value), text(lock_key, "lock_key")
        arguments = name, content, len(content), uint64(flags, "flags"), lock, session_id(session)
        return self._core.do(_unless_conflict, lib.consul_kv_put_held, options, *arguments)

    def export(self, prefix: str, **options: Unpack[CallOptions]) -> str:
        """Reads every key that begins with a prefix, as the text that `consul kv export` writes.
        The empty prefix exports all."""
        return self._core.ask(take_text, lib.consul_kv_export, options, text(prefix, "prefix"))

    def import_(
        self, exported: Value, prefix: Optional[str] = None, **options: Unpack[CallOptions]
    ) -> None:
        """Writes keys as `export` or `consul kv export` gave them, `prefix` before the name of
        each. As many as fit go into one transaction; the error of one that fails says how many keys
        were written before. `import` is a keyword."""
        content = data(exported, "exported")
        arguments = optional_text(prefix, "prefix"), content, len(content)
        return self._core.do(nothing, lib.consul_kv_import, options, *arguments)

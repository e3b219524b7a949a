"""Encrypted values by another implementation (the `cryptography` package), as hexadecimal: the
vectors of src/client/vault/tests.rs. docs/encryption.md describes the format."""

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY = b"0123456789abcdef0123456789abcdef"
SALT = b"\xa5" * 32


def derive(salt: bytes, length: int, info: bytes) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(KEY)


def seal(consul_key: str, value: bytes) -> bytes:
    key_id = derive(b"", 8, b"consul-ffi key id")
    header = b"\0CFE\x01" + key_id + SALT
    value_key = derive(SALT, 32, b"consul-ffi value 1")
    return header + AESGCM(value_key).encrypt(bytes(12), value, header + consul_key.encode())


for name, value in (("app/a", b"secret"), ("x", b""), ("app/ä/ключ", bytes(range(20)))):
    print(name, value.hex(), seal(name, value).hex())

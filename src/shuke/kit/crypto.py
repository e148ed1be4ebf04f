"""Keys, seals and blind indexes: how personal values are stored so that a stolen database says nothing.

Three tools, all keyed from SHUKE_MASTER_KEY, which is never in the database:

- `seal`/`unseal`: AES-256-GCM under a key of its own per member (`new_data_keys`), which is itself stored wrapped by
  the master key. Destroying the wrapped key forgets the member, in old backups too.
- `blind`: HMAC-SHA-256 cut to 16 bytes. Equal values give equal bytes, so a value can be looked up and kept unique
  without being stored. Keyed, because all mobile numbers could be hashed in under an hour.
- `gram` and `postings`: a search index over four-digit pieces of a phone whose rows cannot be joined up again to a
  phone or a person without the key (docs/decisions/0004-search-over-encrypted-phones.md).

Every key is derived by HKDF for one purpose and one merchant: nothing can be compared across merchants.
SHUKE_MASTER_KEY is 32 bytes in hex. To rotate, append a new one after a comma: the last wraps new data keys, the
others still open what they wrapped. Blind indexes nest: of generation 2 is the HMAC under the second key of what the
first key makes, so that rows climb without their values being known. A key that is retired leaves its place empty
(",newest"): it is then kept in the database, sealed by a newer one (docs/decisions/0011-key-rotation.md).
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

BLIND_BYTES = 16
GRAM_BYTES = 8
_NONCE = 12
_FORMAT = b"\x01"  # first byte of everything sealed: AES-256-GCM, 12-byte nonce, tag at the end


class BadMasterKey(ValueError):
    """SHUKE_MASTER_KEY cannot be used; the message says why and what to do."""


class CannotUnseal(ValueError):
    """The bytes were sealed under another key, for another place, or are damaged."""


@lru_cache(maxsize=4)
def _masters(told: str) -> tuple[bytes, ...]:
    keys = []
    parts = told.split(",")
    for number, text in enumerate(parts, start=1):
        if not text.strip() and number < len(parts):
            keys.append(b"")  # retired
            continue
        try:
            key = bytes.fromhex(text.strip())
        except ValueError:
            key = b""
        if len(key) < 32:
            raise BadMasterKey(
                f"SHUKE_MASTER_KEY: key {number} is not 32 bytes in hexadecimal (64 digits). Restore the file keys/"
                "shuke_master_key from a backup, or the variable from where you keep secrets: a new key cannot read old data."
            )
        keys.append(key)
    return tuple(keys)


@lru_cache(maxsize=1024)
def _derive(told: str, version: int, purpose: str, merchant: int) -> bytes:
    info = f"shuke/1/{purpose}/{merchant}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=b"shuke", info=info).derive(_master(told, version))


def _master(told: str, version: int) -> bytes:
    """A master key: as SHUKE_MASTER_KEY has it, or out of the database where it was retired to."""
    key = _masters(told)[version - 1]
    if key:
        return key
    from shuke.kit.models import RetiredKey

    row = RetiredKey.objects.filter(number=version).first()
    if row is None:
        raise BadMasterKey(
            f"SHUKE_MASTER_KEY: key {version} is left out, but this database does not keep it. Put it back in its place."
        )
    return unseal(bytes(row.sealed), _derive(told, row.under, "retired", 0), b"master %d" % version)


def sealed_masters() -> list[tuple[int, bytes]]:
    """All master keys but the newest, sealed by the newest, for keeping in the database."""
    told, newest = settings.SHUKE_MASTER_KEY, newest_version()
    key = _derive(told, newest, "retired", 0)
    return [(n, seal(_master(told, n), key, b"master %d" % n)) for n in range(1, newest)]


def key_for(purpose: str, merchant: int, version: int = 1) -> bytes:
    """The 32-byte key for one purpose of one merchant, derived from master key number `version` (1 = the first)."""
    return _derive(settings.SHUKE_MASTER_KEY, version, purpose, merchant)


def newest_version() -> int:
    """Number of the master key that wraps new data keys."""
    return len(_masters(settings.SHUKE_MASTER_KEY))


# --- sealing


def seal(plaintext: bytes, key: bytes, associated: bytes) -> bytes:
    """Encrypt and authenticate. `associated` says where it belongs: the seal does not open in another place."""
    nonce = os.urandom(_NONCE)
    return _FORMAT + nonce + AESGCM(key).encrypt(nonce, plaintext, associated)


def unseal(sealed: bytes, key: bytes, associated: bytes) -> bytes:
    """What `seal` was given. Raises CannotUnseal."""
    sealed = bytes(sealed)
    if sealed[:1] != _FORMAT:
        raise CannotUnseal("sealed in a format this version does not know")
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], associated)
    except InvalidTag as error:
        raise CannotUnseal("sealed under another key or for another place, or damaged") from error


def new_data_keys(members: Sequence[int], merchant: int) -> list[tuple[bytes, bytes]]:
    """A fresh key for each member: (the key, the key wrapped for storing under version `newest_version()`)."""
    wrapping = AESGCM(key_for("wrap", merchant, newest_version()))
    random = os.urandom((32 + _NONCE) * len(members))
    made = []
    for place, member in enumerate(members):
        start = place * (32 + _NONCE)
        key, nonce = random[start : start + 32], random[start + 32 : start + 32 + _NONCE]
        made.append((key, _FORMAT + nonce + wrapping.encrypt(nonce, key, b"member %d" % member)))
    return made


def rewrap(wrapped: bytes, member: int, merchant: int, version: int) -> bytes:
    """The same data key wrapped by the newest master key. Raises CannotUnseal."""
    key = unwrap(wrapped, member, merchant, version)
    return seal(key, key_for("wrap", merchant, newest_version()), b"member %d" % member)


def unwrap(wrapped: bytes, member: int, merchant: int, version: int) -> bytes:
    """A member's data key. Raises CannotUnseal."""
    if version > newest_version():
        raise CannotUnseal(
            f"wrapped by master key {version}, and only {newest_version()} known here: restart this process"
        )
    return unseal(wrapped, key_for("wrap", merchant, version), b"member %d" % member)


# --- comparing without knowing


def blinder(purpose: str, merchant: int, generation: int = 1) -> Callable[[str], bytes]:
    """`blind` for many values of one purpose."""
    key, digest = key_for("blind/" + purpose, merchant), hmac.digest

    def blind_one(value: str) -> bytes:
        return digest(key, value.encode(), "sha256")[:BLIND_BYTES]

    if generation == 1:
        return blind_one
    climb = climber(purpose, merchant, 1, generation)
    return lambda value: climb(blind_one(value))


def coder(purpose: str, merchant: int, number: int) -> Callable[[str], bytes]:
    """`blind` under master key `number` alone: for what is made once and comes to an end, and so need not climb (codes)."""
    key, digest = key_for("blind/" + purpose, merchant, number), hmac.digest
    return lambda value: digest(key, value.encode(), "sha256")[:BLIND_BYTES]


def climber(purpose: str, merchant: int, start: int, end: int) -> Callable[[bytes], bytes]:
    """Takes what the generation `start` made of a value to what `end` makes of it, without the value."""
    keys = [key_for("blind/" + purpose, merchant, version) for version in range(start + 1, end + 1)]
    digest = hmac.digest

    def climb(blind: bytes) -> bytes:
        for key in keys:
            blind = digest(key, blind, "sha256")[:BLIND_BYTES]
        return blind

    return climb


def blind(value: str, purpose: str, merchant: int) -> bytes:
    """16 bytes that are equal exactly when value, purpose and merchant are."""
    return blinder(purpose, merchant)(value)


# --- searching without knowing


def gram(digits: str, merchant: int, generation: int = 1) -> bytes:
    """8 bytes for a piece of a number ("5678"), the key of its posting list."""
    return _gram(settings.SHUKE_MASTER_KEY, digits, merchant, generation)


@lru_cache(maxsize=40_000)  # there are 10,000 pieces, twice (anywhere, at the end): after warm-up no HMAC is computed
def _gram(told: str, digits: str, merchant: int, generation: int) -> bytes:
    return hmac.digest(_derive(told, generation, "gram", merchant), digits.encode(), "sha256")[:GRAM_BYTES]


def _posting_cipher(merchant: int, generation: int) -> Cipher:
    return Cipher(algorithms.AES(key_for("posting", merchant, generation)), modes.ECB())


def postings(pairs: Iterable[tuple[bytes, int]], merchant: int, generation: int = 1) -> list[bytes]:
    """(gram, member) → 16 bytes each, in order.

    One AES block over the gram and the member id together. The same member looks different under every gram, so
    the rows of one phone cannot be put together again; no two blocks are equal, so ECB has no pattern to show.
    """
    plain = b"".join([piece + member.to_bytes(8, "big") for piece, member in pairs])
    sealed = _posting_cipher(merchant, generation).encryptor().update(plain)
    return [sealed[i : i + 16] for i in range(0, len(sealed), 16)]


def posted(piece: bytes, blocks: Iterable[bytes], merchant: int, generation: int = 1) -> list[int]:
    """The members in a posting list. Blocks that do not belong to this gram are left out."""
    plain = _posting_cipher(merchant, generation).decryptor().update(b"".join([bytes(b) for b in blocks]))
    return [int.from_bytes(plain[i + 8 : i + 16], "big") for i in range(0, len(plain), 16) if plain[i : i + 8] == piece]

"""Files that a smart bot gets by an address: encrypted, and only for five minutes (document 100719)."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from playground.clock import PlatformClock

KEPT = timedelta(minutes=5)
BLOCK = 32  # bytes: what the padding fills up to, twice the cipher's own block


class SealedFiles:
    """The files of one bot by their tokens; ``aes_key`` is its EncodingAESKey. Callers hold the world's lock."""

    def __init__(self, aes_key: str, clock: PlatformClock) -> None:
        self._key = base64.b64decode(aes_key + "=")
        self._clock = clock
        self._files: dict[str, tuple[bytes, datetime]] = {}

    def add(self, content: bytes) -> str:
        """Keeps a file and gives the token that its address ends with."""
        token = secrets.token_urlsafe(24)
        self._files[token] = (self._seal(content), self._clock.now() + KEPT)
        return token

    def get(self, token: str) -> bytes | None:
        """The encrypted file; None when there never was one, or no longer is."""
        content, until = self._files.get(token, (b"", self._clock.now()))
        return content if until > self._clock.now() else None

    def clear(self) -> None:
        self._files.clear()

    def _seal(self, content: bytes) -> bytes:
        fill = BLOCK - len(content) % BLOCK
        encryptor = Cipher(AES(self._key), CBC(self._key[:16])).encryptor()
        return encryptor.update(content + bytes([fill]) * fill) + encryptor.finalize()

"""adb's authentication: the phone sends a token, the host signs it or offers its public key for the owner to accept."""

from __future__ import annotations

import base64
import binascii
import secrets
import struct

TOKEN, SIGNATURE, PUBLIC_KEY = 1, 2, 3
TOKEN_BYTES = 20
_MODULUS_BYTES = 256
_KEY_BYTES = 4 + 4 + _MODULUS_BYTES + _MODULUS_BYTES + 4


class Keys:
    """The keys whose owners may connect, as the numbers (exponent, modulus)."""

    def __init__(self) -> None:
        self._known: set[tuple[int, int]] = set()

    def add(self, offered: bytes) -> bool:
        """Accept a key from now on, given in Android's form. False when it is no key."""
        numbers = _numbers(offered)
        if numbers is None:
            return False
        self._known.add(numbers)
        return True

    def forget(self) -> None:
        """Accept no key any more."""
        self._known.clear()

    def signed(self, token: bytes, signature: bytes) -> bool:
        """Whether a known key has signed the token."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
        from cryptography.hazmat.primitives.hashes import SHA1

        for exponent, modulus in self._known:
            key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
            try:
                key.verify(signature, token, padding.PKCS1v15(), utils.Prehashed(SHA1()))
            except InvalidSignature:
                continue
            return True
        return False


def new_token() -> bytes:
    """What the host is to sign; it takes the place of a SHA-1 hash, hence its length."""
    return secrets.token_bytes(TOKEN_BYTES)


def _numbers(offered: bytes) -> tuple[int, int] | None:
    """Exponent and modulus from base64 of Android's RSA structure, which may be followed by ` user@host`."""
    try:
        data = base64.b64decode(offered.rstrip(b"\0").split(b" ")[0], validate=True)
    except (binascii.Error, IndexError):
        return None
    if len(data) != _KEY_BYTES or struct.unpack_from("<I", data)[0] * 4 != _MODULUS_BYTES:
        return None
    return struct.unpack_from("<I", data, _KEY_BYTES - 4)[0], int.from_bytes(data[8 : 8 + _MODULUS_BYTES], "little")

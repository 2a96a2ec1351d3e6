"""Replace people by pseudonyms that mean nothing outside their tenant."""

import hmac
from functools import lru_cache
from hashlib import sha256

SIZE = 16
_LONGEST_REMEMBERED = 160  # an actor's name, not the text of a whole event


class Pseudonyms:
    """Derive pseudonyms by HMAC-SHA256 from one secret key and the tenant."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._tenant_hasher = lru_cache(maxsize=1024)(self._hasher)
        # The same few people act again and again; what is remembered dies with the process.
        self._pseudonym = lru_cache(maxsize=16_384)(self._hide)

    def __call__(self, tenant: str, actor: str) -> bytes:
        """Return the pseudonym of *actor* among the people of *tenant*."""
        if len(actor) > _LONGEST_REMEMBERED:
            return self._hide(tenant, actor)
        return self._pseudonym(tenant, actor)

    def check_value(self) -> bytes:
        """Return what tells this key from another without giving it away."""
        return hmac.digest(self._key, b"check", "sha256")[:SIZE]

    def subkey(self, purpose: str) -> bytes:
        """Return a key for another *purpose*, so that one secret serves the whole plugin."""
        return hmac.digest(self._key, b"purpose:" + purpose.encode(), "sha256")

    def _hide(self, tenant: str, actor: str) -> bytes:
        # Unlike `hmac.digest`, a copy does not give the interpreter away for a microsecond's work.
        hasher = self._tenant_hasher(tenant).copy()
        hasher.update(actor.encode())
        return hasher.digest()[:SIZE]

    def _hasher(self, tenant: str) -> hmac.HMAC:
        """Return a hasher with the key of *tenant*, to be copied."""
        key = hmac.digest(self._key, b"tenant:" + tenant.encode(), "sha256")
        return hmac.new(key, digestmod=sha256)

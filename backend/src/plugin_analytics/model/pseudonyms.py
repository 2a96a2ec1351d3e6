"""Replace people by pseudonyms that mean nothing outside their tenant."""

import hmac
from functools import lru_cache

SIZE = 16
_LONGEST_REMEMBERED = 160  # an actor's name, not the text of a whole event


class Pseudonyms:
    """Derive pseudonyms by HMAC-SHA256 from one secret key and the tenant."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._tenant_key = lru_cache(maxsize=1024)(self._derive)
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
        return hmac.digest(self._tenant_key(tenant), actor.encode(), "sha256")[:SIZE]

    def _derive(self, tenant: str) -> bytes:
        return hmac.digest(self._key, b"tenant:" + tenant.encode(), "sha256")

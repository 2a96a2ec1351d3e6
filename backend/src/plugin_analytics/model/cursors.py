"""Hand out places in a list that nobody can forge or carry to another list."""

import base64
import binascii
import hmac

import msgspec

from plugin_analytics.errors import CursorInvalid

_SIGNATURE = 16


class Cursors:
    """Sign and read cursors; each is bound to the query that it was made for."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, query: tuple[str | None, ...], last: str) -> str:
        """Return an opaque cursor that stands after *last* in the list of *query*."""
        place = last.encode()
        return base64.urlsafe_b64encode(self._sign(query, place) + place).rstrip(b"=").decode()

    def read(self, query: tuple[str | None, ...], cursor: str) -> str:
        """Return what *cursor* stands after, or raise `CursorInvalid`."""
        try:
            raw = base64.b64decode(
                cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True
            )
        except (UnicodeEncodeError, binascii.Error) as error:
            raise CursorInvalid from error
        signature, place = raw[:_SIGNATURE], raw[_SIGNATURE:]
        if not hmac.compare_digest(signature, self._sign(query, place)):
            raise CursorInvalid
        return place.decode()

    def _sign(self, query: tuple[str | None, ...], place: bytes) -> bytes:
        message = msgspec.json.encode((query, place.hex()))
        return hmac.digest(self._key, message, "sha256")[:_SIGNATURE]

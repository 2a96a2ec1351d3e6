"""Everything the core refuses, each with its status and stable code.

CoreError
├── BadRequest 400            INVALID_FORMAT
├── AuthRequired 401          AUTH_REQUIRED
├── AuthInvalid 401           AUTH_INVALID
├── ProxyAuthRequired 407     AUTH_REQUIRED
├── PermissionDenied 403      PERMISSION_DENIED
│   ├── LegacyDenied          LEGACY_ACCESS_DENIED
│   └── PluginDisabled        PLUGIN_DISABLED
├── NotFound 404              RESOURCE_NOT_FOUND
│   └── PluginUnknown         PLUGIN_UNKNOWN
├── Incompatible 409          PLUGIN_INCOMPATIBLE
├── TooLarge 413              PAYLOAD_TOO_LARGE
├── UnsupportedMediaType 415  UNSUPPORTED_MEDIA_TYPE
├── ValidationFailed 422      VALIDATION_FAILED
├── RateLimited 429           RATE_LIMITED
├── Unavailable 503           SERVICE_UNAVAILABLE
└── TimedOut 504              TIMEOUT
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Detail = Mapping[str, str]


class CoreError(Exception):
    """A refusal that the caller sees as it is."""

    status = 500
    code = "INTERNAL"

    def __init__(
        self,
        message: str,
        *,
        details: Sequence[Detail] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = list(details)
        self.headers = dict(headers or {})


class BadRequest(CoreError):
    """The request cannot be read."""

    status, code = 400, "INVALID_FORMAT"


class AuthRequired(CoreError):
    """No token came with the call."""

    status, code = 401, "AUTH_REQUIRED"


class AuthInvalid(CoreError):
    """The token is none that this core issued."""

    status, code = 401, "AUTH_INVALID"


class ProxyAuthRequired(CoreError):
    """The way out opens to a plugin's token only."""

    status, code = 407, "AUTH_REQUIRED"

    def __init__(self, message: str) -> None:
        super().__init__(message, headers={"proxy-authenticate": "Bearer, Basic"})


class PermissionDenied(CoreError):
    """The caller is known and may not do this."""

    status, code = 403, "PERMISSION_DENIED"


class LegacyDenied(PermissionDenied):
    """The signed-in person has no role in this legacy."""

    code = "LEGACY_ACCESS_DENIED"


class PluginDisabled(PermissionDenied):
    """An operator switched the plugin off."""

    code = "PLUGIN_DISABLED"


class NotFound(CoreError):
    """There is nothing under this address."""

    status, code = 404, "RESOURCE_NOT_FOUND"


class PluginUnknown(NotFound):
    """No plugin of this id has registered."""

    code = "PLUGIN_UNKNOWN"


class Incompatible(CoreError):
    """The plugin asks for another core or SDK (spec §5)."""

    status, code = 409, "PLUGIN_INCOMPATIBLE"


class TooLarge(CoreError):
    """The body is over the limit."""

    status, code = 413, "PAYLOAD_TOO_LARGE"


class UnsupportedMediaType(CoreError):
    """The body is of a type that this route does not read."""

    status, code = 415, "UNSUPPORTED_MEDIA_TYPE"


class ValidationFailed(CoreError):
    """The body can be read and breaks a rule; details name each place."""

    status, code = 422, "VALIDATION_FAILED"


class RateLimited(CoreError):
    """The caller asked too often."""

    status, code = 429, "RATE_LIMITED"


class Unavailable(CoreError):
    """The part that would answer is away for now."""

    status, code = 503, "SERVICE_UNAVAILABLE"


class TimedOut(CoreError):
    """The plugin took longer than it was given (spec §8.1)."""

    status, code = 504, "TIMEOUT"

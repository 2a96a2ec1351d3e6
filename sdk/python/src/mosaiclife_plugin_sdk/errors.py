"""Every error that the SDK raises on purpose.

PluginError                         an answer to a caller: code, status, message, details, headers
 +- BadRequest                      400 INVALID_FORMAT
 +- AuthRequired                    401 AUTH_REQUIRED
 |   +- AuthInvalid                 401 AUTH_INVALID
 +- PermissionDenied                403 PERMISSION_DENIED
 +- NotFound                        404 RESOURCE_NOT_FOUND
 +- MethodNotAllowed                405 METHOD_NOT_ALLOWED
 +- Conflict                        409 RESOURCE_CONFLICT
 +- PayloadTooLarge                 413 PAYLOAD_TOO_LARGE
 +- UnsupportedMediaType            415 UNSUPPORTED_MEDIA_TYPE
 +- ValidationFailed                422 VALIDATION_FAILED
 +- RateLimited                     429 RATE_LIMITED
 +- ServiceUnavailable              503 SERVICE_UNAVAILABLE
 +- Timeout                         504 TIMEOUT
SDKError                            a fault on this side of the wire
 +- ManifestError                   plugin.yaml cannot be used
 +- SettingsError                   an environment variable cannot be used
 +- RangeError                      a version range or a version cannot be read
 +- WebhookRejected                 a delivery is not what its signature claims
 +- CapabilityMissing               the manifest does not ask for what the call needs
 +- EgressRefused                   a call would leave for an address that is not allowed
 +- CoreError                       core did not do what it was asked
     +- CoreUnreachable             no answer came
     +- CoreRefused                 core answered with an error

The docstring of a `PluginError` is the message that a caller sees by default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

Detail = Mapping[str, str]


def detail_of(error: msgspec.ValidationError, root: str = "$") -> dict[str, str]:
    """Split msgspec's text into the JSON path and the reason; *root* takes the place of `$`."""
    message, _, path = str(error).partition(" - at `")
    return {"field": path.rstrip("`").replace("$", root, 1) or root, "message": message}


class PluginError(Exception):
    """The plugin could not answer."""

    code: str = "INTERNAL"
    status: int = 500

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        status: int | None = None,
        details: Sequence[Detail] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message or type(self).__doc__ or "The plugin could not answer."
        super().__init__(self.message)
        self.code = code or self.code
        self.status = status or self.status
        self.details = list(details)
        self.headers = dict(headers or {})


class BadRequest(PluginError):
    """The request cannot be read."""

    code = "INVALID_FORMAT"
    status = 400


class AuthRequired(PluginError):
    """A bearer token is required."""

    code = "AUTH_REQUIRED"
    status = 401

    def __init__(self, message: str | None = None, *, code: str | None = None) -> None:
        super().__init__(message, code=code, headers={"WWW-Authenticate": "Bearer"})


class AuthInvalid(AuthRequired):
    """The credentials are not valid."""

    code = "AUTH_INVALID"


class PermissionDenied(PluginError):
    """The caller may not do this."""

    code = "PERMISSION_DENIED"
    status = 403


class NotFound(PluginError):
    """There is nothing here."""

    code = "RESOURCE_NOT_FOUND"
    status = 404


class MethodNotAllowed(PluginError):
    """The method is not allowed here."""

    code = "METHOD_NOT_ALLOWED"
    status = 405


class Conflict(PluginError):
    """The request conflicts with the present state."""

    code = "RESOURCE_CONFLICT"
    status = 409


class PayloadTooLarge(PluginError):
    """The body is too large."""

    code = "PAYLOAD_TOO_LARGE"
    status = 413


class UnsupportedMediaType(PluginError):
    """The body has a type that is not accepted here."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415


class ValidationFailed(PluginError):
    """The request is well formed and yet not valid."""

    code = "VALIDATION_FAILED"
    status = 422


class _RetryLater(PluginError):
    """The caller should come again later."""

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after: int | None = None,
        code: str | None = None,
        details: Sequence[Detail] = (),
    ) -> None:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        super().__init__(message, code=code, details=details, headers=headers)


class RateLimited(_RetryLater):
    """Too many requests."""

    code = "RATE_LIMITED"
    status = 429


class ServiceUnavailable(_RetryLater):
    """The plugin cannot serve this now."""

    code = "SERVICE_UNAVAILABLE"
    status = 503


class Timeout(PluginError):
    """The time allowed for this request is over."""

    code = "TIMEOUT"
    status = 504


class SDKError(Exception):
    """A fault on this side of the wire."""


class ManifestError(SDKError):
    """The manifest cannot be used; `details` holds one JSON path and reason each."""

    def __init__(self, message: str, *, details: Sequence[Detail] = ()) -> None:
        super().__init__(message)
        self.details = list(details)


class SettingsError(SDKError):
    """An environment variable cannot be used: one line, with the key and the allowed set."""


class RangeError(SDKError, ValueError):
    """A version or a range of versions cannot be read."""


class WebhookRejected(SDKError):
    """The delivery is not what its signature claims."""


class CapabilityMissing(SDKError):
    """The manifest does not ask for the capability that this call needs."""


class EgressRefused(SDKError):
    """A call would leave for an address that the manifest does not allow."""


class CoreError(SDKError):
    """Core did not do what it was asked."""


class CoreUnreachable(CoreError):
    """No answer came from core."""


class CoreRefused(CoreError):
    """Core answered with an error."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Sequence[Detail] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = list(details)
        self.retry_after = retry_after

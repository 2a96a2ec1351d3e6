"""Tell plugins apart by the tokens that core issued to them (spec §8.4)."""

from __future__ import annotations

import hmac
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from mosaiclife_devcore.errors import AuthInvalid, AuthRequired
from mosaiclife_devcore.registry import Plugin, Registry

CHALLENGE = {"www-authenticate": "Bearer"}


class Tokens:
    """Every token in force; two of one plugin may be valid while they rotate."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def owner(self, authorization: str | None) -> Plugin:
        """Return the plugin to which the bearer token of the header was issued."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise AuthRequired("a bearer token is needed", headers=CHALLENGE)
        offered = token.strip().encode("utf-8", "replace")
        # Every token is compared, whichever matches: the time taken tells nothing.
        owners = [
            plugin
            for plugin in self._registry
            for issued in plugin.grant.tokens
            if hmac.compare_digest(issued.encode(), offered)
        ]
        if not owners:
            raise AuthInvalid("this core did not issue this token", headers=CHALLENGE)
        return owners[0]


def needs_token(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Guard a plugin-facing route; the plugin that called is kept with the request."""
    tokens: Tokens = connection.app.state.tokens
    caller = tokens.owner(connection.headers.get("authorization"))
    connection.app.state.rates.count_call(caller.id)
    connection.state.caller = caller


def provide_caller(request: ASGIConnection[Any, Any, Any, Any]) -> Plugin:
    """Return the plugin that the guard recognised."""
    caller: Plugin = request.state.caller
    return caller

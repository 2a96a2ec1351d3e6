"""Make domain events and deliveries as core would."""

import itertools
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from mosaiclife_plugin_sdk import UserContext, encode_user_context, sign

TENANT = "family-test"
_numbers = itertools.count(1)


def event(
    kind: str,
    payload: Mapping[str, Any],
    *,
    at: str = "2026-03-01T12:00:00Z",
    by: str | None = "user:ada",
    tenant: str = TENANT,
    **other: Any,
) -> dict[str, Any]:
    """Return an envelope; *other* overrides or adds fields of it."""
    return {
        "id": f"e{next(_numbers):08d}",
        "type": kind,
        "version": 1,
        "occurred_at": at,
        "tenant_id": tenant,
        "actor_id": by,
        "resource": {"kind": kind.partition(".")[0], "id": "r1"},
        "payload": dict(payload),
        **other,
    }


def story(story_id: str, *legacies: str, kind: str = "created", **other: Any) -> dict[str, Any]:
    """Return the event of a story that is published for its circle, unless *other* says else."""
    envelope = {key: other.pop(key) for key in ("at", "by", "id", "tenant") if key in other}
    payload = {
        "story_id": story_id,
        "legacy_ids": list(legacies),
        "status": "published",
        "visibility": "private",
        **other,
    }
    return event(f"story.{kind}", payload, **envelope)


def reaction(
    story_id: str, legacy: str, kind: str = "heart", *, reacted: bool = True, **other: Any
) -> dict[str, Any]:
    """Return the event of a reaction that was put or taken back."""
    payload = {
        "story_id": story_id,
        "legacy_id": legacy,
        "reaction_type": kind,
        "reacted": reacted,
    }
    return event("story_reaction.toggled", payload, **other)


def response(response_id: str, legacy: str, **other: Any) -> dict[str, Any]:
    """Return the event of a response."""
    payload = {"response_id": response_id, "story_id": "s1", "legacy_id": legacy}
    return event("story_response.created", payload, **other)


def media(media_id: str, *legacies: str, **other: Any) -> dict[str, Any]:
    """Return the event of a confirmed upload."""
    payload = {"media_id": media_id, "legacy_ids": list(legacies), "family": "image"}
    return event("media.upload_confirmed", payload, **other)


def granted(legacy: str, *types: str, **other: Any) -> dict[str, Any]:
    """Return the event of a keeper who allows *types*, or every type when none is named."""
    scopes = {"permissions": {"webhook_events": list(types)}} if types else {}
    return event("plugin_permission.granted", {"legacy_id": legacy, **scopes}, **other)


def revoked(legacy: str, **other: Any) -> dict[str, Any]:
    """Return the event of a keeper who takes every permission back."""
    return event("plugin_permission.revoked", {"legacy_id": legacy}, **other)


def body_of(events: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the body that carries *events*."""
    return json.dumps({"events": events}).encode()


def delivery_headers(
    token: str,
    secret: str,
    body: bytes,
    *,
    delivery_id: str | None = None,
    tenant: str = TENANT,
    timestamp: int | None = None,
) -> dict[str, str]:
    """Return the headers with which core delivers *body*."""
    webhook_id = delivery_id or f"d{next(_numbers):08d}"
    moment = int(time.time()) if timestamp is None else timestamp
    return {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "X-Tenant-ID": tenant,
        "webhook-id": webhook_id,
        "webhook-timestamp": str(moment),
        "webhook-signature": sign(secret, webhook_id, moment, body),
    }


def reader_headers(token: str, viewer: UserContext, tenant: str = TENANT) -> dict[str, str]:
    """Return the headers with which core asks for *viewer*."""
    return {
        "Authorization": f"Bearer {token}",
        "X-Tenant-ID": tenant,
        "X-User-Context": encode_user_context(viewer),
    }

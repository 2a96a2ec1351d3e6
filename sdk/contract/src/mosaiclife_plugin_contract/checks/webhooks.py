"""Deliveries: proven by their signature, answered once (spec §8.3; Standard Webhooks 1.0)."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from mosaiclife_plugin_contract.calls import Headers
from mosaiclife_plugin_contract.context import Context
from mosaiclife_plugin_contract.deliveries import Delivery, batch, deliver, fresh
from mosaiclife_plugin_contract.documents import member
from mosaiclife_plugin_contract.registry import Need, check
from mosaiclife_plugin_contract.signing import mac, new_secret
from mosaiclife_plugin_contract.violation import Violation, expect

SIGNED = {Need.TOKEN, Need.SECRET}
ACCEPTED, FORGED, UNREADABLE = 200, 401, 400
STRANGER = new_secret()

# What a case does to a good delivery: the delivery to send instead, or headers to change.
Change = Callable[[Delivery], Delivery]


@dataclass(frozen=True)
class Case:
    """A delivery, and the status that it deserves."""

    name: str
    status: int
    change: Change
    more: Headers = ()


def changed(**headers: Callable[[Delivery], str | bytes | None]) -> Change:
    """Return a change of headers, each computed from the good delivery."""

    def change(good: Delivery) -> Delivery:
        values = {name.replace("_", "-"): make(good) for name, make in headers.items()}
        return replace(good, changes=values)

    return change


def signature(make: Callable[[Delivery], str | bytes | None]) -> Change:
    """Return a change of the signature only."""
    return changed(webhook_signature=make)


def at(seconds: int) -> Change:
    """Return a well signed delivery of another time."""
    return lambda good: replace(good, timestamp=int(time.time()) + seconds)


def time_as(spell: Callable[[int], str]) -> Change:
    """Return a delivery whose time is spelled another way, and is signed in that spelling."""

    def change(good: Delivery) -> Delivery:
        text = spell(good.timestamp)
        return replace(
            good, changes={"webhook-timestamp": text, "webhook-signature": _raw(good, text)}
        )

    return change


def body(content: bytes) -> Change:
    """Return a well signed delivery of another body."""
    return lambda good: replace(good, body=content)


def _raw(good: Delivery, timestamp: str) -> str:
    signed = f"{good.id}.{timestamp}.".encode() + good.body
    return "v1," + base64.b64encode(mac(good.secret, signed)).decode()


def _bits(good: Delivery) -> bytes:
    return base64.b64decode(good.signed().removeprefix("v1,"))


def _packed(code: bytes) -> str:
    return "v1," + base64.b64encode(code).decode()


def _flipped(good: Delivery) -> str:
    code = _bits(good)
    return _packed(code[:-1] + bytes([code[-1] ^ 1]))


CASES = (
    Case("a good signature", ACCEPTED, lambda good: good),
    Case(
        "a stranger's signature first",
        ACCEPTED,
        signature(lambda d: f"{d.signed(STRANGER)} {d.signed()}"),
    ),
    Case(
        "a stranger's signature last",
        ACCEPTED,
        signature(lambda d: f"{d.signed()} {d.signed(STRANGER)}"),
    ),
    Case("an unknown scheme beside", ACCEPTED, signature(lambda d: f"v2,AAAA {d.signed()}")),
    Case("an asymmetric signature beside", ACCEPTED, signature(lambda d: f"v1a,AAAA {d.signed()}")),
    Case("junk beside", ACCEPTED, signature(lambda d: f"junk {d.signed()}")),
    Case("a code that is no base64 beside", ACCEPTED, signature(lambda d: f"v1,%%% {d.signed()}")),
    Case("two spaces between", ACCEPTED, signature(lambda d: f"v1,AAAA  {d.signed()}")),
    Case("290 seconds old", ACCEPTED, at(-290)),
    Case("290 seconds ahead", ACCEPTED, at(290)),
    Case("no id", FORGED, changed(webhook_id=lambda _: None)),
    Case("an empty id", FORGED, changed(webhook_id=lambda _: "")),
    Case("another id", FORGED, changed(webhook_id=lambda d: d.id + "x")),
    Case("two ids", FORGED, lambda good: good, (("webhook-id", "msg_another"),)),
    Case("no time", FORGED, changed(webhook_timestamp=lambda _: None)),
    Case("an empty time", FORGED, changed(webhook_timestamp=lambda _: "")),
    Case("another time", FORGED, changed(webhook_timestamp=lambda d: str(d.timestamp - 1))),
    Case("330 seconds old", FORGED, at(-330)),
    Case("330 seconds ahead", FORGED, at(330)),
    Case("a time in words", FORGED, time_as(lambda _: "now")),
    Case("a time with a fraction", FORGED, time_as(lambda seconds: f"{seconds}.0")),
    Case("a time with a sign", FORGED, time_as(lambda seconds: f"+{seconds}")),
    Case("a time with underscores", FORGED, time_as(lambda seconds: f"{seconds:_}")),
    Case("no signature", FORGED, changed(webhook_signature=lambda _: None)),
    Case("an empty signature", FORGED, signature(lambda _: "")),
    Case("a stranger's signature", FORGED, signature(lambda d: d.signed(STRANGER))),
    Case("a code without a version", FORGED, signature(lambda d: d.signed().removeprefix("v1,"))),
    Case("a version without a code", FORGED, signature(lambda _: "v1,")),
    Case("another version", FORGED, signature(lambda d: d.signed().replace("v1,", "v0,", 1))),
    Case("a code that is no base64", FORGED, signature(lambda _: "v1,not base64 at all!")),
    Case("a code cut short", FORGED, signature(lambda d: _packed(_bits(d)[:16]))),
    Case("a code with one bit changed", FORGED, signature(_flipped)),
    Case("bytes beyond ASCII as signature", FORGED, signature(lambda _: b"v1,\xff\xfe\x80")),
    Case(
        "a body changed after signing",
        FORGED,
        lambda d: replace(d, body=d.body + b" ", changes={"webhook-signature": d.signed()}),
    ),
    Case("an empty body", UNREADABLE, body(b"")),
    Case("a body that is no UTF-8", UNREADABLE, body(b"\xff\xfe\x00{")),
)


@check("WHK-1", spec="8.3", feature="webhooks", needs=SIGNED)
async def signatures_are_judged(ctx: Context) -> None:
    """A delivery is taken if and only if its signature is good, in 36 cases; none ends in 5xx.

    A fault in headers or signature is 401, a body that cannot be read after a good signature 400.
    A good signature counts beside strange ones, or a rotation of secrets would lose deliveries.
    """
    wrong = []
    for case in CASES:
        reply = await deliver(ctx, case.change(fresh(ctx)), more=case.more)
        if reply.status != case.status:
            wrong.append(f"{case.name}: {reply.status} instead of {case.status}")
    expect(not wrong, "every delivery gets the status that it deserves", saw="; ".join(wrong))
    for secret in ctx.credentials.webhook_secrets:
        reply = await deliver(ctx, Delivery(secret))
        rule = "each of several live secrets signs"
        expect(reply.status == ACCEPTED, rule, saw=reply.summary, expected=ACCEPTED)


@check("WHK-2", spec="8.3", feature="webhooks", needs=SIGNED)
async def repeated_delivery_gets_the_recorded_answer(ctx: Context) -> None:
    """A webhook-id that comes again gets the answer that it got, and is not handled again.

    The second delivery has another body, so that an answer made anew would show.
    """
    first = fresh(ctx)
    answers = []
    for delivery in (first, replace(fresh(ctx, batch(3)), id=first.id)):
        reply = await deliver(ctx, delivery)
        rule = "a good delivery is accepted, also a repeated one"
        expect(reply.status == ACCEPTED, rule, saw=reply.summary, expected=ACCEPTED)
        document = member(reply.json(), dict, "the answer to a delivery")
        if "data" not in document:
            raise Violation("the answer to a delivery has data", reply.summary)
        answers.append(document["data"])
    same = answers[0] == answers[1]
    expect(same, "a repeated delivery is not handled again", saw=answers[1], expected=answers[0])

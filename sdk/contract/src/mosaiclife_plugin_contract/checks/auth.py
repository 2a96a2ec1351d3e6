"""The bearer that core calls with (spec §8.4, §13)."""

from mosaiclife_plugin_contract.calls import Headers
from mosaiclife_plugin_contract.context import Context
from mosaiclife_plugin_contract.deliveries import PATH
from mosaiclife_plugin_contract.description import routes
from mosaiclife_plugin_contract.registry import check
from mosaiclife_plugin_contract.violation import expect


@check("SEC-1", spec="8.4")
async def closed_routes_want_the_bearer(ctx: Context) -> None:
    """Every route under the base path, and POST /register, is 401 without core's bearer.

    So it is with a bearer that is almost right, where the kit knows the right one. The answer says
    WWW-Authenticate: Bearer.
    """
    for method, path in await _closed_routes(ctx):
        for name, headers in _wrong(ctx.credentials.call_token).items():
            reply = await ctx.call(method, path, headers)
            rule = f"{method} {path} with {name} is 401"
            expect(reply.status == 401, rule, saw=reply.summary, expected=401)
            challenge = reply.headers.get("www-authenticate", "")
            expect(
                challenge.lower().startswith("bearer"),
                f"{method} {path}: a 401 names the scheme",
                saw=f"WWW-Authenticate: {challenge}",
                expected="WWW-Authenticate: Bearer",
            )


def _wrong(token: str | None) -> dict[str, Headers]:
    """Return ways to come without the right bearer."""
    said = {"another token": "Bearer not-the-token-of-core", "an empty token": "Bearer"}
    if token:
        said |= {
            "the token's beginning": f"Bearer {token[:-1]}",
            "the token and more": f"Bearer {token}x",
            "another scheme": f"Basic {token}",
            "no scheme": token,
        }
    return {"no bearer": [], **{name: [("authorization", it)] for name, it in said.items()}}


async def _closed_routes(ctx: Context) -> list[tuple[str, str]]:
    """Return what is known to be closed, and every route that the plugin describes itself."""
    known = {("POST", "/register")}
    capabilities = (await ctx.declared()).get("capabilities") or []
    if "events:subscribe" in capabilities:
        known.add(("POST", await ctx.below(PATH)))
    if "jobs:schedule" in capabilities:
        known |= {("GET", await ctx.below("/jobs")), ("POST", await ctx.below("/jobs/run"))}
    for method, path in await routes(ctx, await ctx.below("/")):
        known.add((method, "/".join("x" if "{" in part else part for part in path.split("/"))))
    return sorted(known)

"""Serve the web shell under a policy that admits no inline script and no eval (spec §7.3, §13)."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.status_codes import HTTP_404_NOT_FOUND

from mosaiclife_devcore.errors import NotFound
from mosaiclife_devcore.origins import origin_of
from mosaiclife_devcore.registry import Registry

AnyRequest = Request[Any, Any, Any]
Refusal = Callable[[AnyRequest, Any], Response[bytes]]

DIST = Path("core/web/dist")
POLICY = (
    "default-src 'self'; script-src 'self'{remotes}; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "cache-control": "no-cache",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
NOT_BUILT = (
    "<!doctype html><html lang='en'><meta charset='utf-8'><title>Mosaic Life</title>"
    "<h1>The web shell is not built</h1><p>Run <code>./just build</code> and reload.</p></html>"
)
NOT_PAGES = ("/api/", "/mf/")
# A name with eight or more letters of a hash never changes its content.
_HASHED = re.compile(r"\.[0-9a-f]{8,}\.")


class Shell:
    """The built shell on disk, looked at anew on each request: a build may replace it."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = (folder or find_dist()).resolve()

    def index(self) -> bytes | None:
        """Return the page, or nothing when the shell is not built."""
        page = self._folder / "index.html"
        return page.read_bytes() if page.is_file() else None

    def asset(self, path: str) -> Path:
        """Return the file behind *path*, which lies inside the shell's folder."""
        wanted = (self._folder / path.lstrip("/")).resolve()
        if not wanted.is_relative_to(self._folder) or not wanted.is_file():
            raise NotFound("there is nothing under this address")
        return wanted


@get(["/", "/legacies/{legacy_id:str}", "/plugins/{plugin_path:path}", "/status"])
async def serve_page(
    shell: NamedDependency[Shell], registry: NamedDependency[Registry]
) -> Response[bytes]:
    """Answer every page of the application with the shell."""
    return _page(shell, registry, status=200)


@get("/{path:path}")
async def serve_asset(
    request: Request[Any, Any, Any], path: FromPath[str], shell: NamedDependency[Shell]
) -> Response[bytes]:
    """Answer a file of the built shell."""
    file = shell.asset(path)
    body = file.read_bytes()
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    fixed = _HASHED.search(file.name) is not None
    headers = {
        "cache-control": "public, max-age=31536000, immutable" if fixed else "no-cache",
        "etag": etag,
    }
    if request.headers.get("if-none-match") == etag:
        return Response(b"", status_code=304, headers=headers)
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Response(body, headers=headers, media_type=media_type)


def guide(refuse: Refusal) -> Refusal:
    """Show people who are lost the shell, which says so kindly; programs get *refuse*'s answer."""

    def answer(request: AnyRequest, error: Any) -> Response[bytes]:
        refusal = refuse(request, error)
        if refusal.status_code != HTTP_404_NOT_FOUND or not _is_visit(request):
            return refusal
        state = request.app.state
        return _page(state["shell"], state["registry"], status=HTTP_404_NOT_FOUND)

    return answer


def _page(shell: Shell, registry: Registry, *, status: int) -> Response[bytes]:
    page = shell.index()
    return Response(
        NOT_BUILT.encode() if page is None else page,
        status_code=503 if page is None else status,
        headers={**PAGE_HEADERS, "content-security-policy": policy(registry)},
        media_type="text/html",
    )


def _is_visit(request: AnyRequest) -> bool:
    """Tell a browser that goes to a page from a program, or a page, that asks for something."""
    wants_page = "text/html" in request.headers.get("accept", "")
    return wants_page and not request.url.path.startswith(NOT_PAGES)


def policy(registry: Registry) -> str:
    """Return the pages' policy, with the origins of remotes that are not served by core."""
    shown = [plugin.shown for plugin in registry]
    origins = sorted({origin_of(ui.entry_url) for ui in shown if ui and ui.external})
    return POLICY.format(remotes="".join(f" {origin}" for origin in origins))


def find_dist() -> Path:
    """Return where the shell's build lies in the nearest checkout above this file."""
    for folder in Path(__file__).resolve().parents:
        if (folder / DIST.parent / "package.json").is_file():
            return folder / DIST
    return Path.cwd() / DIST

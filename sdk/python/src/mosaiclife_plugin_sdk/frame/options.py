"""Know which methods each route takes, all of them (RFC 9110 §9.3.7, §10.2.1).

Litestar's own answer to OPTIONS names the methods of the first handler of a path only, and never
HEAD, which the edge answers wherever GET is answered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from litestar import Litestar
from litestar.routes import HTTPRoute


class AllowLists:
    """The `Allow` header of each route of one app, read from its router when first asked."""

    def __init__(self, app: Litestar) -> None:
        self._app = app
        self._known: dict[str, str] = {}
        self._routes = -1

    def of(self, template: str) -> str:
        """Return the methods of the route *template*; `*` is the app as a whole."""
        if self._routes != len(self._app.routes):
            self._routes = len(self._app.routes)
            self._known = _read(self._app)
        return self._known.get(template, "OPTIONS")


def with_head(methods: Iterable[str]) -> str:
    """Write *methods* as a header; who answers GET answers HEAD."""
    named = set(methods)
    return ", ".join(sorted(named | {"HEAD"} if "GET" in named else named))


def _read(app: Litestar) -> dict[str, str]:
    methods: dict[str, set[str]] = defaultdict(set)
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            methods[route.path_format] |= route.methods
            methods["*"] |= route.methods
    return {template: with_head(named) for template, named in methods.items()}

"""Resolve what handlers ask for without leaving the request's own task.

Litestar gives dependencies that do not need each other a task each, so that those that wait can do
so side by side. Most wait for nothing: tenant and viewer have been read by the guard. A task for them
sends the request to the back of the loop's queue, behind whatever deliveries have to do there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from litestar import Litestar
from litestar._kwargs.dependencies import DependencyContainer
from litestar.routes import HTTPRoute

Batch = set[DependencyContainer]


def resolve_in_turn(app: Litestar) -> None:
    """Let each dependency of *app* that is known at once be resolved by itself."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for _, model in route.route_handler_map.values():
                model.dependency_batches = list(in_turn(model.dependency_batches))


def in_turn(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Yield what waits for nothing one by one; what may wait stays with its neighbours."""
    for batch in batches:
        at_once = {each for each in batch if each.provide.has_sync_callable}
        yield from ({each} for each in at_once)
        if at_once != batch:
            yield batch - at_once

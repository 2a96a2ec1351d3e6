"""Serve the jobs: list them, start them, watch and cancel their runs (spec §4, §8.3).

These are control endpoints: they answer to core itself (the service scope) and to an
operator. An instance job belongs to no tenant, whichever tenant the call names.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter

from mosaiclife_plugin_sdk.context import UserContext
from mosaiclife_plugin_sdk.errors import BadRequest, NotFound, PermissionDenied, ValidationFailed
from mosaiclife_plugin_sdk.frame.bodies import ok
from mosaiclife_plugin_sdk.frame.jobs import JobRunner
from mosaiclife_plugin_sdk.jobs import Job
from mosaiclife_plugin_sdk.stores.base import Run

MAX_KEY = 255
MAX_LIMIT = 100
DEFAULT_LIMIT = 20

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT, description="Runs per page.")]
# `scope` is what the caller writes; as a parameter's name Litestar keeps it for itself.
Whose = Annotated[Literal["instance", "tenant"] | None, QueryParameter(name="scope")]
Key = Annotated[
    str | None,
    HeaderParameter(name="Idempotency-Key", description="The same key is the same run."),
]


class RunRequest(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which job to start, and how."""

    name: str
    params: Any = None
    idempotency_key: str | None = None


def job_routes(base_path: str) -> Router:
    """Return the job routes under *base_path*; the app guards them like its other routes."""
    return Router(
        path=f"{base_path.rstrip('/')}/jobs",
        route_handlers=[list_jobs, run_job, list_runs, get_run, cancel_run],
        opt={"tenant": False, "viewer": True},
        tags=["jobs"],
    )


@get("/", summary="List the jobs")
async def list_jobs(
    request: Request[Any, Any, Any],
    viewer: NamedDependency[UserContext],
    jobs: NamedDependency[JobRunner],
) -> Response[Any]:
    """Return every declared job with its schedule and parameters."""
    _demand_control(viewer)
    return ok(request, [job.spec() for job in jobs.jobs()])


@post("/run", status_code=202, opt={"errors": (404, 409)}, summary="Start a job")
async def run_job(
    request: Request[Any, Any, Any],
    data: JSONBody[RunRequest],
    tenant: NamedDependency[str | None],
    viewer: NamedDependency[UserContext],
    jobs: NamedDependency[JobRunner],
    idempotency_key: Key = None,
) -> Response[Any]:
    """Start a run, or return the one that the same key already started."""
    _demand_control(viewer)
    job = jobs.job(data.name)
    run = await jobs.start(
        job.name,
        data.params,
        key=_key(idempotency_key, data.idempotency_key),
        tenant=_tenant_of(job, tenant),
    )
    answer = ok(request, run, status=202)
    answer.set_header("Location", f"{request.url.path.removesuffix('/run')}/runs/{run.id}")
    return answer


@get("/runs", summary="List runs, newest first")
async def list_runs(
    request: Request[Any, Any, Any],
    tenant: NamedDependency[str | None],
    viewer: NamedDependency[UserContext],
    jobs: NamedDependency[JobRunner],
    limit: Limit = DEFAULT_LIMIT,
    cursor: FromQuery[str | None] = None,
    job: FromQuery[str | None] = None,
    whose: Whose = None,
) -> Response[Any]:
    """Return the tenant's runs, or the instance's when no tenant is named or it is asked for."""
    _demand_control(viewer)
    owner = None if whose == "instance" else tenant
    if whose == "tenant" and tenant is None:
        raise BadRequest("X-Tenant-ID is missing")
    before = None if cursor is None else await _read_cursor(cursor, owner, jobs)
    # One more than asked tells whether there is a next page.
    found = await jobs.list(owner, before=before, limit=limit + 1, job=job)
    return ok(request, found[:limit], meta={"pagination": _pagination(found, limit)})


@get("/runs/{run_id:str}", summary="Watch a run")
async def get_run(
    request: Request[Any, Any, Any],
    run_id: FromPath[str],
    tenant: NamedDependency[str | None],
    viewer: NamedDependency[UserContext],
    jobs: NamedDependency[JobRunner],
) -> Response[Any]:
    """Return one run with its progress, and its result once it has ended."""
    _demand_control(viewer)
    return ok(request, await _visible(run_id, tenant, jobs))


@delete("/runs/{run_id:str}", status_code=202, summary="Cancel a run")
async def cancel_run(
    request: Request[Any, Any, Any],
    run_id: FromPath[str],
    tenant: NamedDependency[str | None],
    viewer: NamedDependency[UserContext],
    jobs: NamedDependency[JobRunner],
) -> Response[Any]:
    """Ask a run to stop; one that has ended stays as it is."""
    _demand_control(viewer)
    run = await _visible(run_id, tenant, jobs)
    return ok(request, await jobs.cancel(run.id), status=202)


def _demand_control(viewer: UserContext) -> None:
    if not (viewer.is_service or viewer.operator):
        raise PermissionDenied("Jobs are for core and for operators.")


def _tenant_of(job: Job, tenant: str | None) -> str | None:
    if job.scope == "instance":
        return None
    if tenant is None:
        raise BadRequest("X-Tenant-ID is missing: this job runs for one tenant")
    return tenant


async def _visible(run_id: str, tenant: str | None, jobs: JobRunner) -> Run:
    """Return a run of the instance or of the caller's tenant; another's does not exist."""
    run = await jobs.get(run_id)
    if run.tenant not in (None, tenant):
        raise NotFound(f"There is no run {run_id!r}.")
    return run


def _key(header: str | None, body: str | None) -> str | None:
    """Return the one key of a call, from its header or its body."""
    if header is not None and body is not None and header != body:
        raise _bad_key("the header Idempotency-Key says another key")
    key = body if header is None else header
    if key is not None and not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise _bad_key(f"a key has 1 to {MAX_KEY} printable ASCII characters")
    return key


def _bad_key(message: str) -> ValidationFailed:
    return ValidationFailed(details=[{"field": "$.idempotencyKey", "message": message}])


def _pagination(found: Sequence[Run], limit: int) -> dict[str, Any]:
    more = len(found) > limit
    return {
        "limit": limit,
        "hasMore": more,
        "nextCursor": _cursor(found[limit - 1]) if more else None,
    }


def _cursor(run: Run) -> str:
    return base64.urlsafe_b64encode(run.id.encode()).decode().rstrip("=")


async def _read_cursor(cursor: str, tenant: str | None, jobs: JobRunner) -> str:
    """Return the run id in *cursor*; one that names no run of this tenant was not made here."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        run = await jobs.get(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
    except (binascii.Error, ValueError, NotFound):
        raise BadRequest("The cursor is not one of ours.") from None
    if run.tenant != tenant:
        raise BadRequest("The cursor is not one of ours.")
    return run.id

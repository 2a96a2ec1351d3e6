"""Put the plugin together: the only module that names a concrete store."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import structlog
from litestar import Litestar

from mosaiclife_plugin_sdk import (
    CheckDegraded,
    CheckFailed,
    CoreClient,
    Manifest,
    PluginApp,
    ServiceUnavailable,
    find_manifest,
    load_manifest,
)
from mosaiclife_plugin_sdk import frame as sdk
from mosaiclife_plugin_sdk.stores import sql_stores
from mosaiclife_plugin_sdk.stores.base import slot_of
from plugin_analytics.clock import Clock, micros, utc_now
from plugin_analytics.errors import CopyRefused, FolderClosed, WrongPseudonymKey
from plugin_analytics.http.counting import EventCounter, watch_drift
from plugin_analytics.http.data import Readers, data_routes, reports
from plugin_analytics.http.handshake import handshake_route
from plugin_analytics.http.instruments import Instruments
from plugin_analytics.http.me import me_routes
from plugin_analytics.http.quarantine import quarantine_route
from plugin_analytics.http.query import query_route
from plugin_analytics.http.settings import settings_routes
from plugin_analytics.http.standby import Standby
from plugin_analytics.model.calendar import zone_names
from plugin_analytics.model.cursors import Cursors
from plugin_analytics.model.erasure import Hashes
from plugin_analytics.model.pseudonyms import Pseudonyms
from plugin_analytics.scheduler import ERASE, REFRESH, jobs, keeping_jobs
from plugin_analytics.services.erasure import Erase, replay
from plugin_analytics.services.grants import GrantBook
from plugin_analytics.services.ingest import Ingest
from plugin_analytics.services.intake import Intake
from plugin_analytics.services.maintenance import Optimize
from plugin_analytics.services.me import DataSubject
from plugin_analytics.services.provide import Provide
from plugin_analytics.services.quarantine import Quarantine, Retry
from plugin_analytics.services.query import Query
from plugin_analytics.services.rebuild import Rebuild
from plugin_analytics.services.retention import Purge
from plugin_analytics.services.rollup import Refresh
from plugin_analytics.services.verify import Verify
from plugin_analytics.services.zones import Zones
from plugin_analytics.settings import Settings
from plugin_analytics.store import backups
from plugin_analytics.store.base import Store
from plugin_analytics.store.engine import opening
from plugin_analytics.store.sqlite import READERS, SQLiteStore

log = structlog.stdlib.get_logger(__name__)


class Plugin(PluginApp):
    """The plugin as the frame sees it."""

    records_deliveries = True

    def __init__(
        self, manifest: Manifest, settings: Settings, store: SQLiteStore, clock: Clock
    ) -> None:
        """Wire services to *store* and *clock*."""
        super().__init__(manifest)
        zone, pseudonyms = settings.zone(zone_names()), Pseudonyms(settings.key())
        zones = Zones(store, zone)
        _check_key(store, pseudonyms)
        self.stores = self._frame_stores = sql_stores(store.frame_engine)
        intake = Intake()
        hashes = Hashes(pseudonyms.subkey("tombstones"))
        book = GrantBook(store, hashes)
        replay(store, hashes, micros(clock()))
        self.webhook = Ingest(
            store,
            self._frame_stores.deliveries,
            pseudonyms,
            clock,
            plugin=self.name,
            intake=intake,
            count=self._count,
            committed=self._refresh_soon,
            asked=self._erase_soon,
            book=book,
            link=sdk.link_spans,
        )
        retry = Retry(
            store,
            clock,
            count=self._count,
            committed=self._refresh_soon,
            asked=self._erase_soon,
            book=book,
        )
        refresh = Refresh(store, zones)
        erase = Erase(store, clock, hashes, refresh, book)
        self._verify = Verify(store, clock, drifted=_tell_of_drift)
        self.jobs = [
            *jobs(refresh, retry, erase, self.name),
            *keeping_jobs(
                Purge(store, clock), self._verify, Rebuild(store, refresh), Optimize(store, clock)
            ),
        ]
        cursors, readers = Cursors(pseudonyms.subkey("cursors")), Readers(READERS)
        reads = reports(Provide(store, clock, cursors, zones))
        subject = DataSubject(store, clock, pseudonyms, hashes, book, cursors)
        self.routes = [
            *data_routes(reads, readers),
            query_route(reads, Query(store), readers),
            *settings_routes(zones, readers, self._refresh_soon),
            *me_routes(subject, readers, self._erase_soon),
            quarantine_route(Quarantine(store, cursors), readers),
            handshake_route(),
        ]
        self.checks = {
            "store": sdk.Tolerant(self._check_store, settings.store_grace_seconds),
            "counts": self._check_counts,
        }
        self.queues = {
            "ingest": store.waiting,
            "ingest_bytes": intake.bytes_waiting,
            "erasure": erase.waiting,
        }
        self._store = store
        self._clock = clock
        self._counter: EventCounter | None = None
        self._instruments = Instruments(self._count_lag)
        store.watch(self._instruments.committed, self._instruments.arrived)

    def on_start(self, core: CoreClient) -> None:
        """Count what an earlier process has left uncounted."""
        del core
        self.metrics.registry.register(self._instruments)
        self._free_leases()
        watch_drift(self.metrics.registry, lambda: self._verify.drift)
        self._refresh_soon()
        self._erase_soon()

    def on_stop(self) -> None:
        """Write what is waiting and let go of the database."""
        self._store.close()

    def _count(self, name: str, outcome: str, number: int) -> None:
        if self._counter is None:
            self._counter = EventCounter(self.metrics.events)
        self._counter(name, outcome, number)

    def _count_lag(self) -> float:
        oldest = self._store.oldest_uncounted()
        return 0.0 if oldest is None else max(0.0, (micros(self._clock()) - oldest) / 1_000_000)

    def _free_leases(self) -> None:
        """Take back what a killed process still holds: the store's lock proves that it is gone."""
        leases = self._frame_stores.leases
        for job in self.jobs:
            slot = slot_of(job.name, None)
            if holder := leases.holder(slot, now=self._clock()):
                leases.release(slot, holder)

    def _refresh_soon(self) -> None:
        self.runner.poke(REFRESH)

    def _erase_soon(self) -> None:
        self.runner.poke(ERASE)

    async def _check_counts(self) -> None:
        """Say yes with a reservation while the last verification's differences stand."""
        if self._verify.drift:
            raise CheckDegraded(f"the counts of {self._verify.drift} days differ from the events")

    async def _check_store(self) -> None:
        """Fail while the database cannot be read, or has not been written since it failed."""
        try:
            await asyncio.to_thread(self._store.setting, backups.KEY_CHECK)
            if self._store.failing_seconds():
                await asyncio.wrap_future(self._store.probe())
        except ServiceUnavailable as error:
            raise CheckFailed(_reason(error)) from error
        if self._store.failing_seconds():
            raise CheckFailed("no room is left on the volume of the database")


def create_app(settings: Settings, manifest: Manifest, *, clock: Clock = utc_now) -> Litestar:
    """Return the whole plugin as an ASGI app that owns its database."""
    store = SQLiteStore(settings.database)
    try:
        return sdk.create_app(Plugin(manifest, settings, store, clock), settings, clock=clock)
    except BaseException:
        store.close()
        raise


def build(environ: Mapping[str, str]) -> tuple[Litestar, Settings]:
    """Return the app that *environ* asks for; a bad value is a `SettingsError`."""
    manifest = load_manifest(find_manifest(environ))
    settings = sdk.read_settings(Settings, manifest, environ)
    settings.zone(zone_names())
    try:
        settings.check_folder()
        settings.key()
        with opening():
            return create_app(settings, manifest), settings
    except FolderClosed as closed:
        return stand_by(settings, manifest, closed), settings


def back_up(settings: Settings, file: Path | None) -> Path:
    """Copy the database, also of a plugin that runs, to *file* or among the regular copies."""
    now, database = utc_now(), settings.database
    if not database.is_file():
        raise CopyRefused(f"{database}: is not there; there is nothing to copy")
    target = file or backups.dated(backups.folder_of(database), now)
    if target.exists():
        raise CopyRefused(f"{target}: is there already")
    backups.make(database, target, now)
    if file is None:
        backups.prune(backups.folder_of(database), now)
    return target


def restore(settings: Settings, file: Path, *, force: bool) -> Path:
    """Put a copy in the place of the database of a plugin that is stopped."""
    check = Pseudonyms(settings.key()).check_value()
    return backups.restore(settings.database, file, check, utc_now(), force=force)


def stand_by(settings: Settings, manifest: Manifest, closed: FolderClosed) -> Litestar:
    """Return an app that is up and not ready until the folder for the data opens."""
    app = sdk.create_app(Standby(manifest, settings.check_folder), settings)
    log.error("nothing can be kept", reason=str(closed))
    return app


def _tell_of_drift(days: int) -> None:
    log.error("the counts differ from the events", days=days)


def _reason(error: ServiceUnavailable) -> str:
    """Return what is wrong, in the driver's words where there are some."""
    cause = getattr(error.__cause__, "orig", error.__cause__)
    return error.message if cause is None else f"{error.message.rstrip('.')}: {cause}"


def _check_key(store: Store, pseudonyms: Pseudonyms) -> None:
    """Refuse a key that would give everybody a second identity."""
    mine = pseudonyms.check_value()
    if store.settle(backups.KEY_CHECK, mine) != mine:
        raise WrongPseudonymKey(
            "PSEUDONYM_KEY: is not the key with which this database was written;"
            " give the former key back, or start with an empty DATA_DIR"
        )

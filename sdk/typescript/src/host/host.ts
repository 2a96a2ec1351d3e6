/** Hold the plugins of a page: what core lists is loaded, what it no longer lists is unloaded. */
import { report } from "../report.ts";
import type { PanelContext } from "../types.ts";
import type { HostedPanel, HostedPlugin, PluginRecord } from "./plugins.ts";
import type { Remotes } from "./registerRemote.ts";
import type { PageServices } from "./sdk.ts";
import { Slot } from "./slot.ts";

export interface PluginHostOptions {
  remotes: Remotes;
  page: PageServices;
  onError?: (error: unknown) => void;
}

export interface MountedPanel {
  /** Resolves when the panel stands; rejects when it could not be loaded or mounted. */
  readonly shown: Promise<void>;
  dispose(): void;
}

export interface PluginHost {
  readonly plugins: readonly HostedPlugin[];
  subscribe(onChange: () => void): () => void;
  /** Make the page agree with core's list. Unchanged plugins are not touched. */
  reconcile(records: readonly PluginRecord[]): void;
  /** Show *panel* in *el* until disposed of, or until its plugin is unloaded. */
  mountPanel(panel: HostedPanel, el: HTMLElement, context: PanelContext): MountedPanel;
  /** Have every plugin ask again for what it shows. */
  revalidate(): Promise<void>;
  dispose(): void;
}

/** Create the page's host. */
export function createPluginHost(options: PluginHostOptions): PluginHost {
  return new Host(options);
}

class Host implements PluginHost {
  plugins: readonly HostedPlugin[] = [];
  private readonly slots = new Map<string, Slot>();
  private readonly readers = new Set<() => void>();
  private readonly shown = new WeakMap<HostedPanel, object>();
  private readonly onError: (error: unknown) => void;

  constructor(private readonly options: PluginHostOptions) {
    this.onError = options.onError ?? report;
  }

  subscribe(onChange: () => void): () => void {
    this.readers.add(onChange);
    return () => void this.readers.delete(onChange);
  }

  reconcile(records: readonly PluginRecord[]): void {
    const listed = new Set(records.map((record) => record.id));
    for (const [id, slot] of this.slots) {
      if (listed.has(id)) continue;
      slot.unload();
      this.slots.delete(id);
    }
    for (const record of records) this.slotFor(record.id).follow(record);
    this.changed();
  }

  mountPanel(panel: HostedPanel, el: HTMLElement, context: PanelContext): MountedPanel {
    const hold = {};
    this.shown.set(panel, hold);
    // A panel stands in one place: a later mount takes it over, and this one has no say any more.
    const isCurrent = () => this.shown.get(panel) === hold;
    const dispose = () => {
      if (!isCurrent()) return;
      this.shown.delete(panel);
      this.guard(() => panel.lifecycle.value?.unmount());
    };
    const release = panel.lifecycle.onDispose(dispose);
    const shown = panel.lifecycle.ready().then(
      (loaded) => {
        if (isCurrent()) loaded.mount(el, context);
      },
      (error: unknown) => {
        if (isCurrent()) throw error;
      },
    );
    return {
      shown,
      dispose() {
        release();
        dispose();
      },
    };
  }

  async revalidate(): Promise<void> {
    const caches = this.plugins.flatMap(({ sdk }) => (sdk === undefined ? [] : [sdk.cache]));
    await Promise.all(caches.map((cache) => cache.revalidate()));
  }

  dispose(): void {
    this.reconcile([]);
    this.readers.clear();
  }

  private slotFor(id: string): Slot {
    const slot = this.slots.get(id) ?? this.createSlot();
    this.slots.set(id, slot);
    return slot;
  }

  private createSlot(): Slot {
    const { remotes, page } = this.options;
    return new Slot(remotes, page, () => this.changed());
  }

  private changed(): void {
    this.plugins = [...this.slots.values()].map((slot) => slot.view());
    for (const reader of [...this.readers]) this.guard(reader);
  }

  /** A plugin's mistake must not stop the page from going on without it. */
  private guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.onError(error);
    }
  }
}

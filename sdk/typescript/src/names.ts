/** Ids to names: gathered into few requests, and remembered for a while. */
import type { Names } from "./types.ts";

export type LoadNames = (ids: readonly string[]) => Promise<Readonly<Record<string, string>>>;

export interface NamesOptions {
  load: LoadNames;
  /** Most ids in one request. */
  batch?: number;
  /** How long an answer holds, in milliseconds; also the answer that there is no name. */
  keepFor?: number;
  now?: () => number;
}

interface Known {
  name: string | undefined;
  until: number;
}

/** Create a resolver that asks once for all ids wanted in the same turn. */
export function createNames(options: NamesOptions): Names {
  const { load, batch = 100, keepFor = 300_000, now = Date.now } = options;
  const known = new Map<string, Known>();
  let gathering: { ids: Set<string>; done: Promise<void> } | undefined;

  function isKnown(id: string): boolean {
    const answer = known.get(id);
    return answer !== undefined && answer.until > now();
  }

  async function ask(ids: readonly string[]): Promise<void> {
    const names = await load(ids);
    for (const id of ids) {
      const name = Object.hasOwn(names, id) ? names[id] : undefined;
      known.set(id, { name, until: now() + keepFor });
    }
  }

  async function gather(ids: ReadonlySet<string>): Promise<void> {
    await Promise.resolve();
    gathering = undefined;
    await Promise.all(chunks([...ids], batch).map(ask));
  }

  function want(ids: readonly string[]): Promise<void> {
    if (gathering === undefined) {
      const wanted = new Set<string>();
      gathering = { ids: wanted, done: gather(wanted) };
    }
    for (const id of ids) gathering.ids.add(id);
    return gathering.done;
  }

  async function resolve(ids: readonly string[]): Promise<Record<string, string>> {
    const missing = ids.filter((id) => !isKnown(id));
    if (missing.length > 0) await want(missing);
    return Object.fromEntries(
      ids.flatMap((id) => {
        const name = known.get(id)?.name;
        return name === undefined ? [] : [[id, name] as const];
      }),
    );
  }

  return { resolve };
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, i) => items.slice(i * size, (i + 1) * size));
}

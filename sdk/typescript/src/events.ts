/** One stream of events for a whole page, shared by everything that subscribes. */
import { report } from "./report.ts";
import type { Events } from "./types.ts";

export type Connection = "connecting" | "open" | "away";

export interface EventStream extends Events {
  readonly connection: Connection;
  /** Call *handler* whenever the connection changes, until the returned function is called. */
  onConnection(handler: (connection: Connection) => void): () => void;
  close(): void;
}

export interface EventStreamOptions {
  url: string;
  /** Stands in for the browser's `EventSource` in tests. */
  open?: (url: string) => EventSource;
  onError?: (error: unknown) => void;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;

/** Core's sign of life; its interval tells how long a silence may last. */
const HEARTBEAT = "core.heartbeat";
const MISSED_BEATS = 2.5;

/** Open the page's one stream of events and keep it open. */
export function createEventStream(options: EventStreamOptions): EventStream {
  return new Stream(options);
}

class Stream implements EventStream {
  connection: Connection = "connecting";
  private source: EventSource | undefined;
  private closed = false;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private longestSilenceMs: number | undefined;
  private readonly topics = new Map<string, Set<(msg: unknown) => void>>();
  private readonly watchers = new Set<(connection: Connection) => void>();
  private readonly url: string;
  private readonly open: (url: string) => EventSource;
  private readonly onError: (error: unknown) => void;

  constructor({ url, open = (at) => new EventSource(at), onError = report }: EventStreamOptions) {
    this.url = url;
    this.open = open;
    this.onError = onError;
    this.connect();
  }

  subscribe(topic: string, handler: (msg: never) => void): () => void {
    const handlers = this.topics.get(topic) ?? new Set();
    // A hold of its own: the same function may subscribe twice and let go once.
    const hold = (msg: unknown) => handler(msg as never);
    this.topics.set(topic, handlers.add(hold));
    return () => {
      handlers.delete(hold);
      if (handlers.size === 0) this.topics.delete(topic);
    };
  }

  onConnection(handler: (connection: Connection) => void): () => void {
    this.watchers.add(handler);
    return () => void this.watchers.delete(handler);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    this.source?.close();
    this.topics.clear();
    this.watchers.clear();
  }

  private connect(): void {
    const source = this.open(this.url);
    this.source = source;
    source.onopen = () => {
      this.failures = 0;
      this.become("open");
    };
    source.onmessage = (event) => {
      this.deliver(event.data);
      this.listen(source);
    };
    source.onerror = () => this.lose(source);
  }

  /**
   * Give a line up that has been silent for too long. A network that went away without a word
   * leaves it open for the browser, for minutes or for ever.
   */
  private listen(source: EventSource): void {
    clearTimeout(this.silence);
    if (this.longestSilenceMs === undefined || this.closed) return;
    this.silence = setTimeout(() => {
      source.close();
      this.become("away");
      this.connect();
    }, this.longestSilenceMs);
  }

  /** The browser tries again after a broken line, but gives up after a refusal; then we try. */
  private lose(source: EventSource): void {
    clearTimeout(this.silence);
    this.become("away");
    if (source.readyState !== CLOSED || this.closed) return;
    source.close();
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** this.failures, LONGEST_PAUSE_MS);
    this.failures += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), longest * (0.5 + Math.random() / 2));
  }

  private become(connection: Connection): void {
    if (this.connection === connection || this.closed) return;
    this.connection = connection;
    for (const watcher of [...this.watchers]) this.guard(() => watcher(connection));
  }

  private deliver(data: unknown): void {
    const frame = readFrame(data);
    if (frame === undefined) return;
    if (frame.type === HEARTBEAT) this.beat(frame);
    const message = "payload" in frame ? frame.payload : frame;
    for (const handler of [...(this.topics.get(frame.type) ?? [])]) {
      this.guard(() => handler(message));
    }
  }

  private beat({ seconds }: Frame): void {
    if (typeof seconds === "number" && seconds > 0) {
      this.longestSilenceMs = seconds * MISSED_BEATS * 1000;
    }
  }

  /** One subscriber's mistake is not another one's silence. */
  private guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.onError(error);
    }
  }
}

/** `EventSource.CLOSED`, which a page without EventSource cannot name. */
const CLOSED = 2;

interface Frame {
  type: string;
  payload?: unknown;
  seconds?: unknown;
}

/** Read `{type, payload?}`; anything else belongs to no topic. */
function readFrame(data: unknown): Frame | undefined {
  try {
    const frame: unknown = JSON.parse(String(data));
    return isFrame(frame) ? frame : undefined;
  } catch {
    return undefined;
  }
}

function isFrame(value: unknown): value is Frame {
  return (
    typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"
  );
}

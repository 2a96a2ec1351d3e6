import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createEventStream } from "./events.ts";

/** The browser's side of a line, moved by the test. */
class Line {
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  closed = false;

  close(): void {
    this.closed = true;
    this.readyState = 2;
  }

  arrive(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  say(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }

  break(refused: boolean): void {
    this.readyState = refused ? 2 : 0;
    this.onerror?.();
  }
}

function openStream() {
  const lines: Line[] = [];
  const errors: unknown[] = [];
  const stream = createEventStream({
    url: "/api/events/stream",
    open() {
      const line = new Line();
      lines.push(line);
      return line as unknown as EventSource;
    },
    onError: (error) => void errors.push(error),
  });
  const line = () => lines.at(-1) as Line;
  return { stream, lines, line, errors };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("the stream", () => {
  it("is one line for all topics", () => {
    const { stream, lines } = openStream();
    stream.subscribe("a", () => undefined);
    stream.subscribe("b", () => undefined);
    expect(lines).toHaveLength(1);
  });

  it("hands a subscriber the payloads of its topic, and whole frames without one", () => {
    const { stream, line } = openStream();
    const heard: unknown[] = [];
    stream.subscribe("story.created", (msg: unknown) => heard.push(msg));
    stream.subscribe("plugin.changed", (msg: unknown) => heard.push(msg));
    line().say({ type: "story.created", payload: { story_id: "1" } });
    line().say({ type: "other", payload: {} });
    line().say({ type: "plugin.changed", id: "demo" });
    expect(heard).toEqual([{ story_id: "1" }, { type: "plugin.changed", id: "demo" }]);
  });

  it("lets a handler go without the same handler elsewhere", () => {
    const { stream, line } = openStream();
    const handler = vi.fn();
    const end = stream.subscribe("a", handler);
    stream.subscribe("a", handler);
    end();
    end();
    line().say({ type: "a", payload: 1 });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("goes on when a handler throws, and says so", () => {
    const { stream, line, errors } = openStream();
    const second = vi.fn();
    stream.subscribe("a", () => {
      throw new Error("mine");
    });
    stream.subscribe("a", second);
    line().say({ type: "a" });
    expect(second).toHaveBeenCalled();
    expect(errors).toMatchObject([{ message: "mine" }]);
  });

  it.each(["", "not json", "null", "7", "[]", '{"type":7}'])("passes over %j", (frame) => {
    const { stream, line, errors } = openStream();
    const handler = vi.fn();
    stream.subscribe("a", handler);
    line().say(frame);
    expect(handler).not.toHaveBeenCalled();
    expect(errors).toEqual([]);
  });
});

describe("a lost line", () => {
  it("is left to the browser while it tries again by itself", async () => {
    const { stream, lines, line } = openStream();
    line().arrive();
    line().break(false);
    expect(stream.connection).toBe("away");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines).toHaveLength(1);
    line().arrive();
    expect(stream.connection).toBe("open");
  });

  it("is opened anew after a refusal, with the subscriptions kept", async () => {
    const { stream, lines, line } = openStream();
    const handler = vi.fn();
    stream.subscribe("a", handler);
    line().break(true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lines).toHaveLength(2);
    line().arrive();
    line().say({ type: "a", payload: 1 });
    expect(handler).toHaveBeenCalledWith(1);
  });

  it("is opened with longer pauses, up to a quarter of a minute", async () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const { lines, line } = openStream();
    for (const pause of [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      const before = lines.length;
      line().break(true);
      await vi.advanceTimersByTimeAsync(pause - 1);
      expect(lines).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(lines).toHaveLength(before + 1);
    }
  });

  it("is told to watchers once per change", () => {
    const { stream, line } = openStream();
    const seen: string[] = [];
    stream.onConnection((connection) => seen.push(connection));
    line().arrive();
    line().break(false);
    line().break(false);
    line().arrive();
    expect(seen).toEqual(["open", "away", "open"]);
  });

  it("stays closed when the page closed it", async () => {
    const { stream, lines, line } = openStream();
    line().break(true);
    stream.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines).toHaveLength(1);
    expect(line().closed).toBe(true);
  });
});

describe("a line that fell silent", () => {
  const beat = { type: "core.heartbeat", seconds: 15 };

  it("is given up after two and a half missed heartbeats, and opened anew", () => {
    const { stream, lines, line } = openStream();
    line().arrive();
    line().say(beat);
    vi.advanceTimersByTime(37_000);
    line().say(beat);
    vi.advanceTimersByTime(37_000);
    expect([stream.connection, lines.length]).toEqual(["open", 1]);
    vi.advanceTimersByTime(1_000);
    expect([stream.connection, lines.length]).toEqual(["away", 2]);
    expect(lines[0]?.closed).toBe(true);
    line().arrive();
    expect(stream.connection).toBe("open");
  });

  it("is no more than quiet where core sends no heartbeat", () => {
    const { stream, lines, line } = openStream();
    line().arrive();
    line().say({ type: "story.created", payload: {} });
    vi.advanceTimersByTime(3_600_000);
    expect([stream.connection, lines.length]).toEqual(["open", 1]);
  });

  it("is left alone once the stream is closed, or the browser is trying itself", () => {
    const first = openStream();
    first.line().arrive();
    first.line().say(beat);
    first.stream.close();
    const second = openStream();
    second.line().arrive();
    second.line().say(beat);
    second.line().break(false);
    vi.advanceTimersByTime(60_000);
    expect([first.lines.length, second.lines.length]).toEqual([1, 1]);
  });
});

import { describe, expect, it, vi } from "vitest";
import { createLifecycle } from "./lifecycle.ts";

const ended = () => new Error("ended");

describe("the life of a contribution", () => {
  it("goes from registered over loading to ready, and loads once", async () => {
    const load = vi.fn(() => Promise.resolve("panel"));
    const life = createLifecycle(load, ended);
    expect(life.phase).toBe("registered");
    expect(load).not.toHaveBeenCalled();
    const both = Promise.all([life.ready(), life.ready()]);
    expect(life.phase).toBe("loading");
    expect(await both).toEqual(["panel", "panel"]);
    expect(await life.ready()).toBe("panel");
    expect(life).toMatchObject({ phase: "ready", value: "panel" });
    expect(load).toHaveBeenCalledTimes(1);
  });

  it("can fail and begin again", async () => {
    const load = vi.fn<() => Promise<string>>();
    load.mockRejectedValueOnce(new Error("away")).mockResolvedValueOnce("here");
    const life = createLifecycle(load, ended);
    await expect(life.ready()).rejects.toThrow("away");
    expect(life.phase).toBe("failed");
    expect(await life.ready()).toBe("here");
  });

  it("ends once, tells everyone, and brings nothing back", async () => {
    const life = createLifecycle(() => Promise.resolve(1), ended);
    await life.ready();
    const handler = vi.fn();
    const released = vi.fn();
    life.onDispose(handler);
    life.onDispose(released)();
    life.dispose();
    life.dispose();
    expect(handler).toHaveBeenCalledTimes(1);
    expect(released).not.toHaveBeenCalled();
    expect(life).toMatchObject({ phase: "disposed", value: undefined });
    await expect(life.ready()).rejects.toThrow("ended");
    const late = vi.fn();
    life.onDispose(late);
    expect(late).toHaveBeenCalledTimes(1);
  });

  it("refuses what arrives after its end", async () => {
    let arrive: (value: string) => void = () => undefined;
    const life = createLifecycle(() => new Promise<string>((resolve) => (arrive = resolve)), ended);
    const waiting = life.ready();
    life.dispose();
    arrive("too late");
    await expect(waiting).rejects.toThrow("ended");
    expect(life).toMatchObject({ phase: "disposed", value: undefined });
  });

  it("still holds its value while its end is told, so that a panel can be unmounted", async () => {
    const life = createLifecycle(() => Promise.resolve("panel"), ended);
    await life.ready();
    let seen: string | undefined;
    life.onDispose(() => (seen = life.value));
    life.dispose();
    expect(seen).toBe("panel");
  });
});

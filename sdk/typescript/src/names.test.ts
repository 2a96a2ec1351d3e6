import { describe, expect, it, vi } from "vitest";
import { createNames } from "./names.ts";

const PEOPLE: Record<string, string> = { a: "Astrid", b: "Bo" };

function directory(options: { batch?: number; keepFor?: number; now?: () => number } = {}) {
  const asked: string[][] = [];
  const names = createNames({
    ...options,
    load: (ids) => {
      asked.push([...ids]);
      return Promise.resolve(PEOPLE);
    },
  });
  return { names, asked };
}

describe("names", () => {
  it("are asked for once for all who want them in the same turn", async () => {
    const { names, asked } = directory();
    const [first, second] = await Promise.all([
      names.resolve(["a", "b"]),
      names.resolve(["b", "x"]),
    ]);
    expect(first).toEqual({ a: "Astrid", b: "Bo" });
    expect(second).toEqual({ b: "Bo" });
    expect(asked).toEqual([["a", "b", "x"]]);
  });

  it("are remembered, and so is that there is none", async () => {
    const { names, asked } = directory();
    await names.resolve(["a", "x"]);
    expect(await names.resolve(["a", "x"])).toEqual({ a: "Astrid" });
    expect(asked).toHaveLength(1);
  });

  it("are asked for again when they grow old", async () => {
    let now = 0;
    const { names, asked } = directory({ keepFor: 10, now: () => now });
    await names.resolve(["a"]);
    now = 10;
    await names.resolve(["a"]);
    expect(asked).toHaveLength(2);
  });

  it("travel in batches", async () => {
    const { names, asked } = directory({ batch: 2 });
    await names.resolve(["a", "b", "c"]);
    expect(asked).toEqual([["a", "b"], ["c"]]);
  });

  it("need no request for nobody", async () => {
    const { names, asked } = directory();
    expect(await names.resolve([])).toEqual({});
    expect(asked).toEqual([]);
  });

  it("can be asked for again after a failure", async () => {
    const load = vi.fn<() => Promise<Record<string, string>>>();
    load.mockRejectedValueOnce(new Error("away")).mockResolvedValueOnce({ a: "Astrid" });
    const names = createNames({ load });
    await expect(names.resolve(["a"])).rejects.toThrow("away");
    expect(await names.resolve(["a"])).toEqual({ a: "Astrid" });
  });

  it("cannot be mistaken for what every object has", async () => {
    const { names } = directory();
    expect(await names.resolve(["constructor", "__proto__"])).toEqual({});
  });
});

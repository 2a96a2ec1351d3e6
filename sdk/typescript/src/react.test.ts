import { act, renderHook } from "@testing-library/react";
import { createElement, type ReactNode } from "react";
import { describe, expect, it, vi } from "vitest";
import { SdkProvider, useQuery, useSdk } from "./react.ts";
import { createFakeSdk, reply } from "./testing.ts";

const context = { tenantId: "t", locale: "en", legacies: [] };

describe("useSdk", () => {
  it("returns the SDK and the page's context", () => {
    const sdk = createFakeSdk();
    const wrapper = ({ children }: { children: ReactNode }) =>
      createElement(SdkProvider, { sdk, context }, children);
    const { result } = renderHook(() => useSdk(), { wrapper });
    expect(result.current).toEqual({ ...context, sdk });
  });

  it("finds the provider of another copy of this module, as a remote does", async () => {
    vi.resetModules();
    const host = await import("./react.ts");
    expect(host.SdkProvider).not.toBe(SdkProvider);
    const sdk = createFakeSdk();
    const wrapper = ({ children }: { children: ReactNode }) =>
      createElement(host.SdkProvider, { sdk, context }, children);
    expect(renderHook(() => useSdk(), { wrapper }).result.current.sdk).toBe(sdk);
  });

  it("says what is missing", () => {
    vi.spyOn(console, "error").mockReturnValue();
    expect(() => renderHook(() => useSdk())).toThrow("SdkProvider");
  });
});

describe("useQuery", () => {
  const read = (sdk = createFakeSdk({ responses: { "/v1/a": 1, "/v1/b": 2 } })) => {
    const view = renderHook(({ path }) => useQuery<number>(sdk.cache, path), {
      initialProps: { path: "/v1/a" },
    });
    return { sdk, ...view };
  };
  const settled = () => act(() => new Promise((resolve) => setTimeout(resolve, 5)));

  it("is waiting, then shows the answer, and asks again on request", async () => {
    const { sdk, result } = read();
    expect(result.current).toMatchObject({ data: undefined, fetching: true });
    await settled();
    expect(result.current).toMatchObject({ data: 1, fetching: false, error: undefined });
    sdk.respond("/v1/a", 7);
    act(() => result.current.refresh());
    await settled();
    expect(result.current.data).toBe(7);
  });

  it("follows its path, and forgets the last one's value", async () => {
    const { result, rerender } = read();
    await settled();
    rerender({ path: "/v1/b" });
    expect(result.current.data).toBeUndefined();
    await settled();
    expect(result.current.data).toBe(2);
  });

  it("keeps the value beside an error", async () => {
    const { sdk, result } = read();
    await settled();
    sdk.respond("/v1/a", reply(403));
    act(() => result.current.refresh());
    await settled();
    expect(result.current).toMatchObject({ data: 1, error: { status: 403 } });
  });

  it("is one object until something changes, and lets go when it leaves", async () => {
    const { sdk, result, rerender, unmount } = read();
    await settled();
    const before = result.current;
    rerender({ path: "/v1/a" });
    expect(result.current).toBe(before);
    unmount();
    await sdk.cache.revalidate();
    expect(sdk.requests).toHaveLength(1);
  });
});

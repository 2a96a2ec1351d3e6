import { renderHook } from "@testing-library/react";
import { createElement, type ReactNode } from "react";
import { describe, expect, it, vi } from "vitest";
import { SdkProvider, useSdk } from "./react";
import { createFakeSdk } from "./testing";

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
    const host = await import("./react");
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

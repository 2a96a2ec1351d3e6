import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createRouter, placeOf, type Router } from "./router";

let router: Router;

beforeEach(() => {
  vi.spyOn(window, "scrollTo").mockReturnValue();
  window.history.replaceState(null, "", "/");
  router = createRouter();
});
afterEach(() => {
  router.stop();
  document.body.replaceChildren();
});

/** Click a link with *attributes*; true when the router kept the click. */
function click(attributes: Record<string, string>, init: MouseEventInit = {}): boolean {
  const link = document.createElement("a");
  for (const [name, value] of Object.entries(attributes)) link.setAttribute(name, value);
  document.body.append(link);
  // Keeps the test's window where it is when the router lets a click through.
  const stay = (event: Event) => {
    kept = event.defaultPrevented;
    event.preventDefault();
  };
  let kept = false;
  window.addEventListener("click", stay, { once: true });
  link.dispatchEvent(
    new MouseEvent("click", { bubbles: true, composed: true, cancelable: true, ...init }),
  );
  return kept;
}

describe("the router", () => {
  it("turns a click on its own link into a move", () => {
    const reader = vi.fn();
    router.subscribe(reader);
    expect(click({ href: "/legacies/1?x=2" })).toBe(true);
    expect(router.path).toBe("/legacies/1");
    expect(window.location.search).toBe("?x=2");
    expect(reader).toHaveBeenCalledTimes(1);
  });

  it.each([
    [{ href: "https://elsewhere.test/" }],
    [{ href: "/", target: "_blank" }],
    [{ href: "/file", download: "" }],
    [{ href: "/api/plugins/demo/proxy/v1/export" }],
    [{ href: "/mf/demo/x.js" }],
    [{ href: "#main" }],
    [{}],
  ])("leaves %j to the browser", (attributes) => {
    expect(click(attributes)).toBe(false);
    expect(router.path).toBe("/");
  });

  it.each([
    { ctrlKey: true },
    { metaKey: true },
    { shiftKey: true },
    { altKey: true },
    { button: 1 },
  ])("leaves a click with %j to the browser", (init) => {
    expect(click({ href: "/status" }, init)).toBe(false);
  });

  it("follows links inside a shadow root, where pages of plugins live", () => {
    const host = document.createElement("div");
    const root = host.attachShadow({ mode: "open" });
    root.innerHTML = '<a href="/legacies/7"><b>Seven</b></a>';
    document.body.append(host);
    root
      .querySelector("b")
      ?.dispatchEvent(new MouseEvent("click", { bubbles: true, composed: true, cancelable: true }));
    expect(router.path).toBe("/legacies/7");
  });

  it("tells readers when the browser goes back, until they let go", () => {
    const reader = vi.fn();
    const end = router.subscribe(reader);
    window.dispatchEvent(new PopStateEvent("popstate"));
    end();
    window.dispatchEvent(new PopStateEvent("popstate"));
    expect(reader).toHaveBeenCalledTimes(1);
  });

  it("writes no second entry for the same address", () => {
    const before = window.history.length;
    router.navigate("/status");
    router.navigate("/status");
    expect(window.history.length - before).toBeLessThanOrEqual(1);
    expect(router.path).toBe("/status");
  });

  it("lets go of the window", () => {
    router.stop();
    expect(click({ href: "/status" })).toBe(false);
  });
});

describe("an address", () => {
  it.each([
    ["/", { page: "home" }],
    ["/status/", { page: "status" }],
    ["/legacies/a%20b", { page: "legacy", legacyId: "a b" }],
    ["/legacies/%E0%A4%A", { page: "legacy", legacyId: "%E0%A4%A" }],
    ["/legacies", { page: "nowhere" }],
    ["/legacies/a/b", { page: "nowhere" }],
    ["/plugins/demo/reports/1", { page: "plugin", path: "/demo/reports/1" }],
    ["/plugins", { page: "nowhere" }],
    ["/elsewhere", { page: "nowhere" }],
  ])("%s names a page", (path, place) => {
    expect(placeOf(path)).toEqual(place);
  });
});

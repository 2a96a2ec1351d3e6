import { describe, expect, it } from "vitest";
import { RemoteError } from "../errors.ts";
import {
  asAction,
  asComponent,
  asPanel,
  containerName,
  isBelow,
  pick,
  readComponent,
  readContributions,
} from "./contributions.ts";

describe("a manifest's contributions", () => {
  it("are read as Appendix A writes them, a panel without a component as Panel#panel", () => {
    const read = readContributions("demo", {
      panels: [{ id: "demo.panel", title: "Demo" }],
      routes: [{ path: "/demo", component: "Routes#DemoPage" }],
    });
    expect(read.panels).toEqual([
      { id: "demo.panel", title: "Demo", component: { module: "Panel", name: "panel" } },
    ]);
    expect(read.routes).toEqual([
      { path: "/demo", component: { module: "Routes", name: "DemoPage" } },
    ]);
    expect(read.problems).toEqual([]);
  });

  it.each([undefined, null, 7, [], {}, { panels: "x" }])("may be missing: %j", (declared) => {
    const nothing = { panels: [], routes: [], commands: [], contextMenus: [], problems: [] };
    expect(readContributions("demo", declared)).toEqual(nothing);
  });

  it("are refused one by one, in words", () => {
    const read = readContributions("demo", {
      panels: [{ title: "no id" }, { id: "p", component: "nowhere" }, { id: "ok" }],
      routes: [{ path: "/demonic", component: "A#b" }, { path: "/demo/x", component: "A" }, 7],
    });
    expect(read.panels.map(({ id }) => id)).toEqual(["ok"]);
    expect(read.routes).toEqual([]);
    expect(read.problems).toEqual([
      "panels[0]: a panel needs an id",
      'panels[1]: "nowhere" is not <module>#<export>',
      'routes[0]: the path of a page begins with "/demo"',
      'routes[1]: "A" is not <module>#<export>',
      'routes[2]: the path of a page begins with "/demo"',
    ]);
  });

  it("of actions are read with their components; one without is left to the plugin's code", () => {
    const read = readContributions("demo", {
      commands: [
        { id: "a", title: "A", component: "Commands#a" },
        { id: "b", title: "B" },
        { id: "c" },
        { id: "d", title: "D", component: "d" },
        { title: "E" },
      ],
      contextMenus: [
        { id: "m", title: "M", target: "legacy", component: "Commands#m" },
        { id: "n", title: "N", component: "Commands#n" },
      ],
    });
    const component = (name: string) => ({ module: "Commands", name });
    expect(read.commands).toEqual([{ id: "a", title: "A", component: component("a") }]);
    expect(read.contextMenus).toEqual([
      { id: "m", title: "M", target: "legacy", component: component("m") },
    ]);
    expect(read.problems).toEqual([
      "commands[2]: an action needs a title",
      'commands[3]: "d" is not <module>#<export>',
      "commands[4]: an action needs an id",
      "contextMenus[1]: an entry of a menu needs a target",
    ]);
  });

  it("name their components with or without ./", () => {
    expect(readComponent("./Routes#Page")).toEqual({ module: "Routes", name: "Page" });
    expect(readComponent("a/b-c#default")).toEqual({ module: "a/b-c", name: "default" });
    for (const bad of ["", "#x", "A#", "A#b#c", "A#1", "A b#c"]) {
      expect(readComponent(bad)).toBeUndefined();
    }
  });
});

describe("a loaded module", () => {
  const component = { module: "Panel", name: "panel" };

  it("gives the export that was declared", () => {
    expect(pick("demo", { panel: 1, default: 2 }, component)).toBe(1);
    expect(() => pick("demo", { default: 2 }, component)).toThrow(RemoteError);
  });

  it("must keep the contract of a panel", () => {
    const panel = { id: "p", title: "P", mount: () => undefined, unmount: () => undefined };
    expect(asPanel("demo", panel)).toBe(panel);
    expect(() => asPanel("demo", { mount: () => undefined })).toThrow("without mount and unmount");
  });

  it("must bring a function where something is to be done", () => {
    const run = () => undefined;
    expect(asAction("demo", run)).toBe(run);
    expect(() => asAction("demo", { run })).toThrow("not a function");
  });

  it("must bring a component, plain or wrapped", () => {
    const plain = () => null;
    const wrapped = { $$typeof: Symbol.for("react.memo") };
    expect(asComponent("demo", plain)).toBe(plain);
    expect(asComponent("demo", wrapped)).toBe(wrapped);
    expect(() => asComponent("demo", "div")).toThrow("not a component");
  });
});

describe("names on the page", () => {
  it("carry the plugin's id", () => {
    expect(containerName("family-tree-2")).toBe("plugin_family_tree_2");
  });

  it("are below an id only with a slash", () => {
    expect(isBelow("/a", "/a")).toBe(true);
    expect(isBelow("/a", "/a/b")).toBe(true);
    expect(isBelow("/a", "/ab")).toBe(false);
  });
});

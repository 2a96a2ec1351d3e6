// A Module Federation container by hand: one panel, no framework, no build.
globalThis.plugin_letters = (() => {
  let host;
  const panel = {
    id: "letters.panel",
    title: "Letters",
    mount(el, { sdk }) {
      host = el;
      sdk.http.get("/v1/data/items").then(({ data }) => {
        if (host === el) el.textContent = data.text;
      });
    },
    unmount() {
      if (host) host.textContent = "";
      host = undefined;
    },
  };
  return {
    init() {},
    get: (module) =>
      module === "./Panel"
        ? Promise.resolve(() => ({ panel }))
        : Promise.reject(new Error(`${module} is not exposed`)),
  };
})();

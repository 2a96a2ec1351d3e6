globalThis.plugin_bare = {
  init() {},
  get(module) {
    const panel = {
      id: "bare.panel",
      title: "Bare",
      mount: (element) => element.append("Hello"),
      unmount() {},
    };
    if (module === "./Panel") return Promise.resolve(() => ({ panel }));
    return Promise.reject(new Error(`there is no ${module}`));
  },
};

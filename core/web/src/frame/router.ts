/** The page's own address, kept in the browser's history. */

export interface Router {
  readonly path: string;
  navigate(to: string): void;
  subscribe: (onChange: () => void) => () => void;
  /** Let go of the window. */
  stop(): void;
}

/** Follow the address of *win*, and turn clicks on the shell's own links into moves within the page. */
export function createRouter(win: Window = window): Router {
  const readers = new Set<() => void>();
  const tell = () => {
    for (const reader of [...readers]) reader();
  };

  function navigate(to: string): void {
    if (to !== win.location.pathname + win.location.search) win.history.pushState(null, "", to);
    // As the browser's own moves are told, so that a page that reads the address hears of it too.
    win.dispatchEvent(new PopStateEvent("popstate", { state: null }));
    win.scrollTo(0, 0);
  }

  function follow(event: MouseEvent): void {
    const target = inPageTarget(event, win.location);
    if (target === undefined) return;
    event.preventDefault();
    navigate(target);
  }

  win.addEventListener("popstate", tell);
  win.document.addEventListener("click", follow);
  return {
    get path() {
      return win.location.pathname;
    },
    navigate,
    subscribe(onChange) {
      readers.add(onChange);
      return () => void readers.delete(onChange);
    },
    stop() {
      win.removeEventListener("popstate", tell);
      win.document.removeEventListener("click", follow);
    },
  };
}

/** Core answers these itself; a link to them leaves the page. */
const NOT_OURS = /^\/(api|mf|assets)\//;

/** The address a plain click leads to, when it is one of ours. Links in shadow roots count too. */
function inPageTarget(event: MouseEvent, here: Location): string | undefined {
  const modified = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  if (event.defaultPrevented || event.button !== 0 || modified) return undefined;
  const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
  if (link === undefined || !link.hasAttribute("href") || leavesPage(link)) return undefined;
  const { origin, pathname, search, hash } = new URL(link.href, here.href);
  const withinPage = hash !== "" && pathname === here.pathname;
  if (origin !== here.origin || NOT_OURS.test(pathname) || withinPage) return undefined;
  return pathname + search;
}

function leavesPage(link: HTMLAnchorElement): boolean {
  const elsewhere = link.target !== "" && link.target !== "_self";
  return elsewhere || link.hasAttribute("download");
}

/** Which page an address names. */
export type Place =
  | { page: "home" }
  | { page: "legacy"; legacyId: string }
  | { page: "plugin"; path: string }
  | { page: "status" }
  | { page: "nowhere" };

/** Read *path*. A plugin's part of it begins with its id: `/plugins/<id>/…` is `/<id>/…`. */
export function placeOf(path: string): Place {
  const plain = path.length > 1 ? path.replace(/\/+$/, "") : path;
  if (plain === "" || plain === "/") return { page: "home" };
  if (plain === "/status") return { page: "status" };
  const [, legacyId] = /^\/legacies\/([^/]+)$/.exec(plain) ?? [];
  if (legacyId !== undefined) return { page: "legacy", legacyId: decoded(legacyId) };
  const [, pluginPath] = /^\/plugins(\/.+)$/.exec(plain) ?? [];
  if (pluginPath !== undefined) return { page: "plugin", path: pluginPath };
  return { page: "nowhere" };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

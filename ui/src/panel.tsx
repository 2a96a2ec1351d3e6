/** The panel beside a legacy (spec §7.3). Exposed as `./Panel`. */
import type { Panel } from "@mosaiclife/plugin-sdk";
import { createRoot, type Root } from "react-dom/client";
import { Boundary } from "./components/Boundary";
import { panelId, panelTitle } from "./identity";
import { openShadow } from "./shadow";
import base from "./styles/base.css";
import chart from "./styles/chart.css";
import sheet from "./styles/panel.css";
import { PanelView } from "./views/PanelView";

let live: { node: HTMLElement; root: Root } | undefined;

export const panel: Panel = {
  id: panelId,
  title: panelTitle,

  mount(el, ctx) {
    panel.unmount();
    // A child of its own: the host's React may remove its element whenever it likes.
    const node = el.ownerDocument.createElement("div");
    el.append(node);
    const root = createRoot(openShadow(node, [base, chart, sheet]));
    root.render(
      <Boundary>
        <PanelView ctx={ctx} />
      </Boundary>,
    );
    live = { node, root };
  },

  unmount() {
    const gone = live;
    live = undefined;
    gone?.node.remove();
    // Later: the host's React may be rendering now, and one root may not end another's meanwhile.
    queueMicrotask(() => gone?.root.unmount());
  },
};

export default panel;

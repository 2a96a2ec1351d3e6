import type { Legacy } from "@mosaiclife/plugin-sdk";
import type { HostedPlugin } from "@mosaiclife/plugin-sdk/host";
import { usePlugins } from "../data/context";
import { Boundary } from "../frame/Boundary";
import { Note } from "../frame/Note";
import { PanelSlot } from "./PanelSlot";
import { absence, cannotShow } from "./words";

/** What the plugins show beside a legacy. */
export function Sidebar({ legacy }: { legacy: Legacy }) {
  const plugins = usePlugins();
  if (plugins.length === 0) return null;
  return (
    <aside className="sidebar" aria-label="Beside this legacy">
      {plugins.map((plugin) => (
        <PluginPanels key={plugin.generation ?? plugin.id} plugin={plugin} legacy={legacy} />
      ))}
    </aside>
  );
}

function PluginPanels({ plugin, legacy }: { plugin: HostedPlugin; legacy: Legacy }) {
  const { id, title, sdk, panels } = plugin;
  const missing = absence(plugin);
  if (missing !== undefined) return <Note testId={`plugin-note-${id}`}>{missing}</Note>;
  if (sdk === undefined) return null;
  return panels.map((panel) => (
    <Boundary key={panel.id} fallback={(retry) => <Note retry={retry}>{cannotShow(title)}</Note>}>
      <PanelSlot panel={panel} sdk={sdk} legacy={legacy} />
    </Boundary>
  ));
}

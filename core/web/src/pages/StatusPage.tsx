import type { HostedPlugin } from "@mosaiclife/plugin-sdk/host";
import { useState } from "react";
import { usePlugins, useServices } from "../data/context";
import { useTitle } from "../frame/useTitle";

/** The plugins and their states, for those who look after this instance. */
export function StatusPage() {
  const plugins = usePlugins();
  useTitle("Plugins");
  return (
    <div className="page">
      <h1>Plugins</h1>
      <p className="lead">What is connected to this core, and how it is.</p>
      {plugins.length === 0 && <p className="card note">No plugin has registered yet.</p>}
      <ul className="legacies">
        {plugins.map((plugin) => (
          <li key={plugin.id}>
            <PluginCard plugin={plugin} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function PluginCard({ plugin }: { plugin: HostedPlugin }) {
  const { id, title, version, state, reason, problems } = plugin;
  const remarks = [...(reason === undefined ? [] : [reason]), ...problems];
  return (
    <article className="card" data-testid={`plugin-status-${id}`}>
      <h2>{title}</h2>
      <p className="dates">
        {id} {version} · <strong data-testid={`plugin-state-${id}`}>{state}</strong>
      </p>
      {remarks.map((remark) => (
        <p key={remark} className="hint">
          {remark}
        </p>
      ))}
      <Switch plugin={plugin} />
    </article>
  );
}

/** The kill switch (spec §16). */
function Switch({ plugin: { id, title, state } }: { plugin: HostedPlugin }) {
  const { http } = useServices();
  const [failed, setFailed] = useState(false);
  const off = state === "Disabled";
  async function turn(): Promise<void> {
    setFailed(false);
    try {
      await http.request(`/plugins/${id}/${off ? "enable" : "disable"}`, { method: "PUT" });
    } catch {
      setFailed(true);
    }
  }
  return (
    <div className="story-row">
      <button
        type="button"
        className="button quiet"
        data-testid={`plugin-switch-${id}`}
        onClick={() => void turn()}
      >
        {off ? `Turn ${title} on` : `Turn ${title} off`}
      </button>
      <p role="status" className="hint">
        {failed && "That did not work just now. Please try again."}
      </p>
    </div>
  );
}

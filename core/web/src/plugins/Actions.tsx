import type { MenuTarget } from "@mosaiclife/plugin-sdk";
import type { HostedPlugin } from "@mosaiclife/plugin-sdk/host";
import { useState } from "react";
import { usePlugins } from "../data/context";

interface Action {
  key: string;
  title: string;
  run: () => void | Promise<void>;
}

/** What plugins offer to do with *target*, and everywhere (spec §4). */
export function Actions({ target }: { target: MenuTarget }) {
  const actions = usePlugins().flatMap((plugin) => actionsOf(plugin, target));
  const [failed, setFailed] = useState<string>();
  if (actions.length === 0) return null;
  const perform = ({ title, run }: Action) => {
    setFailed(undefined);
    // Called within the chain, so that a throw and a rejection end alike.
    Promise.resolve()
      .then(run)
      .catch(() => setFailed(title));
  };
  return (
    <>
      <ul className="actions" aria-label="What you can do here">
        {actions.map((action) => (
          <li key={action.key}>
            <button type="button" className="button quiet" onClick={() => perform(action)}>
              {action.title}
            </button>
          </li>
        ))}
      </ul>
      <p role="status" className="hint">
        {failed !== undefined && `“${failed}” did not work just now. Please try again later.`}
      </p>
    </>
  );
}

function actionsOf(plugin: HostedPlugin, target: MenuTarget): Action[] {
  const { id, commands, contextMenus } = plugin;
  const fitting = contextMenus.filter((menu) => menu.kind === target.kind);
  return [
    ...fitting.map((menu) => ({
      key: `${id}/menu/${menu.id}`,
      title: menu.title,
      run: () => menu.run(target),
    })),
    ...commands.map(({ id: command, title, run }) => ({
      key: `${id}/command/${command}`,
      title,
      run,
    })),
  ];
}

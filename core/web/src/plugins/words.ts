/** What the page says where a plugin is not shown. */
import type { HostedPlugin } from "@mosaiclife/plugin-sdk/host";

/** Say why *plugin* shows nothing now; undefined when there is nothing to say. */
export function absence({ title, state, generation, problems }: HostedPlugin): string | undefined {
  if (generation !== undefined) return undefined;
  if (problems.length > 0) return cannotShow(title);
  switch (state) {
    case "Disabled":
      return `${title} is turned off at present. What you have kept is safe.`;
    case "Degraded":
      return `${title} is resting. It comes back by itself.`;
    case "Installed":
    case "Registering":
    case "Ready":
      return `${title} is getting ready.`;
  }
}

/** Say that something of *title* failed, without alarm. */
export function cannotShow(title: string): string {
  return `${title} cannot be shown just now. The rest of this page is not touched by it.`;
}

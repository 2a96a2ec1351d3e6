/** What plugins are told about the page around them. */
import type { Theme } from "@mosaiclife/plugin-sdk";
import type { Session } from "../data/model";

/** The viewer's zone: the one they chose, otherwise the device's. */
export function timezoneOf({ timezone }: Session): string {
  return timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The theme that the page shows now. */
export function currentTheme(): Theme {
  const chosen = document.documentElement.classList.contains("dark");
  const preferred = window.matchMedia("(prefers-color-scheme: dark)").matches;
  return chosen || preferred ? "dark" : "light";
}

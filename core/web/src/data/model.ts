/** What core tells the shell. */
import type { Legacy } from "@mosaiclife/plugin-sdk";

export interface Session {
  user: { id: string; name: string };
  tenantId: string;
  locale: string;
  timezone?: string | null;
  legacies: readonly Legacy[];
}

/** A memory told on this page since it was opened. */
export interface Story {
  id: string;
  title: string;
}

/** What core tells the shell. */
import type { Legacy } from "@mosaiclife/plugin-sdk";

export interface Session {
  user: { id: string; name: string };
  tenantId: string;
  locale: string;
  timezone?: string | null;
  legacies: readonly Legacy[];
}

/** A memory, of which this core knows the title. */
export interface Story {
  id: string;
  title: string;
}

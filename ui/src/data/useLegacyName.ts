import type { SDK } from "@mosaiclife/plugin-sdk";
import { useEffect, useState } from "react";

/** Say who is remembered: as the host told, otherwise as core answers for this viewer. */
export function useLegacyName(sdk: SDK, legacyId?: string, given?: string): string | undefined {
  const [resolved, setResolved] = useState<{ id: string; name: string | undefined }>();
  useEffect(() => {
    if (given !== undefined || legacyId === undefined) return;
    let wanted = true;
    const keep = (names: Record<string, string>) => {
      if (wanted) setResolved({ id: legacyId, name: names[legacyId] });
    };
    // Without a name the title stays general; the numbers do not depend on it.
    sdk.names.resolve([legacyId]).then(keep, () => undefined);
    return () => {
      wanted = false;
    };
  }, [sdk, legacyId, given]);
  return given ?? (resolved?.id === legacyId ? resolved?.name : undefined);
}

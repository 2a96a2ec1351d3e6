import type { Legacy, PanelContext, SDK } from "@mosaiclife/plugin-sdk";
import type { HostedPanel } from "@mosaiclife/plugin-sdk/host";
import { useEffect, useRef, useState } from "react";
import { useServices, useSession } from "../data/context";
import { Note } from "../frame/Note";
import { currentTheme, timezoneOf } from "./place";
import { cannotShow } from "./words";

export interface PanelSlotProps {
  panel: HostedPanel;
  sdk: SDK;
  legacy: Legacy;
}

type Stage = "coming" | "shown" | "failed";

/** The place of one panel. The panel owns the element inside, and nothing else of the page. */
export function PanelSlot({ panel, sdk, legacy }: PanelSlotProps) {
  const { host } = useServices();
  const place = useRef<HTMLDivElement>(null);
  const [stage, setStage] = useState<Stage>("coming");
  const [attempt, setAttempt] = useState(0);
  const context = usePanelContext(sdk, legacy);

  useEffect(() => {
    if (place.current === null) return undefined;
    let over = false;
    const settle = (next: Stage) => {
      if (!over) setStage(next);
    };
    settle("coming");
    const mounted = host.mountPanel(panel, place.current, context);
    mounted.shown.then(
      () => settle("shown"),
      (error: unknown) => {
        settle("failed");
        console.error(error);
      },
    );
    return () => {
      over = true;
      mounted.dispose();
    };
  }, [host, panel, context, attempt]);

  return (
    <section
      className="slot"
      aria-label={panel.title}
      aria-busy={stage === "coming"}
      data-testid={`panel-slot-${panel.id}`}
    >
      {stage === "coming" && <div className="card waiting" aria-hidden="true" />}
      {stage === "failed" && (
        <Note retry={() => setAttempt((count) => count + 1)}>{cannotShow(panel.title)}</Note>
      )}
      <div ref={place} hidden={stage === "failed"} />
    </section>
  );
}

/** One object for as long as it says the same: a new one mounts the panel anew. */
function usePanelContext(sdk: SDK, { id, name }: Legacy): PanelContext {
  const session = useSession();
  const { tenantId, locale } = session;
  const timezone = timezoneOf(session);
  const [context, setContext] = useState(() => make());
  function make(): PanelContext {
    const theme = currentTheme();
    return { sdk, tenantId, legacyId: id, legacyName: name, locale, timezone, theme };
  }
  const same =
    context.sdk === sdk &&
    context.tenantId === tenantId &&
    context.legacyId === id &&
    context.legacyName === name &&
    context.locale === locale &&
    context.timezone === timezone;
  if (same) return context;
  const next = make();
  setContext(next);
  return next;
}

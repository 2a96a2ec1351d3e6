import { useEffect, useState } from "react";
import { useServices } from "../data/context";

/** A line that drops for a breath is nobody's concern. */
const PATIENCE_MS = 1_500;

/** Say that core is away, while the page lives on. */
export function ConnectionNote() {
  const away = useAway();
  return (
    <div role="status" className="connection">
      {away && (
        <p className="connection-note" data-testid="connection-note">
          Mosaic Life is out of reach for a moment. This page stays as it is, and catches up by
          itself.
        </p>
      )}
    </div>
  );
}

function useAway(): boolean {
  const { events } = useServices();
  const [away, setAway] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = events.onConnection((connection) => {
      clearTimeout(timer);
      if (connection === "away") timer = setTimeout(() => setAway(true), PATIENCE_MS);
      else setAway(false);
    });
    return () => {
      end();
      clearTimeout(timer);
    };
  }, [events]);
  return away;
}

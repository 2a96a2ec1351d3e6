import { useEffect, useRef, useState } from "react";

/** So often at most does a change come to ear, however fast the numbers move. */
const PAUSE_MS = 20_000;

/** Speak *text* when it changed, politely: not the first one, and not all the time. */
export function Announcer({ text }: { text: string }) {
  const spoken = useSeldom(text);
  return (
    <p className="spoken" role="status">
      {spoken}
    </p>
  );
}

function useSeldom(text: string): string {
  const [spoken, speak] = useState("");
  const latest = useRef(text);
  useEffect(() => {
    latest.current = text;
  }, [text]);
  useEffect(() => {
    let known = latest.current;
    const timer = setInterval(() => {
      if (latest.current === known) return;
      known = latest.current;
      speak(known);
    }, PAUSE_MS);
    return () => clearInterval(timer);
  }, []);
  return spoken;
}

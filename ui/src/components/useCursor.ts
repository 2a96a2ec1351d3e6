import { useState, type KeyboardEvent, type PointerEvent } from "react";

/** How far Page Up and Page Down go. */
const PAGE = 6;

type Move = (index: number, last: number) => number;

const MOVES: Record<string, Move> = {
  ArrowUp: (index) => index + 1,
  ArrowDown: (index) => index - 1,
  PageUp: (index) => index + PAGE,
  PageDown: (index) => index - PAGE,
  Home: () => 0,
  End: (_, last) => last,
};

/** Walk through *count* places by key or pointer; begins at the newest. */
export function useCursor(count: number) {
  const last = Math.max(0, count - 1);
  // Nothing chosen means the newest, also after more places have come.
  const [chosen, choose] = useState<number>();
  const index = Math.min(chosen ?? last, last);

  const go = (to: number) => choose(Math.min(Math.max(to, 0), last));
  const handlers = {
    onKeyDown(event: KeyboardEvent<HTMLElement>) {
      const move = MOVES[event.key] ?? alongText(event);
      if (move === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      go(move(index, last));
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => go(placeUnder(event, count)),
    onPointerDown: (event: PointerEvent<HTMLElement>) => go(placeUnder(event, count)),
  };
  return { index, handlers };
}

/** Time runs with the text: where that runs right to left, so do the arrows. */
function alongText({ key, currentTarget }: KeyboardEvent<HTMLElement>): Move | undefined {
  const later = runsLeft(currentTarget) ? "ArrowLeft" : "ArrowRight";
  if (key === later) return (index) => index + 1;
  if (key === "ArrowLeft" || key === "ArrowRight") return (index) => index - 1;
  return undefined;
}

function placeUnder({ clientX, currentTarget }: PointerEvent<HTMLElement>, count: number): number {
  const { left, right, width } = currentTarget.getBoundingClientRect();
  const along = runsLeft(currentTarget) ? right - clientX : clientX - left;
  return Math.floor((along / width) * count);
}

function runsLeft(element: Element): boolean {
  return getComputedStyle(element).direction === "rtl";
}

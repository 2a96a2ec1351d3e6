import type { Action } from "./actions";

/** Keep the actions that hold every one of *words*, in any order, without regard to accents. */
export function fitting(actions: readonly Action[], words: string): Action[] {
  const wanted = plain(words).split(/\s+/).filter(Boolean);
  return actions.filter(({ title, source }) => {
    const text = plain(`${title} ${source}`);
    return wanted.every((word) => text.includes(word));
  });
}

function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

import type { MenuTarget } from "@mosaiclife/plugin-sdk";
import { useEffect, useId, useRef, useState, type FocusEvent, type KeyboardEvent } from "react";
import { usePlugins, useSession } from "../data/context";
import { menuOf, type Action } from "./actions";
import { Failed } from "./Failed";
import { useRunner } from "./useRunner";

export interface MenuProps {
  target: MenuTarget;
  /** What the menu is for, as people call it. */
  name: string;
}

type End = "first" | "last";

/** What plugins offer to do with one thing: a button that opens a menu, by the ARIA pattern. */
export function Menu({ target, name }: MenuProps) {
  const actions = menuOf(usePlugins(), useSession(), target);
  const { perform, failed } = useRunner();
  const [open, setOpen] = useState<End>();
  const button = useRef<HTMLButtonElement>(null);
  const list = useId();
  if (actions.length === 0) return null;

  const close = () => {
    setOpen(undefined);
    button.current?.focus();
  };
  const choose = (action: Action) => {
    close();
    perform(action);
  };
  const leave = ({ currentTarget, relatedTarget }: FocusEvent) => {
    if (!currentTarget.contains(relatedTarget)) setOpen(undefined);
  };
  const openAtEnd = (event: KeyboardEvent) => {
    const end = OPENING[event.key];
    if (end === undefined) return;
    event.preventDefault();
    setOpen(end);
  };
  return (
    <div className="menu" onBlur={leave}>
      <button
        ref={button}
        type="button"
        className="menu-button"
        aria-haspopup="menu"
        aria-expanded={open !== undefined}
        aria-controls={open && list}
        aria-label={`More for ${name}`}
        onClick={() => setOpen(open === undefined ? "first" : undefined)}
        onKeyDown={openAtEnd}
      >
        <span aria-hidden="true">⋯</span>
      </button>
      {open !== undefined && (
        <MenuList id={list} name={name} start={open} {...{ actions, choose, close }} />
      )}
      <Failed title={failed} />
    </div>
  );
}

const OPENING: Readonly<Record<string, End>> = { ArrowDown: "first", ArrowUp: "last" };

interface MenuListProps {
  id: string;
  name: string;
  actions: readonly Action[];
  start: End;
  choose: (action: Action) => void;
  close: () => void;
}

function MenuList({ id, name, actions, start, choose, close }: MenuListProps) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const items = itemsOf(list.current);
    items.at(start === "first" ? 0 : -1)?.focus();
  }, [start]);
  const move = (event: KeyboardEvent) => {
    if (event.key === "Escape" || event.key === "Tab") {
      // Tab goes on from the button, which has the focus by then.
      if (event.key === "Escape") event.preventDefault();
      close();
      return;
    }
    const next = nextItem(itemsOf(list.current), event.key);
    if (next === undefined) return;
    event.preventDefault();
    next.focus();
  };
  return (
    <ul ref={list} id={id} role="menu" aria-label={`More for ${name}`} onKeyDown={move}>
      {actions.map((action) => (
        <li key={action.key} role="none">
          <button type="button" role="menuitem" tabIndex={-1} onClick={() => choose(action)}>
            {action.title}
          </button>
        </li>
      ))}
    </ul>
  );
}

function itemsOf(list: HTMLElement | null): HTMLElement[] {
  return [...(list?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])];
}

/** Where *key* leads: around in a circle, to an end, or to the next item with that first letter. */
function nextItem(items: readonly HTMLElement[], key: string): HTMLElement | undefined {
  const at = items.findIndex((item) => item === document.activeElement);
  switch (key) {
    case "ArrowDown":
      return items[(at + 1) % items.length];
    case "ArrowUp":
      return items.at(at - 1);
    case "Home":
      return items[0];
    case "End":
      return items.at(-1);
    default:
      return [...items.slice(at + 1), ...items.slice(0, at + 1)].find((item) => begins(item, key));
  }
}

function begins({ textContent }: HTMLElement, letter: string): boolean {
  return letter.length === 1 && textContent.toLowerCase().startsWith(letter.toLowerCase());
}

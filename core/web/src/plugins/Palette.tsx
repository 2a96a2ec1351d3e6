import type { Envelope } from "@mosaiclife/plugin-sdk";
import { useCallback, useEffect, useRef, useState } from "react";
import { usePlugins, useCore } from "../data/context";
import type { Session } from "../data/model";
import type { Router } from "../frame/router";
import { commandsOf, type Action } from "./actions";
import { Failed } from "./Failed";
import { PaletteList } from "./PaletteList";
import { placesOf } from "./places";
import { useRunner } from "./useRunner";

const MAC = /mac|iphone|ipad/i;

/** Everything that can be done from anywhere, by name: Ctrl or Cmd and K, or the button (spec §4). */
export function Palette({ router }: { router: Router }) {
  const plugins = usePlugins();
  const session = useCore<Envelope<Session>>("/session").data?.data;
  const { perform, failed } = useRunner();
  const [open, setOpen] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  const show = useCallback(() => setOpen(true), []);
  useShortcut(show);
  useEffect(() => {
    // Modal, so that the browser keeps the focus inside and gives it back at the end.
    if (open && session !== undefined) dialog.current?.showModal();
  }, [open, session]);
  if (session === undefined) return null;

  const choose = (action: Action) => {
    dialog.current?.close();
    perform(action);
  };
  return (
    <div className="palette-place">
      <button
        type="button"
        className="palette-button"
        aria-haspopup="dialog"
        aria-keyshortcuts="Control+K Meta+K"
        onClick={show}
      >
        Commands <kbd aria-hidden="true">{MAC.test(navigator.userAgent) ? "⌘ K" : "Ctrl K"}</kbd>
      </button>
      <dialog
        ref={dialog}
        className="palette"
        aria-label="Commands"
        onClose={() => setOpen(false)}
        onClick={({ target }) => target === dialog.current && dialog.current.close()}
      >
        {open && (
          <PaletteList
            actions={[...commandsOf(plugins, session), ...placesOf(plugins, session, router)]}
            choose={choose}
          />
        )}
      </dialog>
      <Failed title={failed} />
    </div>
  );
}

function useShortcut(show: () => void): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
      if (key.toLowerCase() !== "k" || ctrlKey === metaKey || altKey || shiftKey) return;
      event.preventDefault();
      show();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, [show]);
}

import { useCallback, useState, type ReactNode } from "react";
import { createPortal } from "react-dom";

/**
 * Open a shadow root on *host* and dress it.
 *
 * No style of the host page reaches in, none leaks out, and adopted sheets need no `style-src`.
 * Custom properties do come through: that is how the host's theme arrives.
 */
export function openShadow(host: HTMLElement, sheets: readonly CSSStyleSheet[]): ShadowRoot {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [...sheets];
  return root;
}

export interface ShadowProps {
  /** The same array each time. */
  sheets: readonly CSSStyleSheet[];
  children: ReactNode;
}

/** Show *children* in a shadow root, within the host's own React tree. */
export function Shadow({ sheets, children }: ShadowProps) {
  const [root, setRoot] = useState<ShadowRoot | null>(null);
  const open = useCallback(
    (host: HTMLElement | null) => setRoot(host && openShadow(host, sheets)),
    [sheets],
  );
  return <div ref={open}>{root && createPortal(children, root)}</div>;
}

import { useEffect } from "react";

/** Name the page, in the window's title and for those who hear it. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Mosaic Life`;
  }, [title]);
}

import type { ReactNode } from "react";

export interface NoteProps {
  children: ReactNode;
  /** Offer to try again. */
  retry?: (() => void) | undefined;
  testId?: string;
}

/** A quiet card with a sentence on it. */
export function Note({ children, retry, testId }: NoteProps) {
  return (
    <div className="card note" data-testid={testId}>
      <p>{children}</p>
      {retry !== undefined && (
        <button type="button" className="button quiet" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

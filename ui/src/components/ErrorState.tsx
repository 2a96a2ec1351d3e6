import { SdkHttpError } from "@mosaiclife/plugin-sdk";
import { copy } from "../copy";

export interface ErrorStateProps {
  error: Error;
  onRetry: () => void;
  /** True when older numbers are still shown above. */
  stale?: boolean;
}

/** Say kindly that something is not there, and offer to ask again where that can help. */
export function ErrorState({ error, onRetry, stale = false }: ErrorStateProps) {
  const denied = error instanceof SdkHttpError && error.status === 403;
  return (
    <div className={stale ? "trouble stale" : "trouble"} role="status">
      <p>{denied ? copy.denied : stale ? copy.earlier : copy.unavailable}</p>
      {!denied && (
        <button type="button" onClick={onRetry}>
          {copy.tryAgain}
        </button>
      )}
    </div>
  );
}

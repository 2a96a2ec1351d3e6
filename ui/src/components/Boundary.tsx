import { Component, type ReactNode } from "react";
import { copy } from "../copy";
import { ErrorState } from "./ErrorState";

interface State {
  error: Error | undefined;
}

/** Catch what breaks below. A panel's root is its own: no boundary of the host can (design §7). */
export class Boundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: unknown): State {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <div className="surface card" lang={copy.language}>
        <ErrorState error={error} onRetry={() => this.setState({ error: undefined })} />
      </div>
    );
  }
}

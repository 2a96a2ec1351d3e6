import { Component, type ReactNode } from "react";

export interface BoundaryProps {
  children: ReactNode;
  /** Shown instead of what failed. */
  fallback: (retry: () => void) => ReactNode;
}

/** Keep a failure where it happened: the rest of the page goes on (spec §7.3). */
export class Boundary extends Component<BoundaryProps, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  private readonly retry = () => this.setState({ failed: false });

  override render(): ReactNode {
    return this.state.failed ? this.props.fallback(this.retry) : this.props.children;
  }
}

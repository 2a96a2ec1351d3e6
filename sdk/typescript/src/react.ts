/** The SDK in React pages: `SdkProvider` by the host, `useSdk` in the plugin. */
import { createContext, createElement, useContext, useMemo } from "react";
import type { Context, ReactElement, ReactNode } from "react";
import type { PageContext, SDK } from "./types";

export type SdkValue = PageContext & { sdk: SDK };

const KEY = Symbol.for("@mosaiclife/plugin-sdk/react");

/** Host and remote bundle this module apart but share React, so they meet on the page's one context. */
function pageContext(): Context<SdkValue | null> {
  const page = globalThis as { [KEY]?: Context<SdkValue | null> | undefined };
  return (page[KEY] ??= createContext<SdkValue | null>(null));
}

export interface SdkProviderProps {
  sdk: SDK;
  context: PageContext;
  children?: ReactNode;
}

/** Give the pages below the SDK of their plugin. */
export function SdkProvider({ sdk, context, children }: SdkProviderProps): ReactElement {
  const value = useMemo(() => ({ ...context, sdk }), [context, sdk]);
  return createElement(pageContext().Provider, { value }, children);
}

/** Return the SDK and the page's context. */
export function useSdk(): SdkValue {
  const value = useContext(pageContext());
  if (value === null) throw new Error("useSdk needs an SdkProvider above it");
  return value;
}

/** The page's services and session, for the components below. */
import type { HostedPlugin } from "@mosaiclife/plugin-sdk/host";
import { useQuery, type QueryResult } from "@mosaiclife/plugin-sdk/react";
import { createContext, useContext, useMemo, useSyncExternalStore } from "react";
import type { Session } from "./model";
import type { Services } from "./services";

export const ServicesContext = createContext<Services | null>(null);
export const SessionContext = createContext<Session | null>(null);

/** Return the page's services. */
export function useServices(): Services {
  return present(useContext(ServicesContext));
}

/** Return who is here, and what they may see. */
export function useSession(): Session {
  return present(useContext(SessionContext));
}

/** Return the plugins as they are now. */
export function usePlugins(): readonly HostedPlugin[] {
  const { host } = useServices();
  const subscribe = useMemo(() => (onChange: () => void) => host.subscribe(onChange), [host]);
  return useSyncExternalStore(subscribe, () => host.plugins);
}

/** Return what core answers at *path*, and follow it. */
export function useCore<T>(path: string): QueryResult<T> {
  return useQuery<T>(useServices().cache, path);
}

function present<T>(value: T | null): T {
  if (value === null) throw new Error("this component needs the shell around it");
  return value;
}

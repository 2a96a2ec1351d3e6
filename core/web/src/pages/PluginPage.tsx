import type { PageContext, SDK } from "@mosaiclife/plugin-sdk";
import { isBelow, type HostedPlugin, type HostedRoute } from "@mosaiclife/plugin-sdk/host";
import { SdkProvider } from "@mosaiclife/plugin-sdk/react";
import { createElement, useMemo, type ComponentType } from "react";
import { usePlugins, useSession } from "../data/context";
import { Boundary } from "../frame/Boundary";
import { Note } from "../frame/Note";
import { useTitle } from "../frame/useTitle";
import { currentTheme, timezoneOf } from "../plugins/place";
import { useLifecycle } from "../plugins/useLifecycle";
import { absence, cannotShow } from "../plugins/words";
import { NowherePage } from "./NowherePage";

/** A page of a plugin: *path* begins with the plugin's id (design §4). */
export function PluginPage({ path }: { path: string }) {
  const plugins = usePlugins();
  const plugin = plugins.find(({ id }) => isBelow(`/${id}`, path));
  const route = plugin === undefined ? undefined : routeFor(plugin, path);
  return (
    <div className="page" data-testid="plugin-page">
      {plugin?.sdk !== undefined && route !== undefined ? (
        <RouteView
          key={`${plugin.generation ?? ""}${route.path}`}
          {...{ route }}
          title={plugin.title}
          sdk={plugin.sdk}
        />
      ) : (
        <Absent plugin={plugin} loading={plugins.length === 0} />
      )}
    </div>
  );
}

/** The most particular of the routes that *path* lies below. */
function routeFor({ routes }: HostedPlugin, path: string): HostedRoute | undefined {
  const fitting = routes.filter((route) => isBelow(route.path, path));
  return fitting.sort((a, b) => b.path.length - a.path.length)[0];
}

function Absent({ plugin, loading }: { plugin: HostedPlugin | undefined; loading: boolean }) {
  if (loading) return <div className="card waiting" aria-busy="true" />;
  const words = plugin && absence(plugin);
  return words === undefined ? <NowherePage /> : <Note>{words}</Note>;
}

function RouteView({ route, title, sdk }: { route: HostedRoute; title: string; sdk: SDK }) {
  const { value, failed, retry } = useLifecycle(route.lifecycle);
  const context = usePageContext();
  useTitle(title);
  if (failed) return <Note retry={retry}>{cannotShow(title)}</Note>;
  if (value === undefined) return <div className="card waiting" aria-busy="true" />;
  return (
    <Boundary fallback={(again) => <Note retry={again}>{cannotShow(title)}</Note>}>
      <SdkProvider sdk={sdk} context={context}>
        {createElement(value as ComponentType)}
      </SdkProvider>
    </Boundary>
  );
}

function usePageContext(): PageContext {
  const session = useSession();
  return useMemo(() => {
    const { tenantId, locale, legacies } = session;
    const timezone = timezoneOf(session);
    return { tenantId, locale, timezone, theme: currentTheme(), legacies };
  }, [session]);
}

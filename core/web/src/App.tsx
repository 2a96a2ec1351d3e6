import type { Envelope } from "@mosaiclife/plugin-sdk";
import { useEffect } from "react";
import { ServicesContext, SessionContext, useCore } from "./data/context";
import type { Session } from "./data/model";
import type { Services } from "./data/services";
import { Boundary } from "./frame/Boundary";
import { ConnectionNote } from "./frame/ConnectionNote";
import { Header } from "./frame/Header";
import { Note } from "./frame/Note";
import { placeOf, type Place, type Router } from "./frame/router";
import { useArrival, usePath } from "./frame/useAddress";
import { HomePage } from "./pages/HomePage";
import { LegacyPage } from "./pages/LegacyPage";
import { NowherePage } from "./pages/NowherePage";
import { PluginPage } from "./pages/PluginPage";
import { StatusPage } from "./pages/StatusPage";

/** Mosaic Life, as far as a plugin needs it. */
export function App({ services, router }: { services: Services; router: Router }) {
  return (
    <ServicesContext.Provider value={services}>
      <Shell router={router} />
    </ServicesContext.Provider>
  );
}

function Shell({ router }: { router: Router }) {
  const path = usePath(router);
  const place = placeOf(path);
  const start = useArrival<HTMLElement>(path);
  return (
    <>
      <Header path={path} router={router} />
      <ConnectionNote />
      <main id="main" ref={start} tabIndex={-1} aria-label={REGIONS[place.page]}>
        <Boundary key={path} fallback={(retry) => <Note retry={retry}>{NOT_NOW}</Note>}>
          <WithSession>
            <Page place={place} />
          </WithSession>
        </Boundary>
      </main>
      <footer className="footer">
        <a href="/status">Plugins</a>
      </footer>
    </>
  );
}

const NOT_NOW = "This page cannot be shown just now. What you have kept is safe.";

const REGIONS: Readonly<Record<Place["page"], string>> = {
  home: "Legacies",
  legacy: "Legacy",
  plugin: "Page of a plugin",
  status: "Plugins",
  nowhere: "Nothing here",
};

/** Show *children* once it is known who is here. */
function WithSession({ children }: { children: React.ReactNode }) {
  const { data, error, refresh } = useCore<Envelope<Session>>("/session");
  const session = data?.data;
  useEffect(() => {
    if (session !== undefined) document.documentElement.dir = directionOf(session.locale);
  }, [session]);
  if (session !== undefined) {
    return <SessionContext.Provider value={session}>{children}</SessionContext.Provider>;
  }
  if (error !== undefined) return <Note retry={refresh}>{NOT_NOW}</Note>;
  return <div className="page card waiting" aria-busy="true" />;
}

const RIGHT_TO_LEFT = /^(ar|ckb|dv|fa|he|ku-Arab|ps|sd|ug|ur|yi)\b/i;

function directionOf(locale: string): "ltr" | "rtl" {
  return RIGHT_TO_LEFT.test(locale) ? "rtl" : "ltr";
}

function Page({ place }: { place: Place }) {
  switch (place.page) {
    case "home":
      return <HomePage />;
    case "legacy":
      return <LegacyPage key={place.legacyId} legacyId={place.legacyId} />;
    case "plugin":
      return <PluginPage path={place.path} />;
    case "status":
      return <StatusPage />;
    case "nowhere":
      return <NowherePage />;
  }
}

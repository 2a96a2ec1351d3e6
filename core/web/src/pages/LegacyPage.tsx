import type { Envelope, Legacy } from "@mosaiclife/plugin-sdk";
import { useEffect, useState } from "react";
import { useCore, useServices, useSession } from "../data/context";
import type { Story } from "../data/model";
import { lifeSpan } from "../frame/dates";
import { Note } from "../frame/Note";
import { useTitle } from "../frame/useTitle";
import { Menu } from "../plugins/Menu";
import { Sidebar } from "../plugins/Sidebar";
import { NowherePage } from "./NowherePage";
import { StoryForm } from "./StoryForm";

/** One remembered life: who it was, what is told, and what plugins show beside it. */
export function LegacyPage({ legacyId }: { legacyId: string }) {
  const known = useSession().legacies.find(({ id }) => id === legacyId);
  const path = `/legacies/${encodeURIComponent(legacyId)}`;
  const { data, error, refresh } = useCore<Envelope<Partial<Life>>>(path);
  useStoryEvents(legacyId, refresh);
  if (known === undefined && isMissing(error)) return <NowherePage />;
  if (known === undefined && data === undefined) {
    return error === undefined ? <Waiting /> : <Note retry={refresh}>{NOT_NOW}</Note>;
  }
  const life: Life = { id: legacyId, name: "", role: "", stories: [], ...known, ...data?.data };
  return <LifeView life={life} onTold={refresh} />;
}

type Life = Legacy & { stories: readonly Story[] };

/** Ask again whenever somebody tells something of this legacy, here or elsewhere. */
function useStoryEvents(legacyId: string, refresh: () => void): void {
  const { events } = useServices();
  useEffect(
    () =>
      events.subscribe("story.created", (msg: { legacy_ids?: readonly string[] }) => {
        if (msg.legacy_ids?.includes(legacyId) ?? true) refresh();
      }),
    [events, legacyId, refresh],
  );
}

const NOT_NOW = "This legacy cannot be shown just now.";

function Waiting() {
  return <div className="page card waiting" aria-busy="true" />;
}

function isMissing(error: Error | undefined): boolean {
  return error !== undefined && "status" in error && [403, 404].includes(Number(error.status));
}

function LifeView({ life, onTold }: { life: Life; onTold: () => void }) {
  const [told, setTold] = useState<readonly Story[]>([]);
  const listed = new Set(life.stories.map(({ id }) => id));
  const stories = [...told.filter(({ id }) => !listed.has(id)), ...life.stories];
  const keep = (story: Story) => {
    setTold((others) => [story, ...others]);
    onTold();
  };
  return (
    <div className="page columns">
      <div className="column">
        <LifeHeader legacy={life} />
        <StoryForm legacy={life} onTold={keep} />
        <Told stories={stories} legacyId={life.id} />
      </div>
      <Sidebar legacy={life} />
    </div>
  );
}

function LifeHeader({ legacy }: { legacy: Legacy }) {
  const { locale } = useSession();
  useTitle(legacy.name);
  return (
    <header className="card life">
      <p className="section-title">In memory of</p>
      <h1 data-testid="legacy-name">{legacy.name}</h1>
      <p className="dates">{lifeSpan(legacy, locale)}</p>
      <Menu target={{ kind: "legacy", id: legacy.id, legacyId: legacy.id }} name={legacy.name} />
    </header>
  );
}

function Told({ stories, legacyId }: { stories: readonly Story[]; legacyId: string }) {
  if (stories.length === 0) return null;
  return (
    <section className="card" aria-labelledby="told">
      <h2 id="told" className="section-title">
        Told lately
      </h2>
      <ul className="told">
        {stories.map(({ id, title }) => (
          <li key={id}>
            <p>{title}</p>
            <Menu target={{ kind: "story", id, legacyId }} name={title} />
          </li>
        ))}
      </ul>
    </section>
  );
}

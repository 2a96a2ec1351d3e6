import type { Envelope, Legacy } from "@mosaiclife/plugin-sdk";
import { useState } from "react";
import { useQuery, useSession } from "../data/context";
import type { Story } from "../data/model";
import { lifeSpan } from "../frame/dates";
import { Note } from "../frame/Note";
import { Actions } from "../plugins/Actions";
import { Sidebar } from "../plugins/Sidebar";
import { NowherePage } from "./NowherePage";
import { StoryForm } from "./StoryForm";

/** One remembered life: who it was, what is told, and what plugins show beside it. */
export function LegacyPage({ legacyId }: { legacyId: string }) {
  const known = useSession().legacies.find(({ id }) => id === legacyId);
  const path = `/legacies/${encodeURIComponent(legacyId)}`;
  const { data, error, refresh } = useQuery<Envelope<Partial<Legacy>>>(path);
  if (known === undefined && isMissing(error)) return <NowherePage />;
  if (known === undefined && data === undefined) {
    return error === undefined ? <Waiting /> : <Note retry={refresh}>{NOT_NOW}</Note>;
  }
  return <Life legacy={{ id: legacyId, name: "", role: "", ...known, ...data?.data }} />;
}

const NOT_NOW = "This legacy cannot be shown just now.";

function Waiting() {
  return <div className="page card waiting" aria-busy="true" />;
}

function isMissing(error: Error | undefined): boolean {
  return error !== undefined && "status" in error && [403, 404].includes(Number(error.status));
}

function Life({ legacy }: { legacy: Legacy }) {
  const [told, setTold] = useState<readonly Story[]>([]);
  return (
    <div className="page columns">
      <div className="column">
        <LifeHeader legacy={legacy} />
        <StoryForm legacy={legacy} onTold={(story) => setTold((others) => [story, ...others])} />
        <Told stories={told} />
      </div>
      <Sidebar legacy={legacy} />
    </div>
  );
}

function LifeHeader({ legacy }: { legacy: Legacy }) {
  const { locale } = useSession();
  return (
    <header className="card life">
      <p className="section-title">In memory of</p>
      <h1 data-testid="legacy-name">{legacy.name}</h1>
      <p className="dates">{lifeSpan(legacy, locale)}</p>
      <Actions target={{ kind: "legacy", id: legacy.id }} />
    </header>
  );
}

function Told({ stories }: { stories: readonly Story[] }) {
  if (stories.length === 0) return null;
  return (
    <section className="card" aria-labelledby="told">
      <h2 id="told" className="section-title">
        Told just now
      </h2>
      <ul className="told">
        {stories.map(({ id, title }) => (
          <li key={id}>{title}</li>
        ))}
      </ul>
    </section>
  );
}

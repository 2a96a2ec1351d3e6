import type { Legacy } from "@mosaiclife/plugin-sdk";
import { useSession } from "../data/context";
import { lifeSpan } from "../frame/dates";
import { useTitle } from "../frame/useTitle";

/** The legacies that the viewer takes part in. */
export function HomePage() {
  const { user, legacies } = useSession();
  useTitle("Legacies");
  return (
    <div className="page">
      <h1>Legacies</h1>
      <p className="lead">Welcome, {user.name}. These are the lives you help to remember.</p>
      {legacies.length === 0 ? (
        <p className="card note">There is no legacy yet.</p>
      ) : (
        <ul className="legacies">
          {legacies.map((legacy) => (
            <li key={legacy.id}>
              <LegacyCard legacy={legacy} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const ROLES: Readonly<Record<string, string>> = {
  creator: "You began this legacy",
  admin: "You look after this legacy",
  advocate: "You tell its stories",
  admirer: "You remember with others",
};

function LegacyCard({ legacy }: { legacy: Legacy }) {
  const { locale } = useSession();
  return (
    <article className="card legacy-card">
      <h2>
        <a href={`/legacies/${encodeURIComponent(legacy.id)}`}>{legacy.name}</a>
      </h2>
      <p className="dates">{lifeSpan(legacy, locale)}</p>
      <p className="hint">{ROLES[legacy.role] ?? "You take part in this legacy"}</p>
    </article>
  );
}

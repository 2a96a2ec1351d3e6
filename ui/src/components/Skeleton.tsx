import { copy } from "../copy";

/** The shape of what is coming. */
export function Skeleton({ shapes }: { shapes: readonly ("number" | "text" | "chart")[] }) {
  return (
    <div className="skeleton" role="status">
      <span className="spoken">{copy.loading}</span>
      {shapes.map((shape, index) => (
        <div key={index} className={`shape shape-${shape}`} />
      ))}
    </div>
  );
}

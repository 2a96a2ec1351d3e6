import { maximum, type Point } from "../data/series";

export interface BarsProps {
  points: readonly Point[];
  /** The value at the upper edge; the highest one when left out. */
  top?: number;
  /** The place under the cursor. */
  current?: number;
}

/** How much of a place its bar takes, in percent. */
const FILLED = 66;

/** The bars of a chart. For the eye only: what they say stands beside them in words. */
export function Bars({ points, top = maximum(points), current }: BarsProps) {
  const place = 100 / points.length;
  return (
    <svg className="bars" aria-hidden="true" focusable="false">
      {current !== undefined && (
        <rect className="here" x={percent(current * place)} width={percent(place)} height="100%" />
      )}
      {points.map(({ start, value, running }, index) => {
        const height = top === 0 ? 0 : (Math.max(0, value ?? 0) / top) * 100;
        return (
          <rect
            key={start}
            className={running ? "bar running" : "bar"}
            x={percent(index * place + (place * (100 - FILLED)) / 200)}
            width={percent((place * FILLED) / 100)}
            y={percent(100 - height)}
            height={percent(height)}
            rx={2}
          />
        );
      })}
    </svg>
  );
}

/** Percent, not pixels: the bars follow their box without measuring it, and corners stay round. */
function percent(value: number): string {
  return `${Number(value.toFixed(3))}%`;
}

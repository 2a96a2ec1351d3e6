import { maximum, type Point } from "../data/series";

export interface BarsProps {
  points: readonly Point[];
  /** The value at the upper edge; the highest one when left out. */
  top?: number;
  current?: number | undefined;
}

/** How much of a place its bar takes, in percent. */
const FILLED = 66;

/** The bars of a chart. For the eye only: what they say stands beside them in words. */
export function Bars({ points, top = maximum(points), current }: BarsProps) {
  const place = 100 / points.length;
  return (
    <svg className="bars" aria-hidden="true" focusable="false">
      {points.map(({ start, value, complete }, index) => {
        const height = top === 0 ? 0 : ((value ?? 0) / top) * 100;
        return (
          <rect
            key={start}
            className={barClass(value, complete, index === current)}
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

function barClass(value: number | null, complete: boolean, current: boolean): string {
  return ["bar", !complete && "running", current && "current", value === null && "hidden"]
    .filter(Boolean)
    .join(" ");
}

/** Percent, not pixels: the bars follow their box without measuring it, and corners stay round. */
function percent(value: number): string {
  return `${Number(value.toFixed(3))}%`;
}

import type { Interval } from "./data/series";

/** Numbers and dates as the viewer writes them. */
export interface Format {
  number(value: number): string;
  /** A bucket by its full name: "March 2026", "3 – 9 March 2026". */
  bucket(span: Span, interval: Interval): string;
  /** When a bucket begins, as precisely as its interval: "March 2026". */
  beginning(span: Span, interval: Interval): string;
  /** A bucket below its bar: "Mar", with the year apart. */
  tick(span: Span, interval: Interval): Tick;
  moment(instant: string): string;
}

/** Local dates, half open: `[start, end)`. */
export interface Span {
  start: string;
  end: string;
}

export interface Tick {
  text: string;
  year: string;
}

const DAY_MS = 86_400_000;

/** Local dates carry no zone: they are shown as they are written, by reading them as UTC. */
const AS_WRITTEN = { timeZone: "UTC" } as const;

/** Make the formats of one locale and one zone. */
export function createFormat(locale: string, timezone?: string): Format {
  const numbers = new Intl.NumberFormat(locale);
  const dates = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { ...AS_WRITTEN, ...options });
  const day = dates({ day: "numeric", month: "long", year: "numeric" });
  const month = dates({ month: "long", year: "numeric" });
  const year = dates({ year: "numeric" });
  const dayTick = dates({ day: "numeric", month: "short" });
  const monthTick = dates({ month: "short" });
  const moments = new Intl.DateTimeFormat(locale, {
    dateStyle: "medium",
    timeStyle: "short",
    timeZone: timezone,
  });

  const starts = { day, week: day, month, quarter: month, year };
  const long: Record<Interval, (span: Span) => string> = {
    day: ({ start }) => day.format(dateOf(start)),
    week: (span) => day.formatRange(dateOf(span.start), lastDay(span)),
    month: ({ start }) => month.format(dateOf(start)),
    quarter: (span) => month.formatRange(dateOf(span.start), lastDay(span)),
    year: ({ start }) => year.format(dateOf(start)),
  };
  const short: Record<Interval, (start: Date) => Tick> = {
    day: (start) => ({ text: dayTick.format(start), year: year.format(start) }),
    week: (start) => ({ text: dayTick.format(start), year: year.format(start) }),
    month: (start) => ({ text: monthTick.format(start), year: year.format(start) }),
    quarter: (start) => ({ text: monthTick.format(start), year: year.format(start) }),
    year: (start) => ({ text: year.format(start), year: "" }),
  };

  return {
    number: (value) => numbers.format(value),
    bucket: (span, interval) => long[interval](span),
    beginning: ({ start }, interval) => starts[interval].format(dateOf(start)),
    tick: ({ start }, interval) => short[interval](dateOf(start)),
    moment: (instant) => moments.format(new Date(instant)),
  };
}

function dateOf(local: string): Date {
  return new Date(`${local}T00:00:00Z`);
}

function lastDay({ end }: Span): Date {
  return new Date(dateOf(end).getTime() - DAY_MS);
}

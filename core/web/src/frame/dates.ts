/** Dates of a life, in the viewer's own language. */

/** Write `1931-04-02` out; a life's dates are days on a calendar and belong to no time zone. */
export function longDate(date: string, locale: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(day.getTime())) return date;
  return new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" }).format(day);
}

/** Write the span of a life as far as it is known. */
export function lifeSpan(
  life: { birthDate?: string | null; passingDate?: string | null },
  locale: string,
): string {
  const { birthDate, passingDate } = life;
  const born = birthDate ? longDate(birthDate, locale) : undefined;
  const passed = passingDate ? longDate(passingDate, locale) : undefined;
  if (born !== undefined && passed !== undefined) return `${born} – ${passed}`;
  if (born !== undefined) return `Born ${born}`;
  return passed === undefined ? "" : `Passed away ${passed}`;
}

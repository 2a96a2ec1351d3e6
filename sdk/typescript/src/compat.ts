/**
 * Judge version ranges as npm does, within the grammar that the contract allows (spec §5).
 *
 * The grammar: `>= > <= < =` before a full or partial version, comparators joined by spaces; a bare
 * version means `=`. Everything else, the empty string too, is refused with the reason.
 * `sdk/schema/samples/compat-cases.json` holds this file and the Python SDK to the same answers.
 */

/** A range or a version that the grammar does not know. */
export class CompatError extends Error {
  override readonly name = "CompatError";
}

type Identifier = bigint | string;

interface Version {
  core: readonly bigint[];
  /** Undefined for a release; empty for the lowest there is, npm's `-0`. */
  pre: readonly Identifier[] | undefined;
}

interface Bound {
  operator: string;
  version: Version;
}

const NUMBER = "(?:0|[1-9][0-9]*)";
const PRE_ID = `(?:${NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)`;
const CORE = `(${NUMBER}\\.${NUMBER}\\.${NUMBER})`;
const TAIL = `(?:-(${PRE_ID}(?:\\.${PRE_ID})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?`;
const VERSION = new RegExp(`^${CORE}${TAIL}$`);
const COMPARATOR = new RegExp(`^(>=|>|<=|<|=)?(?:${CORE}${TAIL}|(${NUMBER}(?:\\.${NUMBER})?))$`);
const GAP_AFTER_OPERATOR = /(>=|<=|>|<|=)\s+/g;
const LOWEST: readonly Identifier[] = [];

/**
 * Tell whether *version* lies in *range*; throw `CompatError` when one of them cannot be read.
 *
 * As in npm, a pre-release is admitted only by a bound that names a pre-release of the very same
 * MAJOR.MINOR.PATCH: `>=2.1 <3.0` refuses 3.0.0-beta.1.
 */
export function satisfies(range: string, version: string): boolean {
  const bounds = parseRange(range);
  const candidate = parseVersion(version);
  if (!bounds.every((bound) => holds(bound, candidate))) return false;
  return candidate.pre === undefined || bounds.some((bound) => invites(bound, candidate));
}

function parseVersion(text: string): Version {
  const [, core, pre] = VERSION.exec(text) ?? [];
  if (core === undefined) {
    throw new CompatError(`"${text}" is not a version MAJOR.MINOR.PATCH`);
  }
  return versionOf(core, pre);
}

function parseRange(text: string): Bound[] {
  const words = text.replace(GAP_AFTER_OPERATOR, "$1").trim();
  if (words === "") {
    throw new CompatError('an empty range says nothing: write a bound such as ">=2.1 <3.0"');
  }
  return words.split(/\s+/).flatMap((word) => boundsOf(word, text));
}

function boundsOf(word: string, whole: string): Bound[] {
  const match = COMPARATOR.exec(word);
  if (match === null) {
    const grammar = "write >= > <= < = before a version, and spaces between comparators";
    throw new CompatError(`"${word}" in "${whole}" is no comparator: ${grammar}`);
  }
  const [, operator = "=", core, pre, partial = ""] = match;
  if (core !== undefined) return [{ operator, version: versionOf(core, pre) }];
  return partialBounds(operator, partial);
}

function partialBounds(operator: string, partial: string): Bound[] {
  const { first, after } = spanOf(partial);
  const from = (core: readonly bigint[]): Bound => bound(">=", core, undefined);
  const below = (core: readonly bigint[]): Bound => bound("<", core, LOWEST);
  switch (operator) {
    case ">=":
      return [from(first)];
    case ">":
      return [from(after)];
    case "<":
      return [below(first)];
    case "<=":
      return [below(after)];
    default:
      return [from(first), below(after)];
  }
}

function bound(operator: string, core: readonly bigint[], pre: Version["pre"]): Bound {
  return { operator, version: { core, pre } };
}

/** The first release that *partial* covers, and the first beyond it. */
function spanOf(partial: string) {
  const [major = 0n, minor] = numbersOf(partial);
  if (minor === undefined) return { first: [major, 0n, 0n], after: [major + 1n, 0n, 0n] };
  return { first: [major, minor, 0n], after: [major, minor + 1n, 0n] };
}

function versionOf(core: string, pre: string | undefined): Version {
  const identifiers = pre?.split(".").map((part) => (/^\d+$/.test(part) ? BigInt(part) : part));
  return { core: numbersOf(core), pre: identifiers };
}

function numbersOf(text: string): bigint[] {
  return text.split(".").map(BigInt);
}

function holds({ operator, version }: Bound, candidate: Version): boolean {
  const order = compare(candidate, version);
  switch (operator) {
    case ">=":
      return order >= 0;
    case ">":
      return order > 0;
    case "<=":
      return order <= 0;
    case "<":
      return order < 0;
    default:
      return order === 0;
  }
}

/** True when the bound names a pre-release of the candidate's own release. */
function invites({ version: { core, pre } }: Bound, candidate: Version): boolean {
  return pre !== undefined && pre.length > 0 && compareLists(core, candidate.core) === 0;
}

/** The order of SemVer 2.0 §11; build metadata takes no part in it. */
function compare(a: Version, b: Version): number {
  const cores = compareLists(a.core, b.core);
  if (cores !== 0) return cores;
  if (a.pre === undefined || b.pre === undefined) {
    return Number(a.pre === undefined) - Number(b.pre === undefined);
  }
  return compareLists(a.pre, b.pre);
}

function compareLists(a: readonly Identifier[], b: readonly Identifier[]): number {
  for (const [index, one] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = compareIdentifiers(one, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Numbers by value and before words, words by their characters. */
function compareIdentifiers(a: Identifier, b: Identifier): number {
  if (typeof a !== typeof b) return typeof a === "bigint" ? -1 : 1;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

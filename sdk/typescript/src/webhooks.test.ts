/**
 * The written-out deliveries as a sender in TypeScript would sign them.
 *
 * `tests/unit/sdk/test_webhook_cases.py` holds the same file against Python: the two languages
 * agree because both agree with it, once with node's HMAC and once with WebCrypto's.
 */
import { createHmac, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

interface Body {
  text?: string;
  hex?: string;
}

interface Signed {
  id: string | null;
  timestamp: string | null;
  body: Body;
}

interface Case extends Signed {
  name: string;
  header: string | null;
  signature: string | null;
  signed?: Partial<Signed>;
}

interface Cases {
  secrets: Record<string, string>;
  cases: Case[];
}

type Digest = (key: Buffer, message: Buffer) => Promise<string>;

const HOLE = /\{(\w+)(:cut)?\}/g;
const { secrets, cases } = JSON.parse(
  readFileSync("sdk/schema/samples/webhook-cases.json", "utf8"),
) as Cases;

const byNode: Digest = (key, message) =>
  Promise.resolve(createHmac("sha256", key).update(message).digest("base64"));

const byWebCrypto: Digest = async (key, message) => {
  const { subtle } = webcrypto;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return Buffer.from(await subtle.sign("HMAC", imported, message)).toString("base64");
};

const bytes = ({ text, hex }: Body): Buffer =>
  hex === undefined ? Buffer.from(text ?? "", "utf8") : Buffer.from(hex, "hex");

/** What the signature vouches for: id, time and raw body, joined by dots. */
function signedBytes(told: Case): Buffer {
  const { id, timestamp, body } = { ...told, ...told.signed };
  return Buffer.concat([Buffer.from(`${id ?? ""}.${timestamp ?? ""}.`), bytes(body)]);
}

function keyOf(name: string): Buffer {
  return Buffer.from((secrets[name] ?? "").replace(/^whsec_/, ""), "base64");
}

async function headerOf(told: Case, digest: Digest): Promise<string | null> {
  if (told.header === null) return null;
  let header = told.header;
  for (const [hole, name = "", cut] of told.header.matchAll(HOLE)) {
    const full = await digest(keyOf(name), signedBytes(told));
    header = header.replace(hole, () => (cut ? full.replace(/=+$/, "") : full));
  }
  return header;
}

it.each(cases)("node signs: $name", async (told) => {
  expect(await headerOf(told, byNode)).toBe(told.signature);
});

it.each(cases)("WebCrypto signs: $name", async (told) => {
  expect(await headerOf(told, byWebCrypto)).toBe(told.signature);
});

it("the cases are there", () => {
  expect(cases.length).toBeGreaterThanOrEqual(36);
});

import { fields, type Manifest, text } from '../manifest.js';

/** Shorter values would blacken ordinary words. */
const minLength = 8;
/** Values of one namespace that are looked for. */
const maxValues = 5_000;
/** Above this a value is a file of many lines, and its lines count, not the whole. */
const maxWhole = 16 * 1024;

/** Keys of a service account's token that are no secret, and stand in every namespace. */
const publicKeys: ReadonlySet<string> = new Set(['namespace', 'ca.crt', 'service-ca.crt']);

/**
 * What the secrets of a namespace hold, in the forms in which a program may print it: raw, each line and each text of
 * a JSON document for itself, base64 as in the object, and as part of a URL.
 */
export function secretValues(secrets: readonly Manifest[]): string[] {
  const values = new Set<string>();
  for (const secret of secrets) {
    for (const [key, encoded] of Object.entries(fields(secret.data))) {
      const isPublic = secret.type === 'kubernetes.io/service-account-token' && publicKeys.has(key);
      if (isPublic || values.size > maxValues) continue;
      for (const form of formsOf(text(encoded))) if (form.length >= minLength) values.add(form);
    }
  }
  return [...values];
}

function formsOf(encoded: string): string[] {
  const raw = Buffer.from(encoded, 'base64').toString('utf8');
  // A password of fewer characters is found as little in its longer forms.
  if (raw.trim().length < minLength) return [];
  const lines = raw.split(/\r?\n/).map((line) => line.trim());
  const parts = new Set([raw.length <= maxWhole ? raw.trim() : '', ...lines, ...textsIn(raw)]);
  const long = [...parts].filter((part) => part.length >= minLength && !/^-----[A-Z ]+-----$/.test(part));
  const unpadded = encoded.replace(/=+$/, '');
  return [unpadded, ...long.flatMap((part) => [part, encodeURIComponent(part), base64Of(part)])];
}

/** Without its padding, so that it is found with and without. */
function base64Of(value: string): string {
  return Buffer.from(value).toString('base64').replace(/=+$/, '');
}

/** The texts of a JSON document, such as the passwords of a pull secret; none when it is no JSON. */
function textsIn(raw: string): string[] {
  if (!/^\s*[[{]/.test(raw) || raw.length > maxWhole) return [];
  try {
    return leaves(JSON.parse(raw));
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function leaves(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [];
}

import { z } from 'zod';
import type { Challenge } from './challenge.js';
import { entryOf, originOf, type Registries, type RegistryEntry } from './registries.js';
import { refused } from './registry-error.js';
import { ask } from './send.js';

interface Claim {
  entry: RegistryEntry;
  /** null: none in particular, to try a user alone. */
  repository: string | null;
  signal: AbortSignal;
}

const tokenSchema = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().nonnegative().optional(),
});

/** By the distribution specification a token lives a minute unless its giver says otherwise. */
const defaultLifeSeconds = 60;
const longestLifeSeconds = 3_600;
/** It is renewed before it ends on the way. */
const marginMs = 5_000;
const mostRemembered = 2_000;

/** What is known to open this repository; null: nobody has asked yet, or it has run out. */
export async function knownAuthorization(registries: Registries, claim: Claim): Promise<string | null> {
  const known = await registries.authorizations.get(keyOf(claim));
  return known === undefined || known.expiresAt <= registries.clock() ? null : known.header;
}

/**
 * The header Authorization that a challenge asks for. Those who ask for the same repository at the same time share
 * one token. `tried`: what was just refused; null: nothing was sent.
 * Errors: those of `ask`; `registry-refused` where the token service is not listed, or says no.
 */
export async function authorize(
  registries: Registries,
  claim: Claim,
  challenge: Challenge,
  tried: string | null,
): Promise<string> {
  const key = keyOf(claim);
  const { authorizations } = registries;
  const other = authorizations.get(key);
  if (other !== undefined) {
    const { header, expiresAt } = await other;
    if (header !== tried && expiresAt > registries.clock()) return header;
  }
  if (authorizations.size >= mostRemembered) authorizations.clear();
  const found =
    challenge.scheme === 'basic'
      ? Promise.resolve({ header: basic(claim.entry), expiresAt: Number.POSITIVE_INFINITY })
      : fetchToken(registries, claim, challenge);
  authorizations.set(key, found);
  try {
    return (await found).header;
  } catch (error) {
    authorizations.delete(key);
    throw error;
  }
}

/** A credential that was changed opens nothing with what the old one was given. */
function keyOf({ entry, repository }: Claim): string {
  return JSON.stringify([entry, repository]);
}

function basic({ host, credential }: RegistryEntry): string {
  if (credential === null) {
    throw refused(host, `The registry ${host} wants a user name and a password. Add them to \`registries\`.`);
  }
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
}

async function fetchToken(
  registries: Registries,
  { entry, repository, signal }: Claim,
  challenge: Extract<Challenge, { scheme: 'bearer' }>,
) {
  const { service, url } = tokenService(registries, entry, challenge.realm);
  // The scope is never the registry's choice: no more than reading is ever asked for.
  if (repository === null) url.searchParams.delete('scope');
  else url.searchParams.set('scope', `repository:${repository}:pull`);
  if (challenge.service !== null) url.searchParams.set('service', challenge.service);
  const answer = await ask(registries, {
    entry: service,
    method: 'GET',
    path: `${url.pathname}${url.search}`,
    accept: 'application/json',
    authorization: entry.credential === null ? null : basic(entry),
    signal,
  });
  if (answer.status !== 200) throw noToken(entry);
  const parsed = tokenSchema.safeParse(parseJson(answer.text));
  const token = parsed.data?.token ?? parsed.data?.access_token ?? '';
  if (!/^[\x21-\x7e]{1,16384}$/.test(token)) throw noToken(entry);
  const seconds = Math.min(longestLifeSeconds, parsed.data?.expires_in ?? defaultLifeSeconds);
  return { header: `Bearer ${token}`, expiresAt: registries.clock() + seconds * 1_000 - marginMs };
}

/** Its host must be the registry's own or listed by itself, and be spoken to as the list says. */
function tokenService(registries: Registries, entry: RegistryEntry, realm: string) {
  const url = URL.canParse(realm) ? new URL(realm) : null;
  const isPlain = url !== null && url.username === '' && url.password === '';
  const service = isPlain ? registries.entries().find((each) => originOf(each) === url.origin) : undefined;
  if (url === null || service === undefined || entryOf(registries, entry.host) === undefined) {
    const shown = url === null ? '' : ` ${url.host.slice(0, 100)}`;
    throw refused(
      entry.host,
      `The registry ${entry.host} sends for its tokens to a host that is not listed:${shown || ' none'}. Add it to \`registries\` if it is right.`,
    );
  }
  return { service, url };
}

function noToken(entry: RegistryEntry) {
  const who = entry.credential === null ? 'without a user name' : 'with the configured user name and password';
  return refused(entry.host, `The registry ${entry.host} gives no token ${who}. Check \`registries\`.`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

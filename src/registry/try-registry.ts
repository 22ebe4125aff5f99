import { authorize } from './authorize.js';
import { parseChallenge } from './challenge.js';
import { lookForImage } from './look-for-image.js';
import { entryOf, type Registries, type RegistryEntry } from './registries.js';
import { refused } from './registry-error.js';
import { ask, type RegistryAnswer } from './send.js';

/**
 * How a listed host answers. `reads`: every repository that was asked for may be read. `signed-in`: it takes the
 * configured user. `open`: it asks nobody to sign in. `asks`: it does, and no user is configured. `other`: it does not
 * speak the distribution API, as a host that only gives out tokens.
 */
export type RegistryReach = 'reads' | 'signed-in' | 'open' | 'asks' | 'other';

/** No image has it: what is asked for is whether one may look. */
const noTag = 'mayfly-check';

/**
 * Tries one listed host as the image gate would ask it: through the same connections, addresses and token services.
 * `repositories`: those that are to be read. Errors: those of `lookForImage`, in words for people and without secrets.
 */
export async function tryRegistry(
  registries: Registries,
  input: { host: string; repositories: readonly string[]; signal: AbortSignal },
): Promise<RegistryReach> {
  const { host, repositories, signal } = input;
  const entry = entryOf(registries, host);
  if (entry === undefined) throw refused(host, `The registry ${host} is not listed in \`registries\`.`);
  const base = await askBase(registries, entry, null, signal);
  if (![200, 401, 403].includes(base.status)) {
    if (repositories.length === 0) return 'other';
    throw refused(host, `${host} does not speak the distribution API: HTTP ${base.status} for /v2/.`);
  }
  await Promise.all(
    repositories.map((repository) => lookForImage(registries, { host, repository, tag: noTag, signal })),
  );
  if (repositories.length > 0) return 'reads';
  return base.status === 200 ? 'open' : signIn(registries, entry, base, signal);
}

function askBase(
  registries: Registries,
  entry: RegistryEntry,
  authorization: string | null,
  signal: AbortSignal,
): Promise<RegistryAnswer> {
  return ask(registries, { entry, method: 'GET', path: '/v2/', accept: '*/*', authorization, signal });
}

/** Where no repository is known, the user alone can be tried. */
async function signIn(
  registries: Registries,
  entry: RegistryEntry,
  base: RegistryAnswer,
  signal: AbortSignal,
): Promise<RegistryReach> {
  const { host } = entry;
  if (entry.credential === null) return 'asks';
  const challenge = parseChallenge(base.headers['www-authenticate']);
  if (challenge === null) throw refused(host, `The registry ${host} does not say how to sign in.`);
  const header = await authorize(registries, { entry, repository: null, signal }, challenge, null);
  const { status } = await askBase(registries, entry, header, signal);
  if (status !== 200) {
    throw refused(host, `The registry ${host} does not take the configured user name and password.`);
  }
  return 'signed-in';
}

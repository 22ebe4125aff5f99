import { authorize, knownAuthorization } from './authorize.js';
import { parseChallenge } from './challenge.js';
import { entryOf, type Registries } from './registries.js';
import { refused, unavailable } from './registry-error.js';
import { ask, type RegistryAnswer } from './send.js';

/** Any kind of image: an index, a manifest list, or the manifest of one platform. */
const manifests = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/**
 * Whether a registry has this tag, by the OCI distribution API.
 * Errors: `registry-refused`, `registry-address-refused` (somebody must act), `registry-unavailable` (with
 * `retryAfterMs` where it is known), `registry-aborted`.
 */
export async function lookForImage(
  registries: Registries,
  input: { host: string; repository: string; tag: string; signal: AbortSignal },
): Promise<boolean> {
  const { host, repository, tag, signal } = input;
  const entry = entryOf(registries, host);
  if (entry === undefined) throw refused(host, `The registry ${host} is not listed in \`registries\`.`);
  const leftMs = (registries.pausedUntil.get(host) ?? 0) - registries.clock();
  if (leftMs > 0) throw unavailable(host, `The registry ${host} has had too many questions.`, leftMs);
  const claim = { entry, repository, signal };
  const head = (authorization: string | null) =>
    ask(registries, {
      entry,
      method: 'HEAD',
      path: `/v2/${repository}/manifests/${encodeURIComponent(tag)}`,
      accept: manifests,
      authorization,
      signal,
    });
  const known = await knownAuthorization(registries, claim);
  const first = await head(known);
  if (first.status !== 401) return verdict(host, first);
  const challenge = parseChallenge(first.headers['www-authenticate']);
  if (challenge === null) throw refused(host, `The registry ${host} does not say how to sign in.`);
  return verdict(host, await head(await authorize(registries, claim, challenge, known)));
}

function verdict(host: string, answer: RegistryAnswer): boolean {
  switch (answer.status) {
    case 200:
      return true;
    case 404:
      return false;
    case 401:
    case 403:
      throw refused(host, `The registry ${host} does not let this image be read. Check its entry in \`registries\`.`);
    default:
      throw refused(
        host,
        `The registry ${host} gave an answer that is not the distribution API's (HTTP ${answer.status}).`,
      );
  }
}

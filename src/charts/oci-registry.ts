import { z } from 'zod';
import { AppError } from '../error/app-error.js';
import { chartError } from './chart-error.js';
import { download, isLoopback } from './download.js';
import { basicAuthorization, checkDigest, type FetchInput } from './fetch-input.js';
import { maxPackageBytes } from './unpack-chart.js';

const maxManifestBytes = 4 * 1024 * 1024;
const manifestTypes = 'application/vnd.oci.image.manifest.v1+json';
const chartLayer = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

const manifestSchema = z.object({
  layers: z.array(
    z.object({ mediaType: z.string(), digest: z.string().regex(/^sha256:[0-9a-f]{64}$/), size: z.number().int() }),
  ),
});
const tokenSchema = z.object({ token: z.string().optional(), access_token: z.string().optional() });

/** A chart's package from a registry, as Helm pushes it: one layer, addressed by its digest. */
export async function fetchFromRegistry(input: FetchInput): Promise<Buffer> {
  const { base, name } = addressOf(input);
  const read = createReader(input, base, name);
  // A tag may hold no plus; Helm writes an underline for it.
  const tag = input.version.replaceAll('+', '_');
  const manifest = parseJson(manifestSchema, await read(`manifests/${tag}`, manifestTypes, maxManifestBytes, false));
  const layer = manifest?.layers.find(({ mediaType }) => mediaType === chartLayer);
  if (layer === undefined) throw chartError('source-chart-missing', `${name} ${tag} in ${base.host} is no Helm chart`);
  if (layer.size > maxPackageBytes) throw chartError('source-too-large', `the package of ${name} ${tag} is too large`);
  const content = await read(`blobs/${layer.digest}`, '*/*', maxPackageBytes, true);
  checkDigest(content, layer.digest, `the package of ${name} ${tag}`);
  return content;
}

/** `oci://host/charts` and `shop` → `https://host` and `charts/shop`; a registry on this machine needs no HTTPS. */
function addressOf({ repository, chart }: FetchInput): { base: URL; name: string } {
  const [host = '', ...folders] = repository.slice('oci://'.length).split('/');
  const base = URL.canParse(`https://${host}`) ? new URL(`https://${host}`) : null;
  if (base === null || base.username !== '' || base.password !== '') {
    throw chartError('source-refused', `${host} is no address of a registry`);
  }
  if (isLoopback(base)) base.protocol = 'http:';
  return { base, name: [...folders, chart].filter((part) => part !== '').join('/') };
}

type Read = (path: string, accept: string, maxBytes: number, follow: boolean) => Promise<Buffer>;

/** Reads below `/v2/<name>/`; answers the registry's question for a token once, and uses the token for the rest. */
function createReader(input: FetchInput, base: URL, name: string): Read {
  const { dispatcher, signal, credential } = input;
  let authorization: string | null = null;

  return async (path, accept, maxBytes, follow) => {
    const url = new URL(`/v2/${name}/${path}`, base);
    const ask = () => download(dispatcher, { url, accept, authorization, maxBytes, follow, signal });
    let answer = await ask();
    if (answer.status === 401 && authorization === null && answer.authenticate !== null) {
      authorization = /^basic\b/i.test(answer.authenticate)
        ? credential?.origin === base.origin
          ? basicAuthorization(credential)
          : null
        : `Bearer ${await issueToken(input, base, name, answer.authenticate)}`;
      if (authorization !== null) answer = await ask();
    }
    if (answer.status === 200) return answer.body;
    if (answer.status === 404) throw chartError('source-chart-missing', `${base.host} has no ${name} ${path}`);
    throw chartError('source-denied', `${base.host} does not let the agent read ${name} (status ${answer.status})`);
  };
}

/** The distribution protocol's token, for reading one repository. */
async function issueToken(input: FetchInput, base: URL, name: string, challenge: string): Promise<string> {
  const { realm = '', service = '' } = Object.fromEntries(
    [...challenge.matchAll(/([a-z]+)="([^"]*)"/gi)].map(([, key = '', value = '']) => [key.toLowerCase(), value]),
  );
  const url = URL.canParse(realm) ? new URL(realm) : null;
  const usable =
    url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url) && isLoopback(base)));
  if (url === null || !usable || url.username !== '') {
    throw chartError('source-denied', `${base.host} names no usable place for its tokens`);
  }
  if (service !== '') url.searchParams.set('service', service);
  url.searchParams.set('scope', `repository:${name}:pull`);
  const answer = await download(input.dispatcher, {
    url,
    authorization: authorizationAt(url, base, input),
    maxBytes: maxManifestBytes,
    follow: false,
    signal: input.signal,
  });
  const tokens = answer.status === 200 ? parseJson(tokenSchema, answer.body) : null;
  const token = tokens?.token ?? tokens?.access_token;
  if (token === undefined || !/^[\x21-\x7e]+$/.test(token)) {
    throw chartError('source-denied', `${url.host} issues no token for ${name} (status ${answer.status})`);
  }
  return token;
}

/** The credential goes to the registry's own origin, or to the realm that the agent's operator wrote down. */
function authorizationAt(url: URL, base: URL, { credential }: FetchInput): string | null {
  if (credential === null || credential.origin !== base.origin) return null;
  const realm = credential.realm === undefined ? null : new URL(credential.realm).origin;
  if (url.origin === base.origin || url.origin === realm) return basicAuthorization(credential);
  throw new AppError({
    code: 'source-denied',
    disposition: 'stall',
    publicMessage: `The registry ${base.host} has its tokens issued at ${url.origin}, and its credential is not sent there; an operator can name that as realm beside the token in agent.yaml.`,
    data: { registry: base.host, realm: url.origin },
  });
}

function parseJson<T>(schema: z.ZodType<T>, body: Buffer): T | null {
  try {
    const parsed = schema.safeParse(JSON.parse(body.toString('utf8')));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

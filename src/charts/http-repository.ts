import { chartError } from './chart-error.js';
import { findInIndex } from './chart-index.js';
import { download } from './download.js';
import { basicAuthorization, checkDigest, type FetchInput } from './fetch-input.js';
import { maxPackageBytes } from './unpack-chart.js';

const maxIndexBytes = 32 * 1024 * 1024;

/** A chart's package from a repository with an `index.yaml`, checked against the digest there. */
export async function fetchFromIndex(input: FetchInput): Promise<Buffer> {
  const { repository, chart, version, dispatcher, signal } = input;
  const base = new URL(`${repository}/`);
  if (base.protocol !== 'https:' && base.protocol !== 'http:') {
    throw chartError('source-refused', `${base.protocol} is not how a chart repository is reached`);
  }
  const index = await download(dispatcher, {
    url: new URL('index.yaml', base),
    authorization: authorizationFor(base, input),
    maxBytes: maxIndexBytes,
    follow: false,
    signal,
  });
  if (index.status !== 200) throw missing(input, index.status, 'index.yaml');
  const { urls, digest } = findInIndex(index.body.toString('utf8'), { repository, chart, version });
  const url = new URL(urls[0] ?? '', base);
  // The index is written by those who may publish there: it does not say where the agent goes.
  if (url.origin !== base.origin && !input.allows(url.origin + url.pathname)) {
    throw chartError(
      'source-refused',
      `${repository} names a package at ${url.host}, which is not among the repositories in agent.yaml`,
    );
  }
  const answer = await download(dispatcher, {
    url,
    authorization: authorizationFor(url, input),
    maxBytes: maxPackageBytes,
    follow: true,
    signal,
  });
  if (answer.status !== 200) throw missing(input, answer.status, url.pathname);
  checkDigest(answer.body, digest, `the package of ${chart} ${version}`);
  return answer.body;
}

function authorizationFor(url: URL, { credential }: FetchInput): string | null {
  return credential !== null && credential.origin === url.origin ? basicAuthorization(credential) : null;
}

function missing({ repository, chart, version }: FetchInput, status: number, what: string) {
  if (status === 404)
    return chartError('source-chart-missing', `${repository} has no ${what} (for ${chart} ${version})`);
  return chartError('source-denied', `${repository} does not let the agent read ${what} (status ${status})`);
}

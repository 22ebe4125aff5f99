/**
 * Whether a repository's URL is on a list of globs such as `https://gitlab.example.com/acme/*`, in which a `*` at the
 * end stands for any path below, and one elsewhere for a single path segment. Scheme, host and port compare exactly;
 * a trailing `.git` or slash does not count. A URL with credentials, a query, a fragment or a dot segment never
 * matches, nor does a glob whose star would stand for a host.
 */
export function repositoryIsAllowed(repoUrl: string, globs: readonly string[]): boolean {
  const url = parseRepository(repoUrl);
  return url !== null && globs.some((glob) => matches(url, glob));
}

interface Repository {
  origin: string;
  segments: string[];
}

function matches(url: Repository, glob: string): boolean {
  const pattern = parseRepository(glob);
  if (pattern === null || pattern.origin !== url.origin || pattern.origin.includes('*')) {
    return false;
  }
  const takesRest = pattern.segments.at(-1) === '*';
  const fixed = takesRest ? pattern.segments.slice(0, -1) : pattern.segments;
  const longEnough = takesRest ? url.segments.length > fixed.length : url.segments.length === fixed.length;
  return longEnough && fixed.every((segment, index) => segmentMatches(segment, url.segments[index] ?? ''));
}

function segmentMatches(pattern: string, segment: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.at(-1);
  if (tail === undefined) {
    return segment === pattern;
  }
  if (!segment.startsWith(head) || segment.length < head.length + tail.length || !segment.endsWith(tail)) {
    return false;
  }
  let from = head.length;
  for (const part of rest.slice(0, -1)) {
    const at = segment.indexOf(part, from);
    if (at < 0 || at + part.length > segment.length - tail.length) {
      return false;
    }
    from = at + part.length;
  }
  return from <= segment.length - tail.length;
}

function parseRepository(text: string): Repository | null {
  // By hand: URL would silently resolve `..`, decode the host, and add what the text does not say.
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/@?#\s\\]+)(?:\/([^?#\s\\]*))?$/i.exec(text);
  if (match === null) {
    return null;
  }
  const [, scheme = '', host = '', path = ''] = match;
  const plain = path.replace(/\/+$/, '').replace(/\.git$/, '');
  // A repository of charts may be a host's root.
  const segments = plain === '' ? [] : plain.split('/');
  const isClean = segments.every(
    (segment) => segment !== '' && !/^\.{1,2}$/.test(decoded(segment)) && !/%2f|%5c/i.test(segment),
  );
  return isClean ? { origin: `${scheme.toLowerCase()}://${host.toLowerCase()}`, segments } : null;
}

function decoded(segment: string): string {
  return segment.replace(/%2e/gi, '.');
}

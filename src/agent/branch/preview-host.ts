/**
 * The host of a preview's URL when the agent's own list allows it: the branch is not trusted with the names that the
 * cluster answers for. Patterns are exact hosts, or `*.` and a domain, whose star stands for one label.
 */
export function previewHost(url: string | undefined, hosts: readonly string[]): string | null {
  if (url === undefined || !URL.canParse(url)) return null;
  const { hostname, protocol } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return null;
  return hosts.some((pattern) => matches(hostname, pattern.toLowerCase())) ? hostname : null;
}

function matches(host: string, pattern: string): boolean {
  if (!pattern.startsWith('*.')) return host === pattern;
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot) === pattern.slice(1);
}

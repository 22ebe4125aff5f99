/** How a registry wants to be asked, by its header WWW-Authenticate. */
export type Challenge = { scheme: 'basic' } | { scheme: 'bearer'; realm: string; service: string | null };

const longestHeader = 4_096;
const parameter = /^[\s,]*([a-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/i;
const scheme = /^[\s,]*([a-z0-9_-]+)(?=\s+[a-z0-9_-]+\s*=|\s*(?:,|$))/i;

/**
 * Reads one header or several; a token is preferred to a password that is sent each time. null: it asks for nothing
 * that is known here, or cannot be read.
 */
export function parseChallenge(header: string | string[] | undefined): Challenge | null {
  const text = [header ?? []].flat().join(', ');
  if (text.length > longestHeader) return null;
  let rest = text;
  let basic: Challenge | null = null;
  for (let name = scheme.exec(rest); name !== null; name = scheme.exec(rest)) {
    rest = rest.slice(name[0].length);
    const values = new Map<string, string>();
    // The name of the next scheme is followed by a blank, that of a parameter by a sign.
    for (let found = parameter.exec(rest); found !== null; found = parameter.exec(rest)) {
      rest = rest.slice(found[0].length);
      values.set((found[1] ?? '').toLowerCase(), (found[2] ?? found[3] ?? '').replace(/\\(.)/g, '$1'));
    }
    const realm = values.get('realm');
    const kind = (name[1] ?? '').toLowerCase();
    if (kind === 'bearer' && realm !== undefined) {
      return { scheme: 'bearer', realm, service: values.get('service') ?? null };
    }
    if (kind === 'basic') basic ??= { scheme: 'basic' };
  }
  return basic;
}

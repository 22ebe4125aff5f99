import type { SourceFile } from './checkout.js';
import { unusable } from './source-error.js';

/** Packed charts in packed charts. */
const maxDepth = 4;
const maxFiles = 4_000;
const maxBytes = 64 * 1024 * 1024;

/**
 * The files of a chart with the packages in its `charts/`, and in theirs, as folders: what Helm is handed is what was
 * looked at. Throws `source-too-large`, and what `unpack` throws.
 */
export async function openPackages(
  unpack: (content: Uint8Array) => Promise<SourceFile[]>,
  files: readonly SourceFile[],
  chart: string,
): Promise<SourceFile[]> {
  let opened = [...files];
  for (let depth = 0; ; depth += 1) {
    const next: SourceFile[] = [];
    for (const file of opened) {
      const folder = packageFolder(file.path, chart);
      if (folder === null) next.push(file);
      else next.push(...(await unpack(file.content)).map((each) => ({ ...each, path: `${folder}/${each.path}` })));
      const bytes = next.reduce((sum, { content }) => sum + content.byteLength, 0);
      if (next.length > maxFiles || bytes > maxBytes)
        throw unusable('source-too-large', 'its charts are too large', chart);
    }
    if (next.length === opened.length && next.every((file, index) => file === opened[index])) return next;
    if (depth >= maxDepth) throw unusable('source-too-large', 'its charts are packed too deep in each other', chart);
    opened = next;
  }
}

/** Where the files of a package go; null for any other file. Helm takes a chart's name from its Chart.yaml. */
function packageFolder(path: string, chart: string): string | null {
  const below = chart === '' ? path : path.startsWith(`${chart}/`) ? path.slice(chart.length + 1) : null;
  if (below === null || !/^(charts\/[^/]+\/)*charts\/[^/]+\.tgz$/.test(below)) return null;
  return path.replace(/\.tgz$/, '.package');
}

/** Words of JSON Schema that name another schema. */
const references: ReadonlySet<string> = new Set(['$ref', '$dynamicRef', '$recursiveRef']);

/**
 * Refuses schemas of values that name others outside of themselves: Helm would read them from any address, and from this
 * machine's files. Throws `source-remote`.
 */
export function refuseForeignSchemas(files: readonly SourceFile[]): void {
  for (const { path, content } of files) {
    if (!/(^|\/)values\.schema\.json$/.test(path)) continue;
    const foreign = foreignReference(parse(path, content));
    if (foreign === null) continue;
    throw unusable(
      'source-remote',
      `${path} refers to ${foreign.slice(0, 200)}; a schema may refer to itself alone, so write it out`,
      path,
    );
  }
}

function foreignReference(schema: unknown): string | null {
  const waiting = [schema];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, child] of Object.entries(value)) {
      const isForeign =
        (references.has(key) && !(typeof child === 'string' && child.startsWith('#'))) ||
        (key === '$schema' && !(typeof child === 'string' && /^https?:\/\/json-schema\.org\//.test(child)));
      // A property may be called `$ref`; then its value is a schema, and is looked at like any other.
      if (isForeign && typeof child === 'string') return child;
      waiting.push(child);
    }
  }
  return null;
}

function parse(path: string, content: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(content));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw unusable('source-invalid', `${path} is no JSON`, path);
  }
}

import { parse } from 'yaml';
import { z } from 'zod';
import { hasTooManyValues } from '../application/has-too-many-values.js';
import { nestsTooDeep } from '../application/nests-too-deep.js';
import { chartError } from './chart-error.js';

interface Wanted {
  /** For messages. */
  repository: string;
  chart: string;
  version: string;
}

interface Found {
  urls: string[];
  /** SHA-256 of the package, in hexadecimal digits. */
  digest: string;
}

/** Of the text about one chart; the largest known ones are a third of it. */
const maxBlockLength = 2 * 1024 * 1024;

const entrySchema = z.object({
  version: z.string(),
  urls: z.array(z.string().min(1)).min(1),
  digest: z.string().regex(/^(sha256:)?[0-9a-f]{64}$/i),
});
const versionsSchema = z.array(z.object({ version: z.string() }).loose());

/** One version of a chart in the text of an `index.yaml`. Throws `source-chart-missing` or `source-chart-index`. */
export function findInIndex(text: string, wanted: Wanted): Found {
  const versions = versionsOf(text, wanted);
  const found = versions?.find(({ version }) => plain(version) === plain(wanted.version));
  if (found === undefined) {
    throw chartError('source-chart-missing', `${wanted.repository} has no ${wanted.chart} ${wanted.version}`);
  }
  const entry = entrySchema.safeParse(found);
  if (entry.success) return entry.data;
  const lack = entry.error.issues[0]?.path[0] === 'digest' ? 'digest' : 'address';
  throw chartError('source-chart-index', `the index of ${wanted.repository} has no usable ${lack} for ${wanted.chart}`);
}

/** A `v` in front makes no other version. */
function plain(version: string): string {
  return version.replace(/^v/, '');
}

function versionsOf(text: string, wanted: Wanted): z.output<typeof versionsSchema> | null {
  try {
    const value: unknown = text.trimStart().startsWith('{')
      ? (JSON.parse(text) as { entries?: Record<string, unknown> }).entries?.[wanted.chart]
      : parseEntry(text, wanted.chart);
    if (value === undefined || value === null) return null;
    return versionsSchema.parse(value);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw unreadable(wanted, error);
    if (error instanceof Error && /^(YAML|Zod|Syntax|Reference)/.test(error.name)) throw unreadable(wanted, error);
    throw error;
  }
}

function unreadable({ repository }: Wanted, cause: unknown) {
  return chartError('source-chart-index', `the index of ${repository} cannot be read`, cause);
}

/**
 * The list of versions of one chart. An index may hold tens of megabytes, which would take minutes to parse: the lines of
 * this chart are cut out first, by their indentation, as Helm writes them.
 */
function parseEntry(text: string, chart: string): unknown {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => /^entries:\s*(#.*)?$/.test(line));
  const entry = new RegExp(`^( +)(['"]?)${chart.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\2:\\s*$`);
  let indent = -1;
  const cut: string[] = [];
  for (const line of start < 0 ? [] : lines.slice(start + 1)) {
    if (/^\S/.test(line) && !line.startsWith('#')) break;
    if (indent < 0) {
      const match = entry.exec(line);
      // A deeper key of the same name belongs to a version of another chart.
      if (match !== null && (match[1]?.length ?? 0) === firstIndent(lines, start)) indent = match[1]?.length ?? 0;
      continue;
    }
    const own = line.search(/\S/);
    if (own >= 0 && (own < indent || (own === indent && line[own] !== '-' && line[own] !== '#'))) break;
    cut.push(line);
  }
  if (indent < 0) return undefined;
  const block = cut.join('\n');
  if (block.length > maxBlockLength || nestsTooDeep(block) || hasTooManyValues(block))
    throw new RangeError('more than a list of versions');
  return parse(block, { maxAliasCount: 100, schema: 'core', uniqueKeys: false, prettyErrors: false });
}

function firstIndent(lines: readonly string[], start: number): number {
  const first = lines.slice(start + 1, start + 50).find((line) => /^\s*[^\s#]/.test(line)) ?? '';
  return first.search(/\S/);
}

import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { chartError } from './chart-error.js';

/** A file of a chart by its path within the chart. */
export interface ChartFile {
  path: string;
  content: Uint8Array;
}

export const maxPackageBytes = 20 * 1024 * 1024;
const maxUnpackedBytes = 64 * 1024 * 1024;
const maxFiles = 2_000;

const unzip = promisify(gunzip);

/**
 * The files of a chart's package (`.tgz`), in memory: nothing is written. All lie in one folder, which is left out.
 * Links, devices, absolute paths and `..` are refused, as is what unpacks to too much: `source-chart-package`.
 */
export async function unpackChart(content: Uint8Array): Promise<ChartFile[]> {
  const files: ChartFile[] = [];
  const roots = new Set<string>();
  const reading: Promise<void>[] = [];
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry) => {
      try {
        const path = pathOf(entry, roots);
        if (path === null) entry.resume();
        else reading.push(readEntry(entry).then((bytes) => void files.push({ path, content: bytes })));
        if (files.length + reading.length > maxFiles * 2) throw broken(`it has more than ${maxFiles} files`);
      } catch (error) {
        parser.abort(error as Error);
      }
    },
  });
  const archive = await unzip(content, { maxOutputLength: maxUnpackedBytes }).catch((error: unknown) => {
    throw broken(`it is no archive, or unpacks to more than ${maxUnpackedBytes / 1024 / 1024} MiB`, error);
  });
  await new Promise<void>((resolve, reject) => {
    parser.on('error', (error: unknown) => reject(isChartError(error) ? error : broken('it is damaged', error)));
    parser.on('end', () => resolve());
    parser.end(archive);
  });
  await Promise.all(reading);
  if (!files.some(({ path }) => path === 'Chart.yaml')) throw broken('it has no Chart.yaml');
  if (new Set(files.map(({ path }) => path)).size !== files.length) throw broken('it has a file twice');
  return files;
}

/** Null for a folder; throws for what a chart has no use for. */
function pathOf(entry: ReadEntry, roots: Set<string>): string | null {
  const parts = entry.path.split('/');
  const clean = !entry.path.startsWith('/') && !/[\\\0]/.test(entry.path) && !parts.includes('..');
  if (!clean) throw broken(`it has the path ${entry.path.slice(0, 200)}`);
  if (entry.type === 'Directory') return null;
  if (entry.type !== 'File' && entry.type !== 'OldFile') {
    throw broken(`it has a ${entry.type}, ${entry.path.slice(0, 200)}`);
  }
  const [root = '', ...rest] = parts.filter((part) => part !== '' && part !== '.');
  roots.add(root);
  if (rest.length === 0 || roots.size > 1) throw broken('its files do not lie in one folder');
  return rest.join('/');
}

async function readEntry(entry: ReadEntry): Promise<Uint8Array> {
  return entry.concat();
}

function isChartError(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'source-chart-package';
}

function broken(what: string, cause?: unknown) {
  return chartError('source-chart-package', `its package is refused: ${what}`, cause);
}

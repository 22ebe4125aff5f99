import type { Blame } from './blame.js';
import type { ClusterReader } from './cluster-reader.js';
import type { Redactor } from './redact.js';

const logLines = 20;
const maxLine = 500;

/**
 * The last lines that the container to blame has printed. One that waits to be started again has said its last words
 * in the run before; one that was started again and is not ready has that run's words before its own.
 */
export async function lastLines(
  reader: ClusterReader,
  input: { namespace: string; blame: Blame; redactor: Redactor; signal: AbortSignal },
): Promise<string[]> {
  const { blame, redactor } = input;
  const { container } = blame;
  if (container === null || (!container.running && container.exitCode === null)) return [];

  async function read(previous: boolean): Promise<string[]> {
    const { name: pod } = blame;
    const query = { namespace: input.namespace, pod, container: container?.name ?? '', previous, lines: logLines };
    // Redacted as a whole: a key or a secret may go over several lines.
    const lines = redactor.text(await reader.readLog(query, input.signal)).split('\n');
    return lines.filter((line) => line.trim() !== '').map((line) => redactor.line(line, maxLine));
  }

  const ranBefore = container.exitCode !== null;
  if (!container.running) {
    const before = await read(true);
    return (before.length > 0 ? before : await read(false)).slice(-logLines);
  }
  const now = (await read(false)).slice(-logLines);
  if (!ranBefore || now.length === logLines) return now;
  return [...(await read(true)), ...now].slice(-logLines);
}

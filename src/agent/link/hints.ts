import { setTimeout as delay } from 'node:timers/promises';
import { type Dispatcher, request } from 'undici';
import { hintSchema } from '../../protocol/hints.js';

export interface HintSource {
  url: string;
  headers: Record<string, string>;
  agent: Dispatcher;
}

/** A stream that says nothing for this long, not even a comment, is dead. */
const silenceMs = 90_000;
const maxPauseMs = 30_000;
const maxEventLength = 64 * 1024;

/**
 * Listens to the manager's hints until the signal aborts, again after each break. What is lost in between costs time,
 * never correctness: the branch is looked at regularly anyway. Never rejects.
 */
export async function followHints(
  source: HintSource,
  onHint: (head: string | null) => void,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await listen(
        source,
        (head) => {
          failures = 0;
          onHint(head);
        },
        signal,
      );
    } catch (error) {
      // Any failure of a hint means the same: listen again. The poll reports a manager that is away.
      if (signal.aborted || !(error instanceof Error)) return;
    }
    failures += 1;
    const ms = Math.min(maxPauseMs, 250 * 2 ** Math.min(failures, 8)) * (0.5 + Math.random() / 2);
    await delay(ms, undefined, { signal }).catch(() => undefined);
  }
}

async function listen(source: HintSource, onHint: (head: string | null) => void, signal: AbortSignal): Promise<void> {
  const answer = await request(source.url, {
    headers: { ...source.headers, accept: 'text/event-stream' },
    signal,
    dispatcher: source.agent,
    headersTimeout: 30_000,
    bodyTimeout: silenceMs,
  });
  if (answer.statusCode !== 200) {
    await answer.body.dump();
    return;
  }
  for await (const data of eventData(answer.body)) {
    const hint = hintSchema.safeParse(jsonOf(data));
    if (hint.success) onHint(hint.data.branchCommit);
  }
}

/** The data of each server-sent event: lines `data: …` up to an empty line. */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest = (rest + decoder.decode(chunk, { stream: true })).replace(/\r\n?/g, '\n');
    if (rest.length > maxEventLength) return;
    const events = rest.split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) {
      const lines = event.split('\n').filter((line) => line.startsWith('data:'));
      if (lines.length > 0) yield lines.map((line) => line.slice(5).trimStart()).join('\n');
    }
  }
}

function jsonOf(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

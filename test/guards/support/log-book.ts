import { type Logger, pino } from 'pino';
import { until } from '../../support/until.js';

type LogLine = Record<string, unknown> & { part: string; msg: string };

/** Keeps what the programs of a test log, so that it can be asked for. */
export interface LogBook {
  logger(part: string): Logger;
  lines: readonly LogLine[];
  /** A place in the log; what was said before it does not count for `find` and `waitFor`. */
  mark(): number;
  find(msg: string, mark: number): LogLine[];
  waitFor(msg: string, mark: number): Promise<LogLine>;
  /** The newest lines, for the message of a failed test. */
  tail(): string;
}

export function createLogBook(): LogBook {
  const lines: LogLine[] = [];
  const book: LogBook = {
    logger: (part) =>
      pino(
        { level: 'debug', base: { part } },
        {
          write(text: string) {
            lines.push(JSON.parse(text) as LogLine);
            if (process.env.TEST_LOG !== undefined) process.stderr.write(text);
          },
        },
      ),
    lines,
    mark: () => lines.length,
    find: (msg, mark) => lines.slice(mark).filter((line) => line.msg === msg),
    waitFor: (msg, mark) =>
      until(`the log says "${msg}"`, () => book.find(msg, mark).at(-1), { deadlineMs: 20_000, explain: book.tail }),
    tail: () =>
      lines
        .filter(({ level, part }) => Number(level) >= 30 && part !== 'queue')
        .slice(-15)
        .map((line) => JSON.stringify(line).slice(0, 400))
        .join('\n'),
  };
  return book;
}

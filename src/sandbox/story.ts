import pg from 'pg';
import type { Logger } from '../log/create-logger.js';

interface EventRow {
  id: string;
  at: Date;
  slug: string;
  incarnation: number;
  kind: string;
  actor: string | null;
  detail: string | null;
}

const newerSql = `
  select id, at, slug, incarnation, kind, actor, detail from preview_event where id > $1 order by id limit 200`;
const lookEveryMs = 250;

/**
 * Tells each step of each preview's life in one line, from the history that the manager keeps; begins with what comes
 * after now. Answers what ends it.
 */
export async function tellStory(
  databaseUrl: string,
  tell: (line: string) => void,
  log: Logger,
): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'mayfly story' });
  client.on('error', (error) => log.debug({ reason: error.message }, 'story ended'));
  await client.connect();
  const newest = await client.query<{ id: string }>('select coalesce(max(id), 0) as id from preview_event');
  let last = newest.rows[0]?.id ?? '0';
  let looking: Promise<void> = Promise.resolve();
  async function look(): Promise<void> {
    const { rows } = await client.query<EventRow>(newerSql, [last]);
    for (const row of rows) {
      last = row.id;
      tell(lineOf(row));
    }
  }
  const timer = setInterval(() => {
    looking = looking.then(look).catch((error: unknown) => log.debug({ err: error }, 'story not read'));
  }, lookEveryMs);
  return async () => {
    clearInterval(timer);
    await looking;
    await client.end();
  };
}

function lineOf(row: EventRow): string {
  const time = row.at.toISOString().slice(11, 19);
  const name = row.incarnation === 1 ? row.slug : `${row.slug} (${row.incarnation})`;
  const rest = [row.detail, row.actor === null ? null : `by ${row.actor}`].filter((part) => part !== null);
  return `${time}  ${name.padEnd(14)} ${row.kind.padEnd(10)} ${plain(rest.join(', ')).slice(0, 160)}`.trimEnd();
}

/** An outsider's text must not move the cursor or colour the terminal. */
function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').replace(/\b(?<short>[0-9a-f]{8})[0-9a-f]{32}\b/g, '$<short>');
}

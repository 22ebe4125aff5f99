import pg from 'pg';
import type { Logger } from '../log/create-logger.js';
import { type StoryEvent, storyWords } from './story-words.js';

interface EventRow extends StoryEvent {
  id: string;
  at: Date;
  slug: string;
}

const newerSql = `
  select e.id, e.at, e.slug, e.incarnation, e.actor,
    case when e.kind = 'deploying' and e.from_phase = 'asleep' then 'awake' else e.kind end as kind,
    e.detail, p.url
  from preview_event e left join preview p using (slug, incarnation)
  where e.id > $1 order by e.id limit 200`;
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
      const line = lineOf(row);
      if (line !== null) tell(line);
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

/** null: nothing that a reader needs to know. */
function lineOf(row: EventRow): string | null {
  const words = storyWords(row);
  const time = row.at.toTimeString().slice(0, 8);
  return words === null ? null : `${time}  ${row.slug.padEnd(10)}  ${plain(words)}`;
}

const longestLine = 200;

/** An outsider's text must not move the cursor or colour the terminal. */
function plain(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
  return line.length <= longestLine ? line : `${line.slice(0, longestLine)}…`;
}

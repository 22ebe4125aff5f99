import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askUnknown, forgetTold } from '../../src/store/ask-anew.js';
import { loadNoteState, saveHandledNotes } from '../../src/store/notes.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  await database.pool.query('truncate merge_request, wish, note_answer, projection, follow_cursor cascade');
  await database.pool.query('delete from graphile_worker._private_jobs');
});

const key = { projectId: 7, iid: 42 };

async function jobKeys(): Promise<(string | null)[]> {
  const { rows } = await database.pool.query<{ key: string | null }>(
    'select key from graphile_worker.jobs order by key',
  );
  return rows.map((row) => row.key);
}

async function handle(noteId: number, at: number, kind: 'stop' | 'start'): Promise<void> {
  const wishes = [{ kind, amountMs: null, ordinal: 0, detail: null, text: kind }];
  const answer = { emoji: 'thumbsup', line: null } as const;
  const handled = [{ noteId, at, by: 'ada', commands: 1, permitted: true, wishes, answer }];
  await saveHandledNotes(database.pool, { ...key, seen: noteId, handled, settled: [noteId] });
}

async function wishes(): Promise<{ kind: string; at: number }[]> {
  const { rows } = await database.pool.query(
    'select kind, round(extract(epoch from at) * 1000)::float8 as at from wish order by at',
  );
  return rows;
}

describe('a number of a comment that is given again', () => {
  it('is another comment by its time: its order is taken, and its answer owed anew', async () => {
    await handle(5, 1_000, 'stop');
    await database.pool.query('update note_answer set answered_at = now()');
    await handle(5, 1_000, 'stop');
    expect((await database.pool.query('select from note_answer where answered_at is null')).rowCount).toBe(0);
    await handle(5, 9_000, 'start');
    expect(await wishes()).toEqual([{ kind: 'start', at: 9_000 }]);
    expect((await database.pool.query('select from note_answer where answered_at is null')).rowCount).toBe(1);
  });
});

describe('what was told to a merge request that went back', () => {
  it('is looked at anew, and orders that are older than it hold no more', async () => {
    await handle(5, 1_000, 'stop');
    await handle(6, 3_000, 'start');
    await database.pool.query(
      `insert into projection (kind, project_id, iid, written_hash, external_id)
       values ('note', 7, 42, 'text', 9), ('warning', 7, 42, 'text', 10), ('note', 7, 43, 'text', 11)`,
    );
    await database.pool.query('delete from graphile_worker._private_jobs');
    await forgetTold(database.pool, { ...key, createdAt: 2_000 });
    const told = await database.pool.query(
      'select kind, iid, written_hash, external_id, creating_since is null as settled from projection order by iid, kind',
    );
    expect(told.rows).toEqual([
      { kind: 'note', iid: 42, written_hash: null, external_id: null, settled: false },
      { kind: 'warning', iid: 42, written_hash: null, external_id: null, settled: false },
      { kind: 'note', iid: 43, written_hash: 'text', external_id: 11, settled: true },
    ]);
    expect(await wishes()).toEqual([{ kind: 'start', at: 3_000 }]);
    expect((await loadNoteState(database.pool, key)).seen).toBe(0);
    expect(await jobKeys()).toEqual(['feedback:7:42', 'notes:7:42']);
  });
});

describe('once GitLab accepts the token again', () => {
  it('asks for what is unknown or still asked for, and lists everything with the next catch-up', async () => {
    await database.pool.query(
      `insert into merge_request (project_id, iid, unknown_since, asked_at)
       values (7, 1, now(), null), (7, 2, null, now()), (7, 3, null, null)`,
    );
    await database.pool.query(`insert into follow_cursor (project_id, path, listed_at) values (7, 'acme/shop', now())`);
    expect(await askUnknown(database.pool)).toBe(2);
    expect(await jobKeys()).toEqual(['decide:mr:7:1', 'decide:mr:7:2']);
    const cursor = await database.pool.query('select listed_at from follow_cursor');
    expect(cursor.rows).toEqual([{ listed_at: null }]);
    await database.pool.query('truncate merge_request cascade');
    expect(await askUnknown(database.pool)).toBe(0);
  });
});

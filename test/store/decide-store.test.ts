import type pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDecideStore } from '../../src/store/decide-store.js';
import { createPool } from '../../src/store/pool.js';
import { beginWithSubject } from '../../src/store/slots.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const subject = 'mr:1:1';
const query = { subject, projectId: 1, iid: 1, reading: null, slugs: [], occupancy: false, breaker: false };
const nothing = { ended: null, preview: null, events: [], needsCommit: false, openedGates: [], images: [], jobs: [] };
const gate = { projectId: 7, sha: 'abc', gate: 'pipeline' };
let database: TestDatabase;
/** Of one connection, as the manager has them: what one decision left in it, the next one finds. */
let pool: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  const url = new URL(database.url);
  url.searchParams.set('lock_timeout', '200');
  pool = createPool({ url: url.href, log: pino({ level: 'silent' }), max: 1, isPipelined: true });
});

afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

function saveGate(saved = gate): Promise<void> {
  return createDecideStore(pool).transact({ subject, slotsOf: null }, async (transaction) => {
    await transaction.load(query);
    await transaction.save({ ...nothing, openedGates: [saved] });
  });
}

async function gates(): Promise<unknown[]> {
  return (await database.pool.query('select sha from gate_verdict')).rows;
}

/** Runs `work` while somebody else holds the lock of the subject. */
async function whileLocked(work: () => Promise<void>): Promise<void> {
  const other = await database.pool.connect();
  try {
    await other.query(beginWithSubject(subject));
    await work();
  } finally {
    await other.query('rollback');
    other.release();
  }
}

describe('a decision whose statements are sent together', () => {
  it('saves nothing when it could not begin', async () => {
    await whileLocked(async () => {
      await expect(saveGate()).rejects.toThrow('lock timeout');
    });
    expect(await gates()).toEqual([]);
  });

  it('saves nothing when its work failed before it asked anything, nor does that end the program', async () => {
    const unheard: unknown[] = [];
    const hear = (reason: unknown) => unheard.push(reason);
    process.on('unhandledRejection', hear);
    await whileLocked(async () => {
      const failed = createDecideStore(pool).transact({ subject, slotsOf: null }, () =>
        Promise.reject(new Error('no')),
      );
      await expect(failed).rejects.toThrow('no');
      await pool.query('select 1');
    });
    process.off('unhandledRejection', hear);
    expect(unheard).toEqual([]);
  });

  it('is not committed when what it saves is refused', async () => {
    const first = { ...gate, sha: 'def' };
    await expect(
      createDecideStore(pool).transact({ subject, slotsOf: null }, async (transaction) => {
        await transaction.load(query);
        await transaction.save({ ...nothing, openedGates: [first, { ...gate, gate: null as never }] });
      }),
    ).rejects.toThrow('null value');
    expect(await gates()).toEqual([]);
  });

  it('saves nothing when its connection is lost, and the next one has another', async () => {
    const lost = createDecideStore(pool).transact({ subject, slotsOf: null }, async (transaction) => {
      await transaction.load(query);
      await database.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and state = 'idle in transaction'`,
      );
      await transaction.save({ ...nothing, openedGates: [gate] });
    });
    await expect(lost).rejects.toThrow();
    expect(await gates()).toEqual([]);
    await saveGate();
    expect(await gates()).toEqual([{ sha: 'abc' }]);
  });
});

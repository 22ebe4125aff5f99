import { availableParallelism } from 'node:os';
import pg from 'pg';
import { orRollBack, type Transaction } from './pool.js';
import { beginWithSubject, lockSlots, slotLocks } from './slots.js';
import { type SubjectChange, saveSubject } from './subject-save.js';
import { loadSubject, readSubject, type SubjectQuery, type SubjectState } from './subject-state.js';
import { takeTurns } from './take-turns.js';

/** One decision's transaction; see `DecideTransaction` of the decide room. */
interface SubjectTransaction {
  load: (query: SubjectQuery) => Promise<SubjectState>;
  lockSlots: (project: string) => Promise<void>;
  /** The last thing that is done: it commits. */
  save: (change: SubjectChange) => Promise<void>;
}

export interface DecideStore {
  read: (query: SubjectQuery) => Promise<SubjectState>;
  transact: <T>(
    options: { subject: string; slotsOf: string | null },
    work: (transaction: SubjectTransaction) => Promise<T>,
  ) => Promise<T>;
}

const uniqueViolation = '23505';

/**
 * What is pushed or told to GitLab because of a decision was committed after it, durably, and so is the decision
 * then: the write-ahead log has one order. A crash before that loses it together with the end of its job.
 */
const beginQuickly = 'set local synchronous_commit = off';

/** More than there are processors only wait for each other, the database being on the same machine or not. */
const atOnce = Math.min(6, Math.max(2, availableParallelism()));

/** Something that decisions give way to, because somebody waits for it. */
interface Precedence {
  isHigh: () => boolean;
  /** Resolves when nobody waits, or has waited for long enough. */
  quiet: () => Promise<void>;
}

const nobody: Precedence = { isHigh: () => false, quiet: () => Promise.resolve() };

/**
 * Few decisions use the database at once: they wait for the same locks, so that more of them finish no sooner. While
 * `precedence` is high it is one, begun in a quiet moment, and the processors are left to what somebody waits for.
 * Waits for GitLab do not count.
 */
export function createDecideStore(pool: pg.Pool, precedence: Precedence = nobody): DecideStore {
  const next = takeTurns(() => (precedence.isHigh() ? 1 : atOnce));
  const inTurn = <T>(call: () => Promise<T>): Promise<T> =>
    next(async () => {
      if (precedence.isHigh()) await precedence.quiet();
      return call();
    });
  return {
    read: (query) => inTurn(() => readSubject(pool, query)),
    async transact(options, work) {
      const begin = [beginWithSubject(options.subject), beginQuickly];
      if (options.slotsOf !== null) begin.push(slotLocks(options.slotsOf));
      const run = () => inFewTrips(pool, begin.join('; '), work);
      try {
        return await inTurn(run);
      } catch (error) {
        if (!(error instanceof pg.DatabaseError) || error.code !== uniqueViolation) throw error;
        // Another subject took the slug a moment earlier: it is seen as taken now.
        return inTurn(run);
      }
    },
  };
}

/**
 * A transaction in two round trips: it begins together with its first statement, and is committed together with the
 * statements that save. When those fail, the server takes the commit for a rollback.
 */
function inFewTrips<T>(
  pool: pg.Pool,
  begin: string,
  work: (transaction: SubjectTransaction) => Promise<T>,
): Promise<T> {
  return orRollBack(pool, async (client) => {
    let [hasBegun, isOver] = [false, false];
    const result = await work({
      async load(query) {
        if (hasBegun) return loadSubject(client, query);
        hasBegun = true;
        const [, loaded] = await inOnePacket(client, () => [client.query(begin), loadSubject(client, query)]);
        return loaded;
      },
      lockSlots: (project) => lockSlots(client, project),
      async save(change) {
        isOver = true;
        await inOnePacket(client, () => [saveSubject(client, change), client.query('commit')]);
      },
    });
    if (hasBegun && !isOver) await client.query('commit');
    return result;
  });
}

/** What `send` sends goes out together: each packet wakes the server, and costs both sides as much as its work. */
function inOnePacket<A, B>(client: Transaction, send: () => [Promise<A>, Promise<B>]): Promise<[A, B]> {
  const { stream } = client.connection;
  stream.cork();
  try {
    return Promise.all(send());
  } finally {
    stream.uncork();
  }
}

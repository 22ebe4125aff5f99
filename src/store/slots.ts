import { createHash } from 'node:crypto';
import pg from 'pg';
import type { Queryable } from './pool.js';

/** First halves of the advisory locks; the second is a hash of the name. */
const subjectClass = 0x7375626a;
const slotClass = 0x736c6f74;

/** What one project holds of the limits; see `Occupancy` of the decide room. */
export interface Occupancy {
  project: string;
  /** Previews that hold a slot. */
  used: number;
  /** Previews that joined their line before the one in question, or all of them when it stands in none. */
  waitingBefore: number;
  /** The first of the line, and since when it waits (milliseconds since the epoch); null: nobody waits. */
  head: { subject: string; since: number } | null;
}

/**
 * Begins a transaction that holds the lock of a subject: nobody else decides about it until it ends. Its row is locked
 * by a statement of its own: one that waits here for the branch writer sees, in the next, all that the writer saved.
 */
export function beginWithSubject(subject: string): string {
  const row = `select from preview where subject = ${pg.escapeLiteral(subject)} and phase <> 'stopped' for update`;
  return `begin; ${lock(subjectClass, subject)}; ${row}`;
}

/** Statements that lock the slots, in the order that all transactions keep: global, then project. */
export function slotLocks(project: string): string {
  return `${lock(slotClass, 'global')}; ${lock(slotClass, `project:${project}`)}`;
}

export async function lockSubject(transaction: Queryable, subject: string): Promise<void> {
  await transaction.query(lock(subjectClass, subject));
}

export async function lockSlots(transaction: Queryable, project: string): Promise<void> {
  await transaction.query(slotLocks(project));
}

/** Two names with one hash only wait for each other; they never mix their rows. */
function lock(lockClass: number, name: string): string {
  return `select pg_advisory_xact_lock(${lockClass}, ${createHash('sha256').update(name).digest().readInt32BE(0)})`;
}

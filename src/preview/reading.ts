import type { MergeRequestFacts, MergeRequestReading } from './facts.js';
import type { Instant } from './preview.js';

/** The newest that is known of a merge request. */
export interface KnownMergeRequest {
  /** null: the API never said anything. */
  facts: MergeRequestFacts | null;
  /** When the read that `facts` comes from began; null with no facts. */
  readStartedAt: Instant | null;
  /** Since when GitLab cannot say; null while it can. */
  unknownSince: Instant | null;
}

export interface MergedReading {
  known: KnownMergeRequest;
  /** false: the answer was older than what is known and was dropped. Whoever asked has to ask again. */
  applied: boolean;
}

/**
 * Merges an answer of the API. A read that began after the row's last one wins, whatever its time stamp says; an older
 * one, which was overtaken on the way, is dropped. An answer that says nothing changes nothing but `unknownSince`.
 */
export function mergeReading(known: KnownMergeRequest, reading: MergeRequestReading): MergedReading {
  if (known.readStartedAt !== null && reading.readStartedAt <= known.readStartedAt) {
    return { known, applied: false };
  }
  if (!reading.known) {
    return { known: { ...known, unknownSince: known.unknownSince ?? reading.readStartedAt }, applied: true };
  }
  return { known: { facts: reading.facts, readStartedAt: reading.readStartedAt, unknownSince: null }, applied: true };
}

/** A clock may be a little wrong, and a copy of GitLab's database a little behind. */
const leewayMs = 60_000;

/**
 * Whether GitLab shows an older state than it did, or another merge request under the same number: it was restored
 * from a backup. What was told to it may be there no more, and numbers that it had given are given again.
 */
export function wentBack(known: MergeRequestFacts | null, read: MergeRequestFacts): boolean {
  return known !== null && (read.updatedAt < known.updatedAt - leewayMs || read.createdAt > known.createdAt);
}

/**
 * Whether what a webhook or a listing tells is older than the row and needs no read. Time stamps are compared as
 * whole seconds, the precision of webhooks; the same second is a tie, and a tie asks the API.
 */
export function webhookIsStale(knownUpdatedAt: Instant | null, payloadUpdatedAt: Instant): boolean {
  return knownUpdatedAt !== null && Math.floor(payloadUpdatedAt / 1_000) < Math.floor(knownUpdatedAt / 1_000);
}

/** Whether a question is still open after a read: it was asked while, or after, that read was under way. */
export function isStillAsked(askedAt: Instant | null, readStartedAt: Instant): boolean {
  return askedAt !== null && askedAt >= readStartedAt;
}

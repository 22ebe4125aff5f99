/** Work that becomes due with a change in the branch; the wiring makes jobs of it, in the same transaction. */
export interface FollowUp {
  kind: 'decide' | 'feedback' | 'commit';
  /** Such as `mr:7:42`; empty for `commit`, which is one for the whole branch. */
  subject: string;
}

/** Each once, in order of appearance. */
export function distinctFollowUps(all: readonly FollowUp[]): FollowUp[] {
  return [...new Map(all.map((each) => [`${each.kind} ${each.subject}`, each])).values()];
}

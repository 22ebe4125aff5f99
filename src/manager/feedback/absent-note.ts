import { desire } from '../../preview/desire.js';
import type { MergeRequestFacts, Wish } from '../../preview/facts.js';
import { followVerdict } from '../../preview/follow.js';
import type { Policy } from '../../preview/policy.js';
import type { Instant, StopReason } from '../../preview/preview.js';
import { stopWords } from '../../preview/state-words.js';
import { answerTo, idleWords, type WhyNone } from './answer-words.js';
import { answersPart, shownAnswers } from './answers-part.js';
import { noteMarker } from './note.js';
import { codeSpan } from './outsider-text.js';
import type { Answer, Spoken } from './view.js';

interface Known {
  policy: Policy;
  facts: MergeRequestFacts | null;
  wishes: readonly Wish[];
  /** PostgreSQL's clock. */
  now: Instant;
}

/** Why a merge request of a followed project has no preview; null: nothing stands against one. Pure. */
export function whyNone({ policy, facts, wishes, now }: Known): WhyNone | null {
  if (facts === null) {
    return { why: 'GitLab has not shown this merge request to Mayfly yet', way: 'It is asked again.' };
  }
  const want = desire(policy, facts, [...wishes], now);
  if (want !== null && !want.runs) {
    const by = want.by === null ? '' : `, by ${codeSpan(want.by)}`;
    const mayStart = followVerdict(policy.follow, facts, true).follows;
    return { why: `${want.detail ?? stopWords[want.reason].why}${by}`, way: wayTo(want.reason, mayStart) };
  }
  return facts.sha === null ? { why: 'it has no commit', way: 'It gets one with the first push.' } : null;
}

function wayTo(reason: StopReason, mayStart: boolean): string {
  switch (reason) {
    case 'merged':
      return '';
    case 'closed':
      return 'Reopen it to have one.';
    case 'label':
    case 'unfollowed':
      return mayStart ? 'Write `/preview start` to have one all the same.' : 'It gets one as soon as that changes.';
    case 'expired':
    case 'command':
    case 'operator':
    case 'git':
      return 'Write `/preview start` to have one.';
    default:
      return reason satisfies never;
  }
}

/** What each who wrote commands is told; empty: what the note says besides is all. */
export function absentAnswers(spoken: readonly Spoken[], none: WhyNone | null): Answer[] {
  return shownAnswers(spoken.map((one) => answerTo(one, none === null ? null : idleWords(one.orders, none))));
}

/** The note of a merge request that never had a preview. Pure. */
export function renderAbsentNote(none: WhyNone | null, answers: readonly Answer[]): string {
  const state =
    none === null
      ? 'Nothing stands against a preview: it begins once GitLab has been asked and a name is free.'
      : `This merge request has no preview: ${none.why}. ${none.way}`.trim();
  const parts = [
    noteMarker,
    none === null ? '### 🕐 No preview yet' : '### ⚪ No preview',
    state,
    ...answersPart(answers),
    '`/preview start` · `/preview help`',
  ];
  return `${parts.join('\n\n')}\n`;
}

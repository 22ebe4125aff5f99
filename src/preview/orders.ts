import type { DecideInput } from './decision.js';
import type { Desire } from './desire.js';
import type { Wish } from './facts.js';
import { hasFile, transition } from './lifecycle.js';
import type { Preview } from './preview.js';
import type { SetValue } from './setting.js';
import { newestOf, settingsOf } from './wishes.js';

/** The row with the values that people set; a change makes its file be written anew. */
export function applySettings(row: Preview, input: DecideInput): Preview {
  if (input.policy === null || row.phase === 'stopping' || row.phase === 'stopped') {
    return row;
  }
  const setValues = settingsOf(input.policy.settable, input.wishes);
  if (JSON.stringify(setValues) === JSON.stringify(row.setValues)) {
    return row;
  }
  const wish = newestOf(input.wishes, 'set', 'unset');
  // Values also change with the configuration, which nobody ordered here.
  const isOrdered = wish !== null && isDoneBy(wish, row.setValues, setValues);
  return { ...row, setValues, ordered: isOrdered ? { kind: wish.kind, by: wish.by } : row.ordered };
}

function isDoneBy(wish: Wish, before: Record<string, SetValue>, after: Record<string, SetValue>): boolean {
  const { key } = wish;
  return (
    key !== undefined && before[key] !== after[key] && (wish.kind === 'set' ? wish.value : undefined) === after[key]
  );
}

/**
 * The row after an order to redeploy: the same sha is rendered, written and deployed once more, also over a person's
 * edit. Each order counts once; a preview that waits has nothing to deploy again.
 */
export function applyRedeploy(row: Preview, want: Desire | null, input: DecideInput): Preview {
  const wish = newestOf(input.wishes, 'redeploy');
  const isDone = wish === null || (row.redeployedAt !== null && wish.at <= row.redeployedAt);
  if (isDone || want?.runs !== true || row.phase === 'stopping' || row.phase === 'stopped') {
    return row;
  }
  if (!hasFile(row.phase)) {
    return { ...row, redeployedAt: wish.at };
  }
  return transition(row, 'deploying', {
    wantedRevision: null,
    edited: null,
    deployingSince: input.now,
    redeployedAt: wish.at,
    ordered: { kind: 'redeploy', by: wish.by },
  });
}

/** Whether what people ordered makes the file differ. */
export function ordersDiffer(before: Preview, after: Preview): boolean {
  const isSame = JSON.stringify(before.setValues) === JSON.stringify(after.setValues);
  const sleepsAlike = before.wantAsleep === after.wantAsleep && before.sleepOrderedAt === after.sleepOrderedAt;
  return !isSame || !sleepsAlike || before.redeployedAt !== after.redeployedAt;
}

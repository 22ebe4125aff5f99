import type { DecideInput } from './decision.js';
import { type GatesState, judgeGates } from './gate.js';
import { isApproved } from './wishes.js';

/** How the gates of a sha stand for what is decided now; null: nobody says what gates there are. */
export function gatesOfSha(
  sha: string,
  slug: string | null,
  input: Pick<DecideInput, 'policy' | 'facts' | 'gates' | 'wishes'>,
): GatesState | null {
  const { policy, facts } = input;
  if (policy === null || facts === null) {
    return null;
  }
  const approved = isApproved(input.wishes, { projectId: facts.projectId, sha });
  return judgeGates({ policy, facts, slug, sha, approved }, input.gates);
}

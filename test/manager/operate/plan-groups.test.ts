import { describe, expect, it } from 'vitest';
import { type KnownSubject, planChange } from '../../../src/manager/operate/plan-change.js';
import { facts, policy } from '../decide/decide-world.js';

function known(subject: string, projectId: number, iid: number, change: Partial<KnownSubject> = {}): KnownSubject {
  const own = facts(iid, { projectId, sourceProjectId: projectId, sourceBranch: 'f' });
  return { subject, projectId, iid, facts: own, wishes: [], preview: null, ...change };
}

const running = (slug: string) => ({ slug, phase: 'ready', stopReason: null, createdAt: Date.now() }) as const;
const policyFor = (projectId: number) => policy({ project: projectId === 7 ? 'shop' : 'cart' });

function plan(subjects: KnownSubject[], group: string | null) {
  const { starts, stops } = planChange(policyFor, { subjects, now: Date.now() }, () => group);
  return { starts, stops: stops.map(({ slug, reason }) => `${slug} ${reason}`) };
}

describe('a configuration with groups', () => {
  it('ends the previews of the merge requests that are linked from now on', () => {
    expect(plan([known('mr:7:1', 7, 1, { preview: running('shop-1') })], 'store')).toEqual({
      starts: [],
      stops: ['shop-1 unfollowed'],
    });
  });

  it('leaves a linked preview alone, and starts none beside it', () => {
    const preview = running('store-f');
    const subjects = [
      known('mr:7:1', 7, 1),
      known('group:store:f', 7, 1, { preview }),
      known('group:store:f', 8, 2, { preview }),
    ];
    expect(plan(subjects, 'store')).toEqual({ starts: [], stops: [] });
  });

  it('ends a linked preview only when a filter refuses all of its merge requests', () => {
    const preview = running('store-f');
    const refused = (projectId: number, iid: number) =>
      facts(iid, { projectId, sourceProjectId: projectId, labels: ['no-preview'] });
    const one = known('group:store:f', 7, 1, { preview, facts: refused(7, 1) });
    const other = known('group:store:f', 8, 2, { preview });
    expect(plan([one, other], 'store').stops).toEqual([]);
    expect(plan([one, { ...other, facts: refused(8, 2) }], 'store').stops).toEqual(['store-f label']);
  });

  it('ends a linked preview whose group is no more, and starts each of its merge requests', () => {
    const preview = running('store-f');
    const subjects = [
      known('mr:7:1', 7, 1),
      known('group:store:f', 7, 1, { preview }),
      known('group:store:f', 8, 2, { preview }),
    ];
    expect(plan(subjects, null)).toEqual({ starts: ['shop!1'], stops: ['store-f unfollowed'] });
  });
});

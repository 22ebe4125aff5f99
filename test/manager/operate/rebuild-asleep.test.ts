import { expect, it } from 'vitest';
import { annotate } from '../../../src/application/annotate.js';
import { planRebuild } from '../../../src/manager/operate/rebuild.js';
import { applyObservation } from '../../../src/preview/observe.js';
import type { Preview } from '../../../src/preview/preview.js';
import { deployingPreview } from '../../support/preview-rows.js';
import { policy } from '../decide/decide-world.js';

const now = 1_700_000_000_000;

function rebuilt(asleep: boolean, living: Preview[]): Preview | undefined {
  const template = {
    apiVersion: 'argoproj.io/v1alpha1' as const,
    kind: 'Application' as const,
    metadata: { name: 'shop-42', annotations: {} },
    spec: {
      project: 'previews',
      destination: { name: 'default', namespace: 'preview-shop-42' },
      source: { repoURL: 'https://gitlab.example.com/acme/shop.git', targetRevision: 'a'.repeat(40), path: 'deploy' },
    },
  };
  const application = annotate(template, { installation: 'i', incarnation: 1, mergeRequest: 'acme/shop!42', asleep });
  const file = { slug: 'shop-42', incarnation: 1, revision: 'in-git', blob: 'b', application };
  const [row] = planRebuild({
    files: [file],
    living,
    projectAt: () => ({ projectId: 7, policy: policy() }),
    groupAt: () => null,
    now,
  }).rows;
  return row?.preview;
}

it('a file that says so is a preview that sleeps, as soon as the agent says so too', () => {
  const row = rebuilt(true, []);
  expect(row).toMatchObject({ phase: 'deploying', wantAsleep: true, wantedRevision: 'in-git' });
  if (row === undefined) return;
  const seen = { revision: 'in-git', state: 'suspended', message: null, cause: null, at: now } as const;
  expect(applyObservation(row, seen, now)).toMatchObject({ phase: 'asleep', wantAsleep: true });
});

it('one that fell asleep, or woke, after what an older database knows is what its file says', () => {
  const ready = deployingPreview(42, { phase: 'ready', wantedRevision: 'old' });
  expect(rebuilt(true, [ready])).toMatchObject({ phase: 'deploying', wantAsleep: true, wantedRevision: 'in-git' });
  const asleep = deployingPreview(42, { phase: 'asleep', wantAsleep: true, wantedRevision: 'old' });
  expect(rebuilt(false, [asleep])).toMatchObject({ phase: 'deploying', wantAsleep: false });
  expect(rebuilt(true, [asleep])).toMatchObject({ phase: 'asleep', wantAsleep: true, wantedRevision: 'in-git' });
});

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Phase } from '../../src/preview/preview.js';
import { rowFromPreview } from '../../src/store/preview-rows.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { deployingPreview } from '../support/preview-rows.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database?.drop());

const phases: Phase[] = ['waiting', 'deploying', 'ready', 'failed', 'asleep', 'stopping', 'stopped'];
const projects = ['shop', 'cart'];

const act = fc.oneof(
  fc.record({ kind: fc.constant('put'), iid: fc.nat(5), phase: fc.constantFrom(...phases) }),
  fc.record({ kind: fc.constant('move'), iid: fc.nat(5), project: fc.constantFrom(...projects) }),
  fc.record({ kind: fc.constant('delete'), iid: fc.nat(5) }),
  fc.record({ kind: fc.constant('stop all') }),
  fc.record({ kind: fc.constant('empty') }),
);

test('the slots in use are those of the previews that hold one, whatever becomes of their rows', async () => {
  const sql = async (text: string, values: unknown[] = []) => (await database.pool.query(text, values)).rows;
  async function carryOut(one: { kind: string; iid?: number; phase?: Phase; project?: string }): Promise<void> {
    const slug = `shop-${one.iid}`;
    if (one.kind === 'put') {
      const row = { ...rowFromPreview(deployingPreview(one.iid ?? 0)), phase: one.phase, needs_commit: false };
      await sql(
        `insert into preview select * from jsonb_populate_record(null::preview, $1)
         on conflict (slug, incarnation) do update set phase = excluded.phase`,
        [JSON.stringify(row)],
      );
    }
    if (one.kind === 'move') await sql('update preview set project = $2 where slug = $1', [slug, one.project]);
    if (one.kind === 'delete') await sql('delete from preview where slug = $1', [slug]);
    if (one.kind === 'stop all') await sql(`update preview set phase = 'stopped'`);
    if (one.kind === 'empty') await sql('truncate preview cascade');
  }
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
      for (const one of acts) await carryOut(one);
      const counted = await sql(
        `select project, count(*)::integer as used from preview where phase not in ('waiting', 'stopped')
         group by project order by project`,
      );
      expect(await sql('select project, used from slot_use where used <> 0 order by project')).toEqual(counted);
    }),
    { numRuns: 60 },
  );
});

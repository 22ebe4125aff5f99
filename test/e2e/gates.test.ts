import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Pipeline } from '../../src/sandbox/gitlab/model.js';
import { runProgram } from '../support/program.js';
import { credential, type RegistryStandIn, startRegistry } from '../support/registry-stand-in.js';
import { shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

const gitlabRegistry = 'registry.gitlab.example.com';
let stage: Stage;
let registry: RegistryStandIn;

beforeAll(async () => {
  registry = await startRegistry();
  stage = await openStage({
    project: {
      gate: {
        pipeline: { jobs: ['build-image'] },
        image: [`${registry.host}/acme/shop:{{shortSha}}`, `${gitlabRegistry}/acme/shop/web:{{sha}}`],
        approval: 'member',
      },
    },
    manager: { registries: [{ host: registry.host, ...credential, private: true, insecure: true }] },
  });
  await stage.writeManagerConfig((config) => ({
    ...config,
    gitlab: { ...(config.gitlab as Record<string, unknown>), registry: gitlabRegistry },
  }));
  await stage.startManager();
  await stage.startAgent();
});

afterAll(async () => {
  await stage?.close();
  await registry?.close();
});

function pipelineOf(sha: string): Pipeline {
  const found = [...stage.gitlab.project(shopPath).pipelines.values()].findLast((each) => each.sha === sha);
  if (found === undefined) throw new Error('the push ran no pipeline');
  return found;
}

interface Shown {
  waitingFor: string | null;
  members: {
    next: { detail: string | null; link: string | null } | null;
    images: { image: string; lookedAt: string }[];
  }[];
}

test('a sha is deployed once its jobs succeeded, a member approved it and its images are there', async () => {
  const { gitlab } = stage;
  const jobs = [
    { name: 'build-image', stage: 'build', durationMs: null },
    { name: 'slow-tests', stage: 'build', durationMs: null },
  ];
  gitlab.setPipelinePlan(shopPath, jobs);
  const mergeRequest = await gitlab.createMergeRequest(shopPath, { title: 'Gates', sourceBranch: 'gates' });
  const slug = `shop-${mergeRequest.iid}`;
  const sha = mergeRequest.headSha ?? '';
  await stage.untilNote(mergeRequest, 'waits for the approval of a member', `\`/preview approve ${sha}\``);

  // Approved while its job still runs: then the job is what is awaited.
  await gitlab.comment(mergeRequest, `/preview approve ${sha}`);
  await stage.untilNote(mergeRequest, 'waits for its pipeline', '`build-image`', 'has not finished');

  // The job fails while another one runs: it is named at once, with a link to it.
  const first = pipelineOf(sha);
  gitlab.finishJob(shopPath, first, 'build-image', 'failed');
  const job = first.jobs.find(({ name }) => name === 'build-image');
  const link = `${gitlab.url}/${shopPath}/-/jobs/${job?.id}`;
  await stage.untilNote(mergeRequest, `[\`build-image\`](${link}) failed.`, 'run it again, or push a new commit');
  expect(first.status).toBe('running');

  // Run again, it opens the gate though the rest of the pipeline goes on.
  const again = await gitlab.runPipeline(shopPath, { ref: 'gates', jobs });
  gitlab.finishJob(shopPath, again, 'build-image', 'success');
  const image = `${registry.host}/acme/shop:${sha.slice(0, 8)}`;
  await stage.untilNote(mergeRequest, 'waits for its image', `The image \`${image}\` is not there yet.`);
  await stage.wait('a look into the registry', () => registry.requests.some(({ line }) => line.startsWith('HEAD ')));
  expect(again.status).toBe('running');
  expect(await stage.file(slug)).toBeUndefined();
  const shown = await stage.wait('the API to show the look', async () => {
    const preview = await stage.api<Shown>(`/previews/${slug}`);
    return (
      preview.members[0]?.images.length === 2 && preview.members[0].images.every((each) => each.lookedAt) && preview
    );
  });
  expect(shown).toMatchObject({
    waitingFor: 'image',
    members: [{ next: { detail: `The image ${image} is not there yet.` } }],
  });

  const environment = { MAYFLY_URL: stage.managerUrl, MAYFLY_TOKEN: stage.apiToken };
  const { output } = await runProgram(['show', slug], { env: environment });
  expect(output).toContain(`${sha.slice(0, 8)} waits for image since `);
  expect(output).toMatch(/image \S+ is not there yet \(looked \d+ s ago\)/);

  // One of two images is not enough.
  registry.images.add(`acme/shop:${sha.slice(0, 8)}`);
  await stage.untilNote(mergeRequest, `The image \`${gitlabRegistry}/acme/shop/web:${sha}\` is not there yet.`);
  expect(await stage.file(slug)).toBeUndefined();
  gitlab.addImage(shopPath, sha, 'web');
  expect(await stage.untilPhase(slug, 'ready')).toMatchObject({ deployed_sha: sha });
  const verdicts = await stage.database.pool.query('select gate from gate_verdict where sha = $1 order by gate', [sha]);
  expect(verdicts.rows).toHaveLength(4);

  // The next sha passes the same gates anew; until then the old one stays.
  const { id: second } = await gitlab.push(shopPath, { branch: 'gates' });
  await stage.untilNote(mergeRequest, 'Preview ready', `Next: commit \`${second.slice(0, 8)}\` waits for the approval`);
  expect(await stage.row(slug)).toMatchObject({ phase: 'ready', deployed_sha: sha, wanted_sha: sha });
  await gitlab.comment(mergeRequest, `/preview approve ${second}`);
  gitlab.addImage(shopPath, second, 'web');
  registry.images.add(`acme/shop:${second.slice(0, 8)}`);
  gitlab.finishJob(shopPath, pipelineOf(second), 'build-image', 'success');
  await stage.untilRow(slug, 'the second sha', (row) => row.phase === 'ready' && row.deployed_sha === second);
  // Nobody ever asked for more than reading, and the password went nowhere but to the token service.
  const tokens = registry.requests.filter(({ line }) => line.startsWith('GET /token'));
  expect(tokens.every(({ line }) => line.includes('scope=repository%3Aacme%2Fshop%3Apull&'))).toBe(true);
  expect(stage.programs.some((program) => program.output().includes(credential.password))).toBe(false);
});

import { describe, expect, it } from 'vitest';
import { loadManagerConfig } from '../../../src/config/load-manager-config.js';
import type { ManagerConfig } from '../../../src/config/manager-config.js';
import { AppError } from '../../../src/error/app-error.js';
import { type CheckDeps, check } from '../../../src/manager/operate/check.js';
import { environment, least, temporaryFile } from '../../config/config-files.js';

const now = Date.parse('2026-11-20T12:00:00Z');
const url = 'https://mayfly.example.com/webhooks/gitlab';

const goodHook = {
  url,
  mergeRequestsEvents: true,
  noteEvents: true,
  pipelineEvents: true,
  jobEvents: true,
  alertStatus: 'executable',
};

/** Services with which everything is right. */
function services() {
  return {
    gitlab: {
      version: async () => '18.5.0',
      ownToken: async (): Promise<{ scopes: string[]; expiresAt: string | null } | null> => ({
        scopes: ['api'],
        expiresAt: '2027-06-01',
      }),
      currentUser: async () => ({ id: 5, username: 'mayfly-bot' }),
      project: async (path: string) => ({ id: 7, path }),
      access: async () => 40,
      hooks: async () => [goodHook],
    },
    branch: {
      head: async (): Promise<string | null> => 'abcdef0123456789',
      canPush: async () => undefined,
      loadTemplate: async () => undefined,
    },
    templateOf: async () => ({ name: 'application.yml.hbs', usesAsleep: false }),
    database: {
      isAsleep: false,
      state: async () => ({ version: '18.1', pending: [] as string[], unknown: [] as string[] }),
      agents: async () => [{ name: 'default', lastSeenAt: now - 4_000 }],
    },
    registries: {
      reach: async () => 'reads' as const,
      readOwn: async () => undefined,
    },
    imageTemplates: [],
    plan: async () => ({ starts: [] as string[], stops: [] as never[], held: false, renders: 7 as number | null }),
  };
}

async function run(change: (deps: ReturnType<typeof services>) => void = () => undefined, more = '') {
  const file = await temporaryFile('mayfly.yaml', least + more);
  const { config } = await loadManagerConfig({ file, environment });
  return runWith(config, change);
}

async function runWith(config: ManagerConfig, change: (deps: ReturnType<typeof services>) => void) {
  const lines: string[] = [];
  const good = services();
  change(good);
  const deps: CheckDeps = { ...good, print: (line) => void lines.push(line), now };
  const code = await check(deps, config, new AbortController().signal);
  return { code, lines };
}

function unauthorized() {
  return Promise.reject(
    new AppError({
      code: 'gitlab-unauthorized',
      disposition: 'wait',
      publicMessage: 'GitLab does not accept the token. Set `gitlab.token` to a valid one with the scope api.',
    }),
  );
}

describe('mayfly check', () => {
  it('prints one line a check and ends with 0 when all is well', async () => {
    expect(await run()).toEqual({
      code: 0,
      lines: [
        '✓ GitLab: Reached, version 18.5.0.',
        '✓ GitLab token: It acts as @mayfly-bot and has the scope api, until 2027-06-01.',
        '✓ project acme/shop: Visible, and @mayfly-bot may write notes and statuses.',
        `✓ webhook of acme/shop: It sends to ${url}.`,
        '✓ branch dynamic-envs: Readable, at abcdef01.',
        '✓ writing dynamic-envs: The token may push. Whether a rule protects this branch shows at the first push.',
        '✓ template application: It loads.',
        '✓ database: PostgreSQL 18.1, up to date.',
        '✓ agent default: Heard of 4 s ago.',
        '✓ effect: This configuration would start 0 and stop 0. It would render 7 again, a few at a time.',
      ],
    });
  });

  const cases: [string, (deps: ReturnType<typeof services>) => void, number, string][] = [
    [
      'a token that lacks a scope',
      (d) => {
        d.gitlab.ownToken = async () => ({ scopes: ['read_api'], expiresAt: null });
      },
      1,
      '✗ GitLab token: It acts as @mayfly-bot and has the scopes read_api. Make a token with the scope api and set `gitlab.token`.',
    ],
    [
      'a token that soon ends',
      (d) => {
        d.gitlab.ownToken = async () => ({ scopes: ['api'], expiresAt: '2026-11-25' });
      },
      0,
      '! GitLab token: It acts as @mayfly-bot, has the scope api, and expires on 2026-11-25. Renew it before then.',
    ],
    [
      'a token that GitLab does not describe',
      (d) => {
        d.gitlab.ownToken = async () => null;
      },
      0,
      '! GitLab token: It acts as @mayfly-bot; GitLab does not tell its scopes. It needs the scope api.',
    ],
    [
      'a refused token',
      (d) => {
        d.gitlab.currentUser = unauthorized;
      },
      1,
      '✗ GitLab token: GitLab does not accept the token. Set `gitlab.token` to a valid one with the scope api. Correct `gitlab` in the configuration.',
    ],
    [
      'a bot that is no member',
      (d) => {
        d.gitlab.access = async () => 0;
      },
      1,
      '✗ project acme/shop: @mayfly-bot is no member of it. Give @mayfly-bot the role Developer in the project or its group.',
    ],
    [
      'a bot that may only look',
      (d) => {
        d.gitlab.access = async () => 20;
      },
      1,
      '✗ project acme/shop: @mayfly-bot has the access level 20. Give @mayfly-bot the role Developer in the project or its group.',
    ],
    [
      'a renamed project',
      (d) => {
        d.gitlab.project = async () => ({ id: 7, path: 'acme/store' });
      },
      0,
      '! project acme/shop: It is called acme/store now. Change `path`; `name` and all previews stay.',
    ],
    [
      'no webhook',
      (d) => {
        d.gitlab.hooks = async () => [];
      },
      1,
      `✗ webhook of acme/shop: There is none. Add one to ${url} with Merge request and Comments events and the secret of the configuration (a group's or the instance's will do, too).`,
    ],
    [
      'a webhook to somewhere else',
      (d) => {
        d.gitlab.hooks = async () => [{ ...goodHook, url: 'https://ci.example.com' }];
      },
      1,
      `✗ webhook of acme/shop: None of 1 points at this manager. Add one to ${url} with Merge request and Comments events and the secret of the configuration (a group's or the instance's will do, too).`,
    ],
    [
      'a webhook that lacks events',
      (d) => {
        d.gitlab.hooks = async () => [{ ...goodHook, noteEvents: false }];
      },
      1,
      '✗ webhook of acme/shop: It does not send everything that is needed. Switch on Merge request and Comments events.',
    ],
    [
      'a webhook that GitLab switched off',
      (d) => {
        d.gitlab.hooks = async () => [{ ...goodHook, alertStatus: 'disabled' }];
      },
      1,
      '✗ webhook of acme/shop: GitLab has switched it off (disabled). Make sure that GitLab reaches `publicUrl`, then test the webhook in GitLab.',
    ],
    [
      'two webhooks',
      (d) => {
        d.gitlab.hooks = async () => [goodHook, { ...goodHook, url: `${url}/` }];
      },
      0,
      `! webhook of acme/shop: 2 point at ${url}. Remove all but one.`,
    ],
    [
      'webhooks that it may not see',
      (d) => {
        d.gitlab.hooks = () =>
          Promise.reject(new AppError({ code: 'gitlab-forbidden', disposition: 'wait', publicMessage: 'no' }));
      },
      0,
      `- webhook of acme/shop: Only a Maintainer may see webhooks. There should be one to ${url}.`,
    ],
    [
      'a branch that is not there yet',
      (d) => {
        d.branch.head = async () => null;
      },
      0,
      '✓ branch dynamic-envs: The repository is readable; the branch will be created.',
    ],
    [
      'a token that may not push',
      (d) => {
        d.branch.canPush = () =>
          Promise.reject(
            new AppError({
              code: 'git-denied',
              disposition: 'wait',
              publicMessage: 'The Git server refuses the token (status 403).',
            }),
          );
      },
      1,
      '✗ writing dynamic-envs: The Git server refuses the token (status 403). Correct `branch` in the configuration; its token needs the right to read and write the repository.',
    ],
    [
      'an old database',
      (d) => {
        d.database.state = async () => ({ version: '13.4', pending: [], unknown: [] });
      },
      1,
      '✗ database: It is PostgreSQL 13.4. Use PostgreSQL 14 or newer.',
    ],
    [
      'a database of a newer version',
      (d) => {
        d.database.state = async () => ({ version: '18.1', pending: [], unknown: ['0009-x.sql'] });
      },
      1,
      '✗ database: A newer Mayfly has written it (it has 0009-x.sql). Start that version.',
    ],
    [
      'a new database',
      (d) => {
        d.database.state = async () => ({ version: '18.1', pending: ['0001-foundation.sql'], unknown: [] });
      },
      0,
      '✓ database: PostgreSQL 18.1, the next start applies 0001-foundation.sql.',
    ],
    [
      'a database that is away',
      (d) => {
        d.database.state = () =>
          Promise.reject(Object.assign(new Error('connect postgres://u:secret@db'), { code: 'ECONNREFUSED' }));
      },
      1,
      '✗ database: It failed (ECONNREFUSED). Correct `database`, or start PostgreSQL.',
    ],
    [
      'an agent that never came',
      (d) => {
        d.database.agents = async () => [];
      },
      1,
      '✗ agent default: It was never heard of. Start `mayfly agent` in its cluster, with the same name and token in agent.yaml.',
    ],
    [
      'an agent that is silent',
      (d) => {
        d.database.agents = async () => [{ name: 'default', lastSeenAt: now - 3_600_000 }];
      },
      0,
      '! agent default: Not heard of since 2026-11-20T11:00:00.000Z. Look at its log, and whether it reaches `publicUrl`.',
    ],
  ];
  it.each(cases)('tells of %s', async (_name, change, code, line) => {
    const result = await run(change);
    expect(result.lines).toContain(line);
    expect(result.code).toBe(code);
    expect(result.lines.join()).not.toContain('secret@');
  });

  it('asks for pipeline events only where a pipeline is waited for', async () => {
    const withoutPipelines = (d: ReturnType<typeof services>) => {
      d.gitlab.hooks = async () => [{ ...goodHook, pipelineEvents: false }];
    };
    expect((await run(withoutPipelines)).code).toBe(0);
    const { lines } = await run(withoutPipelines, 'defaults: {gate: {pipeline: success}}\n');
    expect(lines).toContain(
      '✗ webhook of acme/shop: It does not send everything that is needed. Switch on Merge request, Comments and Pipeline events.',
    );
  });

  it('recommends job events where jobs or images are waited for, and needs pipeline events for jobs', async () => {
    const withoutJobs = (d: ReturnType<typeof services>) => {
      d.gitlab.hooks = async () => [{ ...goodHook, jobEvents: false }];
    };
    const line =
      '! webhook of acme/shop: It sends no Job events. Switch them on: what a gate waits for is otherwise noticed later.';
    expect((await run(withoutJobs, 'defaults: {gate: {pipeline: success}}\n')).lines).not.toContain(line);
    const waiting = [
      'defaults: {gate: {pipeline: {jobs: [build]}}}\n',
      'groups: [{name: store, projects: [shop], link: branch, gate: {pipeline: {jobs: [build]}}}]\n',
    ];
    for (const more of waiting) {
      const { code, lines } = await run(withoutJobs, more);
      expect(lines).toContain(line);
      expect(code).toBe(0);
      const silent = await run((d) => {
        d.gitlab.hooks = async () => [{ ...goodHook, pipelineEvents: false }];
      }, more);
      expect(silent.lines).toContain(
        '✗ webhook of acme/shop: It does not send everything that is needed. Switch on Merge request, Comments, Pipeline and Job events.',
      );
    }
  });

  it('tells one cause once: what rests on it is not tried', async () => {
    const refused = await run((d) => {
      d.gitlab.version = unauthorized;
      d.gitlab.currentUser = unauthorized;
      d.gitlab.project = () => Promise.reject(new Error('must not be asked'));
      d.branch.head = () =>
        Promise.reject(new AppError({ code: 'git-denied', disposition: 'wait', publicMessage: 'It is refused.' }));
      d.database.state = () => Promise.reject(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }));
    });
    expect(refused.code).toBe(1);
    expect(refused.lines.map((line) => line.replace(/:.*/, ''))).toEqual([
      '✗ GitLab',
      '✗ GitLab token',
      '- project acme/shop',
      '- webhook of acme/shop',
      '✗ branch dynamic-envs',
      '- writing dynamic-envs',
      '- template application',
      '✗ database',
      '- agent default',
      '- effect',
    ]);
    const hidden = await run((d) => {
      d.gitlab.project = unauthorized;
    });
    expect(hidden.lines).toContain('- webhook of acme/shop: Not known while the project cannot be read.');
  });

  it('does not fail for an embedded database that no manager runs now', async () => {
    const { code, lines } = await run((d) => {
      d.database.isAsleep = true;
      d.database.state = () => Promise.reject(new Error('must not be asked'));
      d.plan = () => Promise.reject(new Error('must not be asked'));
    });
    expect(code).toBe(0);
    expect(lines.slice(-3)).toEqual([
      '- database: The embedded one, which runs while `mayfly serve` does.',
      '- agent default: Not known without database.',
      '- effect: Not known without database.',
    ]);
  });

  it('does not say what would stop while a project cannot be read: it would look like stops', async () => {
    const { lines } = await run((d) => {
      d.gitlab.project = unauthorized;
      d.plan = () => Promise.reject(new Error('must not be asked'));
    });
    expect(lines.at(-1)).toBe('- effect: Not known while a project above cannot be read.');
  });

  it('ends when it is given up', async () => {
    const controller = new AbortController();
    const { config } = await loadManagerConfig({ file: await temporaryFile('mayfly.yaml', least), environment });
    const lines: string[] = [];
    const good = services();
    const stuck = { ...good.gitlab, version: () => new Promise<never>(() => undefined) };
    const done = check(
      { ...good, gitlab: stuck, print: (line) => void lines.push(line), now },
      config,
      controller.signal,
    );
    controller.abort();
    await done;
    expect(lines[0]).toBe('- GitLab: Given up.');
  });
});

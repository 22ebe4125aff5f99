// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is the notation of the files under test.
import { describe, expect, it } from 'vitest';
import { loadManagerConfig } from '../../src/config/load-manager-config.js';
import { isAppError } from '../../src/error/app-error.js';
import { environment, least, refusal, temporaryFile } from './config-files.js';

async function problems(text: string): Promise<string[]> {
  return refusal(loadManagerConfig({ file: await temporaryFile('mayfly.yaml', text), environment }));
}

/** The least file with something more in its project. */
function inProject(yaml: string): string {
  return least.replace('    path: acme/shop\n', `    path: acme/shop\n    ${yaml}\n`);
}

describe('a refused mayfly.yaml', () => {
  it('tells every problem at once, in the order of the file', async () => {
    const text = `gitlab:
  url: ftp://gitlab.example.com
  webhookSecrt: abc
branch: {repository: "https://bot:pw@gitlab.example.com/e.git"}
publicUrl:
projects:
  - {name: Shop, path: acme/shop, lifetime: {ttl: 72}}
  - {name: cart, path: acme/cart, preview: {cluster: other}}
  - {name: cart, path: Acme/Cart}
agents: [{name: default, token: a-token-of-some-length}]
`;
    expect(await problems(text)).toEqual([
      '2:3 gitlab.token: missing. Add it.',
      '2:8 gitlab.url: not a URL that begins with https:// (or http://).',
      '3:3 gitlab.webhookSecrt: unknown key. Did you mean `webhookSecret`?',
      '4:22 branch.repository: has a user name or password in it, which would end up in logs. Use the key `token` for it.',
      '5:1 publicUrl: empty. Give it a value.',
      '7:12 projects[0].name: may hold only a-z, 0-9 and -, begins with a letter and does not end in -. Rename it.',
      '7:51 projects[0].lifetime.ttl: must be a duration such as 72h, 14d, 10m or 30s, not a number.',
      '8:54 projects[1].preview.cluster: no agent is called "other"; there is default. Choose one, or add it to `agents`.',
      '9:12 projects[2].name: the same as in projects[1]. Each needs its own.',
      '9:24 projects[2].path: the same as in projects[1]. Each needs its own.',
    ]);
  });

  it.each([
    ['drafs: true', 'follow: {drafs: true}', '11:14 projects[0].follow.drafs: unknown key. Did you mean `drafts`?'],
    [
      'a key of another place',
      'ttl: 3h',
      '11:5 projects[0].ttl: unknown key, which this version does not have. A key of this name belongs at `projects[].lifetime.ttl` or `groups[].lifetime.ttl`. The nearest key here is `path`; known are `name`, `path`, `preview`, `follow`, `gate`, `lifetime`, `limits`, `secrets`, `feedback`, `probe`, `commands`, `settable`, `deployTimeout`, `webhookSecret`.',
    ],
    [
      'a key of a later version',
      'lifetime: {idle: 14d}',
      '11:16 projects[0].lifetime.idle: unknown key, which this version does not have. The nearest key here is `ttl`; known are `ttl`, `max`, `warn`, `keepAfterMerge`, `sleep`.',
    ],
    [
      'a variable of a name',
      'preview: {name: "{{project}}-{{sha}}"}',
      '11:21 projects[0].preview.name: uses {{sha}}, which is not known here. Known are {{project}}, {{iid}}, {{branchSlug}}.',
    ],
    [
      'a name for all',
      'preview: {name: "{{project}}"}',
      '11:21 projects[0].preview.name: gives every merge request the same name. Use {{iid}} or {{branchSlug}} in it.',
    ],
    [
      'a variable of a URL',
      'preview: {url: "https://{{slugg}}.x"}',
      '11:20 projects[0].preview.url: uses {{slugg}}, which is not known here. Known are {{slug}}, {{namespace}}, {{project}}, {{iid}}, {{branchSlug}}.',
    ],
    [
      'half a variable',
      'preview: {url: "https://{{slug}.x"}',
      '11:20 projects[0].preview.url: has a brace that is no part of a variable such as {{iid}}.',
    ],
    [
      'a URL for all',
      'preview: {url: "https://preview.x"}',
      '11:20 projects[0].preview.url: gives every preview the same link. Use {{slug}} in it.',
    ],
    [
      'a pattern',
      'follow: {targetBranches: ["rel?"]}',
      '11:31 projects[0].follow.targetBranches[0]: holds what no branch pattern may: * is the only wildcard and stands for any text, so "release/*" or "*-fix". Write one entry for each alternative.',
    ],
    [
      'half a source',
      'preview: {source: {repository: https://x/y}}',
      '11:23 projects[0].preview.source: has `repository` but no `revision`. Give both or neither.',
    ],
    [
      'a chart without its repository',
      'preview: {source: {chart: shop}}',
      '11:23 projects[0].preview.source: has `chart` but no `repository`. Name the repository and the version of the chart.',
    ],
    [
      'a chart in a folder',
      'preview: {source: {repository: https://x/y, revision: 1.2.3, chart: shop, path: k8s}}',
      '11:23 projects[0].preview.source: has `chart` and `path`. Give one of them.',
    ],
    [
      'a range of versions',
      'preview: {source: {repository: https://x/y, revision: ">=1.2", chart: shop}}',
      '11:59 projects[0].preview.source.revision: not one version of a chart, such as 1.4.2. A range or a name may mean another thing tomorrow.',
    ],
    [
      'a registry without a chart',
      `preview: {source: {repository: "oci://x/y", revision: ${'a'.repeat(40)}}}`,
      '11:36 projects[0].preview.source.repository: is a registry, which holds charts. Name the `chart`.',
    ],
    [
      'a moving revision',
      'preview: {source: {repository: https://x/y, revision: main}}',
      '11:59 projects[0].preview.source.revision: not a full commit id of 40 hexadecimal digits, which alone means the same thing tomorrow.',
    ],
    [
      'a folder outside',
      'preview: {source: {path: ../x}}',
      '11:30 projects[0].preview.source.path: not a folder inside the repository, such as deploy/preview. Write it relative and without "..".',
    ],
    [
      'a key to set that has no value',
      'settable: [replicas]',
      '11:16 projects[0].settable[0]: is no key of `preview.values`. Give replicas a value there, which is what it is until it is set.',
    ],
    [
      'a list to set',
      'preview: {values: {list: [1]}}\n    settable: [list]',
      '12:16 projects[0].settable[0]: has a list or a group for its value. Only a number, a text, or true or false can be set.',
    ],
    [
      'a role',
      'commands: {level: boss}',
      '11:23 projects[0].commands.level: not one of guest, planner, reporter, developer, maintainer, owner.',
    ],
    ['forks', 'follow: {forks: some}', '11:21 projects[0].follow.forks: not one of never, approved, always.'],
    [
      'an unknown zone',
      'lifetime: {sleep: {awake: Mon-Fri 08:00-18:00 Europe/Atlantis}}',
      '11:31 projects[0].lifetime.sleep.awake: ends in no known time zone `Europe/Atlantis`. Write one such as Europe/Berlin or UTC.',
    ],
    [
      'no hours',
      'lifetime: {sleep: {awake: weekdays UTC}}',
      '11:31 projects[0].lifetime.sleep.awake: has no window `weekdays`. Write one such as Mon-Fri 07:30-20:00.',
    ],
    ['no time at all', 'lifetime: {ttl: 0s}', '11:21 projects[0].lifetime.ttl: too short. The least is 1s.'],
    [
      'a list for a text',
      'deployTimeout: [1m]',
      '11:20 projects[0].deployTimeout: must be a duration such as 72h, 14d, 10m or 30s, not a list.',
    ],
    [
      'an unquoted number',
      'feedback: {commitStatus: {name: 12}}',
      '11:37 projects[0].feedback.commitStatus.name: must be a text, not a number. Put quotes around it.',
    ],
    [
      'a secret that is a number',
      'webhookSecret: 123',
      '11:20 projects[0].webhookSecret: must be a text, not a number. Put quotes around it.',
    ],
  ])('names the place and what is right: %s', async (_name, yaml, sentence) => {
    expect(await problems(inProject(yaml))).toEqual([sentence]);
  });

  it.each([
    [
      'no webhook can be verified',
      least.replace('  webhookSecret: hook-secret\n', ''),
      [
        '1:1 gitlab: has neither `webhookSecret` nor `signingToken`, and projects[0] has no `webhookSecret` of its own, so that its webhooks could not be verified. Add one.',
      ],
    ],
    [
      'two ports are one',
      `${least}listen: {port: 9090}\n`,
      ['14:9 listen.metricsPort: is 9090, as `listen.port` is. Each needs its own.'],
    ],
    [
      'names outgrow a namespace',
      least
        .replace('shop\n    path', `${'s'.repeat(40)}\n    path`)
        .replace('acme/shop', 'acme/shop\n    preview: {name: "{{project}}-previews-{{iid}}"}'),
      [
        "11:21 projects[0].preview.name: makes names of 57 characters, and with the prefix preview- only 55 fit into the name of a namespace. Shorten the project's name, `preview.name` or the prefix.",
      ],
    ],
    [
      "an agent's token is short",
      least.replace('${AGENT_TOKEN}', 'short'),
      ['13:12 agents[0].token: shorter than 16 characters. Use a long random one: openssl rand -hex 32'],
    ],
    [
      'two agents share a token',
      `${least}  - {name: other, token: "\${AGENT_TOKEN}"}\n`,
      ['14:26 agents[1].token: the same as in agents[0]. Each needs its own.'],
    ],
    [
      'previews would have no prefix',
      `${least}    namespacePrefix: kube\n`,
      [
        '14:22 agents[0].namespacePrefix: may hold only a-z, 0-9 and -, begins with a letter and ends in -, such as preview-.',
      ],
    ],
    [
      'a key is given twice',
      `${least}publicUrl: https://other.example.com\n`,
      ['14:1 this key is given twice. Remove one.'],
    ],
    [
      'braces lack quotes',
      `${least}log: {level: \${LEVEL}}\n`,
      [
        '14:15 this is not YAML: Unexpected flow-map-start at node end. Put quotes around a value that has braces: "${NAME}", "{{project}}".',
      ],
    ],
  ])('says so when %s', async (_name, text, sentences) => {
    expect(await problems(text)).toEqual(sentences);
  });

  it('lists what an empty file lacks', async () => {
    expect(await problems('')).toEqual(
      ['gitlab', 'branch', 'publicUrl', 'projects', 'agents'].map((key) => `1:1 ${key}: missing. Add it.`),
    );
  });

  it('is told apart from one that cannot be read', async () => {
    const error: unknown = await loadManagerConfig({ file: '/nowhere/mayfly.yaml', environment }).catch(
      (e: unknown) => e,
    );
    expect(isAppError(error, 'config-unreadable') && error.publicMessage).toBe(
      'The configuration /nowhere/mayfly.yaml cannot be read (ENOENT). Give its path with --config, or make it readable.',
    );
  });

  it('cannot be made enormous by aliases', async () => {
    const bomb = ['a', 'b', 'c', 'd', 'e'].map(
      (name, i) =>
        `x${name}: &${name} [${
          i === 0
            ? '1'
            : Array(20)
                .fill(`*${'abcde'[i - 1]}`)
                .join(', ')
        }]`,
    );
    expect((await problems(`${bomb.join('\n')}\n`)).at(0)).toBe(
      '1:1 there are more than 100 aliases (*name). Write the values out.',
    );
  });
});

describe('an allowed and unwise mayfly.yaml', () => {
  it('is warned about: tokens in clear, previews of strangers', async () => {
    const file = await temporaryFile(
      'mayfly.yaml',
      inProject('follow: {forks: always}').replace('https://gitlab.example.com\n', 'http://gitlab.internal\n'),
    );
    const { warnings } = await loadManagerConfig({ file, environment });
    expect(warnings.map((each) => `${each.line}:${each.column} ${each.path}: ${each.message}`)).toEqual([
      '2:8 gitlab.url: http:// sends tokens in clear over the network. Use https:// where it can be had.',
      '11:21 projects[0].follow.forks: whoever can fork the project can run what they like in a preview. Use never where that is not meant.',
    ]);
  });

  it('is not warned about an address of this machine', async () => {
    const text = least.replaceAll('https://gitlab.example.com', 'http://127.0.0.1:8080');
    const { warnings } = await loadManagerConfig({ file: await temporaryFile('mayfly.yaml', text), environment });
    expect(warnings).toEqual([]);
  });
});

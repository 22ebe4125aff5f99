import { describe, expect, it } from 'vitest';
import { loadManagerConfig } from '../../src/config/load-manager-config.js';
import { groupPolicyOf, policyInGroup } from '../../src/config/policy-of.js';
import { environment, least, refusal, temporaryFile } from './config-files.js';

const two = least.replace(
  /projects:\n[\s\S]*?(?=\n\w|$)/,
  `projects:
  - {name: shop, path: acme/shop, gate: {pipeline: success}, secrets: [{copy: pull}, {copy: other}]}
  - {name: cart, path: acme/cart, secrets: [{copy: pull}]}`,
);

async function load(groups: string, more = '') {
  const file = await temporaryFile('mayfly.yaml', `${two}\n${more}groups:\n${groups}\n`);
  return (await loadManagerConfig({ file, environment })).config;
}

async function loadWithWarnings(groups: string) {
  const file = await temporaryFile('mayfly.yaml', `${two}\ngroups:\n${groups}\n`);
  const { config, warnings } = await loadManagerConfig({ file, environment });
  return { config, warnings: warnings.map(({ path, message }) => `${path}: ${message}`) };
}

async function problems(groups: string): Promise<string[]> {
  const file = await temporaryFile('mayfly.yaml', `${two}\ngroups:\n${groups}\n`);
  return (await refusal(loadManagerConfig({ file, environment }))).map((each) => each.replace(/^\d+:\d+ /, ''));
}

describe('groups', () => {
  it('takes preview, lifetime and limits, and `defaults` for the rest', async () => {
    const config = await load(
      '  - {name: store, projects: [shop, cart], lifetime: {ttl: 5h}, limits: {previews: 3}}',
      'defaults: {secrets: [{copy: pull}, {copy: other}], deployTimeout: 20m}\n',
    );
    const [group] = config.groups;
    if (group === undefined) throw new Error('no group');
    expect(groupPolicyOf(config, group)).toMatchObject({
      project: 'store',
      nameTemplate: '{{group}}-{{branchSlug}}',
      ttlMs: 5 * 3_600_000,
      maxPreviews: 3,
      deployTimeoutMs: 20 * 60_000,
    });
    // What one of its projects does not give to its previews is given to nobody who is only the other's author.
    expect(group.settings.secrets).toEqual([{ copy: 'pull', forks: false }]);
  });

  it('lets no forks join unless they are named, and warns of those that are', async () => {
    const entry = '  - {name: store, projects: [shop, cart]';
    const none = await loadWithWarnings(`${entry}}`);
    expect(none.config.groups[0]?.forks).toEqual([]);
    expect(none.warnings.filter((each) => each.includes('fork'))).toEqual([]);
    const named = await loadWithWarnings(`${entry}, forks: [cart]}`);
    expect(named.config.groups[0]?.forks).toEqual(['cart']);
    expect(named.warnings.filter((each) => each.includes('fork'))).toEqual([
      expect.stringContaining(
        'groups[0].forks: what strangers push to forks of cart runs beside the commits of the others',
      ),
    ]);
  });

  it('takes gates key by key over those of each project', async () => {
    const config = await load('  - {name: store, projects: [shop, cart], gate: {approval: member}}');
    const [group] = config.groups;
    const gates = config.projects.map((project) => group !== undefined && policyInGroup(config, group, project));
    expect(gates).toMatchObject([
      { gatePipeline: 'success', gateApproval: 'member' },
      { gatePipeline: 'none', gateApproval: 'member' },
    ]);
  });

  it.each([
    [
      'a name that a project has',
      '{name: shop, projects: [cart]}',
      'groups[0].name: the same as in projects[0]. Each needs its own.',
    ],
    [
      'an unknown project',
      '{name: store, projects: [shop, cat]}',
      'groups[0].projects[1]: no project is called "cat". Name projects as `projects` does.',
    ],
    [
      'a project twice',
      '{name: store, projects: [shop, shop]}',
      'groups[0].projects[1]: is in groups[0] already. A project belongs to one group.',
    ],
    [
      'forks of a project of another group',
      '{name: store, projects: [shop], forks: [cart]}',
      'groups[0].forks[0]: "cart" is no project of this group. Name one of its `projects`.',
    ],
    ['no project', '{name: store, projects: []}', 'groups[0].projects: an empty list. Name a project.'],
    [
      'another link',
      '{name: store, projects: [shop], link: label}',
      'groups[0].link: not `branch`, which is the only one.',
    ],
    [
      'a name of one merge request',
      '{name: store, projects: [shop], preview: {name: "{{group}}-{{iid}}"}}',
      'groups[0].preview.name: uses {{iid}}, which is not known here. Known are {{group}}, {{branchSlug}}.',
    ],
    [
      'one name for all',
      '{name: store, projects: [shop], preview: {name: "{{group}}"}}',
      'groups[0].preview.name: gives every merge request the same name. Use {{branchSlug}} in it.',
    ],
    [
      'no such cluster',
      '{name: store, projects: [shop], preview: {cluster: far}}',
      'groups[0].preview.cluster: no agent is called "far"; there is default. Choose one, or add it to `agents`.',
    ],
    [
      'an image of an unlisted registry',
      '{name: store, projects: [shop], gate: {image: ["else.example.com/a:{{sha}}"]}}',
      'groups[0].gate.image[0]: ',
    ],
  ])('refuses %s', async (_, group, problem) => {
    const found = await problems(`  - ${group}`);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(problem);
  });
});

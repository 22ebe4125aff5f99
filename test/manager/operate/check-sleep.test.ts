import { expect, it } from 'vitest';
import { loadManagerConfig } from '../../../src/config/load-manager-config.js';
import { AppError } from '../../../src/error/app-error.js';
import { formatResult, runCheck } from '../../../src/manager/operate/check-result.js';
import { sleepChecks, type TemplateOf } from '../../../src/manager/operate/check-sleep.js';
import { environment, least, temporaryFile } from '../../config/config-files.js';

const sleep = '    lifetime: { sleep: { after: 4h } }\n';
const group = `groups:
  - name: both
    projects: [shop]
    preview: { template: whole }
    lifetime: { sleep: { awake: Mon-Fri 08:00-18:00 Europe/Berlin } }
`;

/** The lines of a project that sleeps as `more` says, and of its group. */
async function lines(more: string, templateOf: TemplateOf): Promise<string[]> {
  const file = await temporaryFile('mayfly.yaml', `${least.replace('acme/shop\n', `acme/shop\n${more}`)}${group}`);
  const { config } = await loadManagerConfig({ file, environment });
  const named = [...config.projects, ...config.groups.map(({ settings }) => settings)];
  const checks = named.flatMap((each) => sleepChecks(templateOf, each));
  const options = { timeoutMs: 20_000, signal: new AbortController().signal, advice: '' };
  return Promise.all(checks.map(async (each) => formatResult(await runCheck(each, options))));
}

it('tells of each project and group that sleeps whether its own template says what asleep means', async () => {
  const templateOf: TemplateOf = async ({ template }) => ({ name: template, usesAsleep: template === 'whole' });
  expect(await lines(sleep, templateOf)).toEqual([
    "! sleep of shop: The template application never uses `asleep`, so that only Mayfly's own agent puts these previews to sleep. Where Argo CD or Flux deploys them, write into the template what asleep means, such as `replicaCount: {{#if asleep}}0{{else}}1{{/if}}` among the values of a chart.",
    '✓ sleep of both: The template whole says what `asleep` means.',
  ]);
});

it('says nothing of a project that never sleeps by itself, and nothing twice of a template that fails', async () => {
  const broken = new AppError({ code: 'template-invalid', disposition: 'stall', publicMessage: 'line 3' });
  expect(await lines('', () => Promise.reject(broken))).toEqual([
    '- sleep of both: Not known while its template cannot be read.',
  ]);
});

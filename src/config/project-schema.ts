import { z } from 'zod';
import { chartVersion } from '../application/validate.js';
import { nameVariables, urlVariables } from '../preview/naming.js';
import { awakeSchedule } from './awake-schedule.js';
import {
  branchPattern,
  duration,
  flag,
  folder,
  labelName,
  line,
  repositoryUrl,
  secrets,
  text,
  typed,
  wholeNumber,
} from './fields.js';
import { gateSettings } from './gate-schema.js';
import { type Naming, nameTemplate, urlTemplate } from './name-templates.js';
import { probe } from './probe-schema.js';
import { resources, secretName } from './resources.js';

const source = z
  .strictObject({
    path: folder()
      .optional()
      .meta({ default: 'deploy/preview', description: 'Folder of the manifests (YAML or JSON).' }),
    recurse: flag().optional().meta({ default: true, description: 'Whether folders below it count too.' }),
    repository: repositoryUrl().optional().meta({
      description: 'Another repository than the target project. Absent: that one, at the merge request’s sha.',
    }),
    revision: text().optional().meta({
      description: 'Full commit id in `repository`, or with `chart` its exact version; required with `repository`.',
    }),
    chart: line(200).optional().meta({
      description: 'Name of a Helm chart in `repository`, a chart repository or oci:// registry; instead of `path`.',
    }),
  })
  .superRefine((value, context) => {
    for (const problem of sourceProblems(value)) context.addIssue({ code: 'custom', ...problem });
  });

interface SourceInput {
  path?: string | undefined;
  repository?: string | undefined;
  revision?: string | undefined;
  chart?: string | undefined;
}

function sourceProblems(value: SourceInput) {
  const { path, repository, revision, chart } = value;
  const problems: { message: string; path?: string[] }[] = [];
  if ((repository === undefined) !== (revision === undefined)) {
    const [has, lacks] = repository === undefined ? ['revision', 'repository'] : ['repository', 'revision'];
    problems.push({ message: `has \`${has}\` but no \`${lacks}\`. Give both or neither.` });
  } else if (chart !== undefined && repository === undefined) {
    problems.push({ message: 'has `chart` but no `repository`. Name the repository and the version of the chart.' });
  }
  if (chart !== undefined && path !== undefined)
    problems.push({ message: 'has `chart` and `path`. Give one of them.' });
  if (chart === undefined && repository?.startsWith('oci://') === true) {
    problems.push({ message: 'is a registry, which holds charts. Name the `chart`.', path: ['repository'] });
  }
  const isExact = revision === undefined || (chart === undefined ? /^[0-9a-f]{40}$/ : chartVersion).test(revision);
  if (!isExact) {
    const message =
      chart === undefined
        ? 'not a full commit id of 40 hexadecimal digits, which alone means the same thing tomorrow.'
        : 'not one version of a chart, such as 1.4.2. A range or a name may mean another thing tomorrow.';
    problems.push({ message, path: ['revision'] });
  }
  return problems;
}

const jsonValues = z
  .record(z.string(), z.unknown(), typed('a group of keys'))
  .refine((value) => !hasNotANumber(value), 'holds .nan or .inf, which JSON does not know. Use a number or a text.');

function hasNotANumber(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasNotANumber);
}

const listOf = (item: z.ZodType<string>) => z.array(item, typed('a list')).optional();

/** `preview` of a project or of a group. */
export function previewSettings(naming: Naming) {
  return z
    .strictObject({
      name: nameTemplate(naming)
        .optional()
        .meta({
          default: naming.defaultName,
          description: `Name of the preview. May use ${naming.nameVariables.map((name) => `\`${name}\``).join(', ')}.`,
        }),
      template: text()
        .regex(
          /^[a-z0-9][a-z0-9._-]*$/i,
          'not the name of a template: a file name without folder and without .yml.hbs.',
        )
        .optional()
        .meta({
          default: 'application',
          description: 'Template in `branch.templates`, without `.yml.hbs`; `application` is built in.',
        }),
      url: urlTemplate(naming)
        .optional()
        .meta({
          description: `Where it opens. May use ${naming.urlVariables.map((name) => `\`${name}\``).join(', ')}. Absent: no link.`,
        }),
      source: source.optional(),
      values: jsonValues
        .optional()
        .meta({ default: {}, description: 'Given to the template as `values`; merged key by key over `defaults`.' }),
      cluster: text().optional().meta({ default: 'default', description: 'Name of the agent that runs it.' }),
    })
    .optional();
}

/** What a project and `defaults` may both set; nothing is required, and nothing filled in yet. */
export const projectSettings = {
  preview: previewSettings({
    nameVariables,
    telling: ['iid', 'branchSlug'],
    urlVariables,
    defaultName: '{{project}}-{{iid}}',
  }),
  follow: z
    .strictObject({
      labels: z
        .strictObject({
          any: listOf(line()).meta({
            default: [],
            description: 'The merge request has at least one of these labels; empty: no matter which.',
          }),
          all: listOf(line()).meta({ default: [], description: 'It has all of these.' }),
          none: listOf(line()).meta({ default: ['no-preview'], description: 'It has none of these.' }),
        })
        .optional(),
      targetBranches: listOf(branchPattern()).meta({
        default: ['main', 'release/*'],
        description: 'Patterns; `*` stands for any text, slashes too.',
      }),
      sourceBranches: listOf(branchPattern()).meta({ default: ['*'], description: 'Patterns, as above.' }),
      authors: z
        .strictObject({
          any: listOf(line()).meta({
            default: [],
            description: 'User names; the merge requests of others get no preview. Empty: no matter whose.',
          }),
          none: listOf(line()).meta({ default: [], description: 'User names whose merge requests get no preview.' }),
        })
        .optional(),
      drafts: flag().optional().meta({ default: true, description: 'Whether drafts get one.' }),
      forks: z.enum(['never', 'approved', 'always']).optional().meta({
        default: 'approved',
        description:
          'Whether merge requests from forks get one. `approved`: each commit once a member wrote `/preview approve SHA`. `always` runs what strangers push.',
      }),
      forkRepositories: listOf(repositoryUrl()).meta({
        default: [],
        description:
          'Repositories beside the project’s own that the preview of a fork may be deployed from; the one of `preview.source` must be among them.',
      }),
      optIn: flag().optional().meta({
        default: false,
        description: 'true: only with the label `optInLabel`, or once a member wrote `/preview start`.',
      }),
      optInLabel: line().optional().meta({ default: 'preview', description: 'The label that `optIn` asks for.' }),
    })
    .optional(),
  gate: gateSettings.optional(),
  lifetime: z
    .strictObject({
      ttl: duration()
        .optional()
        .meta({ default: '72h', description: 'How long it lives after the last push, command or reopening.' }),
      max: duration().optional().meta({
        default: '14d',
        description:
          'How long it lives at most since it was created, however often it is used or extended; not when it is pinned.',
      }),
      warn: duration('0s').optional().meta({
        default: '12h',
        description: 'How long before its end its author is told, half of `ttl` at most; `0s`: never.',
      }),
      keepAfterMerge: duration('0s').optional().meta({
        default: '0h',
        description: 'How long it lives on, as it is, after the merge request was merged.',
      }),
      sleep: z
        .strictObject({
          after: duration().optional().meta({
            description:
              'Asleep once nothing happened for so long: no push, command, reopening or wake. Absent: never for that.',
          }),
          awake: awakeSchedule().optional().meta({
            description:
              'When it is awake, such as `Mon-Fri 07:30-20:00 Europe/Berlin`; several windows stand between commas. Outside it sleeps; what is used then stays awake for `after`, or 1h. Absent: no matter when.',
          }),
        })
        .optional()
        .meta({ description: 'When it sleeps by itself, scaled to zero. Replaces that of `defaults` as a whole.' }),
    })
    .optional(),
  limits: z
    .strictObject({
      previews: wholeNumber(1, 10_000)
        .optional()
        .meta({ default: 20, description: 'Previews of this project at once; more wait in a line.' }),
      resources: resources.optional().meta({
        description: 'What one preview may take, within `limits.resources` of the agent. Absent: what the agent says.',
      }),
    })
    .optional(),
  secrets: z
    .array(
      z.strictObject(
        {
          copy: secretName().meta({
            description:
              'A secret of the namespace `secretsFrom` of the agent, copied into each preview’s. Readable by every author of a followed merge request.',
          }),
          forks: flag().optional().meta({
            description:
              'true: merge requests from forks get it, too, and with it whoever may fork. Absent: they do not.',
          }),
        },
        typed('a group of keys'),
      ),
      typed('a list'),
    )
    .max(20, 'more than 20 secrets.')
    .optional(),
  feedback: z
    .strictObject({
      note: flag().optional().meta({ default: true, description: 'One note in the merge request, kept up to date.' }),
      commitStatus: z
        .strictObject({
          name: line().optional().meta({ default: 'mayfly/preview', description: 'Name of the commit status.' }),
          blocking: flag().optional().meta({
            default: false,
            description: 'true: also `running` and `failed`, so that a merge waits for the preview.',
          }),
        })
        .optional(),
      logs: z.enum(['auto', 'note', 'dashboard']).optional().meta({
        default: 'auto',
        description:
          'Where a failed preview’s log lines are shown: in the note, or on the dashboard alone. `auto`: in the note unless the project is public.',
      }),
    })
    .optional(),
  probe,
  commands: z
    .strictObject({
      level: z.enum(['guest', 'planner', 'reporter', 'developer', 'maintainer', 'owner']).optional().meta({
        default: 'developer',
        description: 'The least role in the project whose members may write `/preview` commands.',
      }),
    })
    .optional(),
  settable: listOf(line(63)).meta({
    default: [],
    description: 'Keys of `preview.values` that `/preview set` may change: a number, a text, or true or false.',
  }),
  deployTimeout: duration().optional().meta({ default: '10m', description: 'Not healthy after this long: failed.' }),
  webhookSecret: secrets().optional().meta({
    description: 'Secret of this project’s webhook, instead of `gitlab.webhookSecret`. A list while it is rotated.',
  }),
};

export const defaultsSchema = z.strictObject(projectSettings);

export const projectSchema = z.strictObject({
  name: labelName(40).meta({ description: 'Part of every name. Fixed for life.' }),
  path: text('the path of a project')
    .regex(
      /^[^\s/:?#]+(\/[^\s/:?#]+)+$/,
      'not the path of a project, such as acme/shop: no address, no slash at either end.',
    )
    .meta({ description: 'Path of the GitLab project, such as `acme/shop`.' }),
  ...projectSettings,
});

export type ProjectSettings = z.output<typeof defaultsSchema>;
export type ProjectInput = z.output<typeof projectSchema>;

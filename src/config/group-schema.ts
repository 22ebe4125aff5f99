import { z } from 'zod';
import { groupNameVariables, groupUrlVariables } from '../preview/naming.js';
import { labelName, typed } from './fields.js';
import { previewSettings, projectSettings } from './project-schema.js';

const { lifetime, limits, gate } = projectSettings;

/** An entry of `groups`: merge requests of several projects on one branch share one preview. */
export const groupSchema = z.strictObject({
  name: labelName(40).meta({
    description: 'Part of every name, and another than that of every project. Fixed for life.',
  }),
  projects: z
    .array(labelName(40), typed('a list'))
    .min(1, 'an empty list. Name a project.')
    .max(20, 'more than 20 projects.')
    .meta({
      description:
        'Names of projects. The first is the one whose repository is deployed where `preview.source` names no other.',
    }),
  forks: z.array(labelName(40), typed('a list')).default([]).meta({
    default: '[]',
    description:
      'Names of projects of this group whose merge requests from forks may join, as far as `follow.forks` of the project lets them. What strangers push then runs beside the commits of the others, and the whole preview gets what a fork gets.',
  }),
  link: z
    .literal('branch', { error: () => 'not `branch`, which is the only one.' })
    .default('branch')
    .meta({
      default: 'branch',
      description: 'Merge requests whose source branches have the same name belong together.',
    }),
  preview: previewSettings({
    nameVariables: groupNameVariables,
    telling: ['branchSlug'],
    urlVariables: groupUrlVariables,
    defaultName: '{{group}}-{{branchSlug}}',
  }),
  lifetime,
  limits,
  gate: gate.meta({
    description: 'Each key that is set holds for all commits; the others are those of their project.',
  }),
});

export type GroupInput = z.output<typeof groupSchema>;

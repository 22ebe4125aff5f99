import { z } from 'zod';
import { imageVariables, parseImage, renderImage } from '../preview/image-reference.js';
import { templateVariables } from '../preview/naming.js';
import { flag, line, secret, text, typed } from './fields.js';

const pipeline = z.union(
  [
    z.enum(['none', 'success']),
    z.strictObject({ jobs: z.array(line(), typed('a list')).min(1, 'an empty list. Name a job.').max(50) }),
  ],
  { error: () => 'not `none`, `success` or `{jobs: [names of jobs]}`.' },
);

/** An entry of `gate.image`: only these variables, none of them in the host, and the commit in it. */
const imageTemplate = text()
  .max(500, 'longer than 500 characters. Shorten it.')
  .superRefine((value, context) => {
    const problem = imageProblem(value);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  });

function imageProblem(value: string): string | null {
  const rest = value.replace(/\{\{[^{}]*\}\}/g, '');
  if (/[{}]/.test(rest)) return 'has a brace that is no part of a variable such as {{shortSha}}.';
  const unknown = templateVariables(value).find((name) => !imageVariables.some((known) => known === name));
  if (unknown !== undefined) {
    const known = imageVariables.map((name) => `{{${name}}}`).join(', ');
    return `uses {{${unknown}}}, which is not known here. Known are ${known}.`;
  }
  if (imageHost(value) === null) {
    return 'not an image such as "registry.example.com/acme/shop:{{shortSha}}": host, repository and tag, no digest.';
  }
  return templateVariables(value).some((name) => name === 'sha' || name === 'shortSha')
    ? null
    : 'is the same for every commit, so that an older image would open the gate. Use {{shortSha}} in it.';
}

/** The registry that a template names; null: it is no valid image, or the host depends on a variable. */
export function imageHost(template: string): string | null {
  const [host = ''] = template.split('/');
  const sample = { slug: 'shop-1', project: 'shop', iid: 1, sha: '0'.repeat(40), sourceBranch: 'x' };
  const image = parseImage(renderImage(template, sample) ?? '');
  return image === null || host.includes('{') ? null : image.host;
}

/** `gate` of a project and of `defaults`. */
export const gateSettings = z.strictObject({
  pipeline: pipeline.optional().meta({
    default: 'none',
    description:
      '`success`: a sha is deployed once its pipeline succeeded. `{jobs: [names]}`: once these jobs did. Mayfly’s own statuses never count.',
  }),
  image: z
    .array(imageTemplate, typed('a list'))
    .max(20, 'more than 20 images. Name those that are built last.')
    .optional()
    .meta({
      default: [],
      description: `Images that must exist, each with its host and tag. May use ${imageVariables.map((name) => `\`${name}\``).join(', ')}.`,
    }),
  approval: z.enum(['none', 'member']).optional().meta({
    default: 'none',
    description: '`member`: a member of the project wrote `/preview approve` for this very commit.',
  }),
});

const hostPattern = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?$/;

/** A host with its port where it is not 443, as images name it. */
export function registryHost() {
  return text()
    .transform((value) => value.toLowerCase())
    .refine((value) => hostPattern.test(value), 'not a host such as registry.example.com or localhost:5000.');
}

/** One entry of `registries`. */
export const registrySchema = z
  .strictObject({
    host: registryHost().meta({
      description: 'Host of a registry, or of the service that gives out its tokens; with its port if it has one.',
    }),
    username: line().optional().meta({ description: 'Who may read there. Absent: nobody signs in.' }),
    password: secret().optional().meta({ description: 'The password or access token; required with `username`.' }),
    private: flag().default(false).meta({
      default: false,
      description: 'true: it may have a private or loopback address. Otherwise such an address is not contacted.',
    }),
    insecure: flag().default(false).meta({
      default: false,
      description: 'true: it is spoken to over plain HTTP. A password is sent so to this machine alone.',
    }),
  })
  .superRefine((value, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (value.username !== undefined && value.password === undefined) issue('username', 'has no `password`. Add it.');
    if (value.password !== undefined && value.username === undefined) issue('password', 'has no `username`. Add it.');
    if (value.username?.includes(':') === true) issue('username', 'has a colon, which would end it. Remove it.');
    const isHere = /^(localhost|127(\.\d{1,3}){3})(:|$)/.test(value.host);
    if (value.insecure && value.password !== undefined && !isHere) {
      issue('insecure', 'would send the password in clear over the network. Use HTTPS, or leave the password out.');
    }
  });

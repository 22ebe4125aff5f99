import { z } from 'zod';
import { AppError } from '../../error/app-error.js';
import { unsupported } from './source-error.js';

/** A DNS label as Helm takes it for a release, and names the objects after. */
const releaseName = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,51}[a-z0-9])?$/, 'is not the name of a release');
const path = z.string().min(1).max(1_024);
const name = z.string().min(1).max(500);
const textMap = z.record(z.string(), z.string());
/** A place among the values and nothing else: Helm takes a comma or an equals sign for one more file, of any path. */
const fileParameterName = name.regex(/^(?:[\w/@$.-]|\[\d{1,4}\]|\\\.)+$/, 'is not the name of one value');

const directory = z.strictObject({
  recurse: z.boolean().optional(),
  include: z.string().optional(),
  exclude: z.string().optional(),
});

const patchTarget = z.strictObject({
  group: z.string().optional(),
  version: z.string().optional(),
  kind: z.string().optional(),
  name: z.string().optional(),
  namespace: z.string().optional(),
  labelSelector: z.string().optional(),
  annotationSelector: z.string().optional(),
});

/** One entry of `patches`, in a kustomization and in an Application. */
export const patchSchema = z.strictObject({
  path: path.optional(),
  patch: z.string().optional(),
  target: patchTarget.optional(),
  options: z.record(z.string(), z.boolean()).optional(),
});

/** One entry of `replicas`. */
export const replicaSchema = z.strictObject({
  name,
  count: z.union([z.number().int().min(0), z.string().regex(/^\d{1,6}$/)]),
});

const kustomize = z.strictObject({
  namePrefix: z.string().optional(),
  nameSuffix: z.string().optional(),
  namespace: z.string().optional(),
  images: z.array(name).optional(),
  replicas: z.array(replicaSchema).optional(),
  commonLabels: textMap.optional(),
  labelWithoutSelector: z.boolean().optional(),
  labelIncludeTemplates: z.boolean().optional(),
  forceCommonLabels: z.boolean().optional(),
  commonAnnotations: textMap.optional(),
  forceCommonAnnotations: z.boolean().optional(),
  components: z.array(path).optional(),
  patches: z.array(patchSchema).optional(),
});

const helm = z.strictObject({
  releaseName: releaseName.optional(),
  valueFiles: z.array(path).max(50).optional(),
  ignoreMissingValueFiles: z.boolean().optional(),
  values: z.string().optional(),
  valuesObject: z.record(z.string(), z.unknown()).optional(),
  parameters: z
    .array(z.strictObject({ name, value: z.string().default(''), forceString: z.boolean().optional() }))
    .optional(),
  fileParameters: z.array(z.strictObject({ name: fileParameterName, path })).optional(),
  skipCrds: z.boolean().optional(),
  skipTests: z.boolean().optional(),
  skipSchemaValidation: z.boolean().optional(),
  kubeVersion: z
    .string()
    .regex(/^v?\d+\.\d+(\.\d+)?$/)
    .optional(),
  apiVersions: z
    .array(z.string().regex(/^[A-Za-z0-9./-]+$/))
    .max(200)
    .optional(),
  version: z.literal('v3').optional(),
});

export type DirectoryOptions = z.output<typeof directory>;
export type KustomizeOptions = z.output<typeof kustomize>;
export type HelmOptions = z.output<typeof helm>;

const schemas = { directory, kustomize, helm };

/** What an Application says of one tool. Throws `source-unsupported` naming a key, or `source-invalid`. */
export function readOptions<Tool extends keyof typeof schemas>(
  tool: Tool,
  value: unknown,
): z.output<(typeof schemas)[Tool]> {
  const at = `spec.source.${tool}`;
  const parsed = schemas[tool].safeParse(value ?? {});
  if (parsed.success) return parsed.data as z.output<(typeof schemas)[Tool]>;
  const [issue] = parsed.error.issues;
  const place = [at, ...(issue?.path ?? []).map(String)].join('.');
  if (issue?.code === 'unrecognized_keys') throw unsupported(`${place}.${issue.keys[0] ?? ''}`);
  throw new AppError({
    code: 'source-invalid',
    disposition: 'stall',
    publicMessage: `The Application cannot be used: ${place}: ${issue?.message ?? 'it is not valid'}. Correct it in the template or the file.`,
    data: { place },
  });
}

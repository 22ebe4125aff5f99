import { z } from 'zod';
import { patchSchema, replicaSchema } from './source-options.js';

/**
 * What a kustomization may hold here: the fields of Kustomize 5 that read nothing from outside the repository and run
 * nothing. A field that is not listed is refused by its name, so that a later Kustomize brings no surprise.
 */
const path = z.string().min(1).max(1_024);
const paths = z.array(path).max(500).nullish();
const textMap = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const anything = z.unknown().optional();
const names = z.array(z.string()).nullish();

const generator = z.strictObject({
  name: z.string().optional(),
  namespace: z.string().optional(),
  behavior: z.string().optional(),
  type: z.string().optional(),
  files: names,
  literals: names,
  envs: names,
  env: path.optional(),
  options: anything,
});

const image = z.strictObject({
  name: z.string(),
  newName: z.string().optional(),
  newTag: z.union([z.string(), z.number()]).optional(),
  digest: z.string().optional(),
  tagSuffix: z.string().optional(),
});

export type KustomizationImage = z.output<typeof image>;

export const kustomizationSchema = z.strictObject({
  apiVersion: z.string().optional(),
  kind: z.enum(['Kustomization', 'Component']).optional(),
  metadata: anything,
  namePrefix: z.string().nullish(),
  nameSuffix: z.string().nullish(),
  namespace: z.string().nullish(),
  commonLabels: textMap.nullish(),
  commonAnnotations: textMap.nullish(),
  labels: z
    .array(
      z.strictObject({
        pairs: textMap.nullish(),
        includeSelectors: z.boolean().optional(),
        includeTemplates: z.boolean().optional(),
        fields: anything,
      }),
    )
    .nullish(),
  images: z.array(image).nullish(),
  replicas: z.array(replicaSchema).nullish(),
  resources: paths,
  bases: paths,
  components: paths,
  crds: paths,
  configurations: paths,
  openapi: z.strictObject({ path: path.optional() }).nullish(),
  patches: z.array(patchSchema).nullish(),
  patchesStrategicMerge: z.array(z.string()).nullish(),
  patchesJson6902: z
    .array(z.strictObject({ target: anything, path: path.optional(), patch: z.string().optional(), options: anything }))
    .nullish(),
  configMapGenerator: z.array(generator).nullish(),
  secretGenerator: z.array(generator).nullish(),
  generatorOptions: anything,
  replacements: z.array(z.strictObject({ path: path.optional(), source: anything, targets: anything })).nullish(),
  vars: z.array(z.unknown()).nullish(),
  sortOptions: anything,
  buildMetadata: names,
  generators: z.array(z.string()).nullish(),
  transformers: z.array(z.string()).nullish(),
  validators: z.array(z.string()).nullish(),
});

export type Kustomization = z.output<typeof kustomizationSchema>;

/** What a kustomization reads beside itself. */
export interface KustomizationReferences {
  /** Files, or folders with a kustomization of their own. */
  resources: string[];
  /** Folders alone. */
  folders: string[];
  /** Files alone, below the kustomization's own folder. */
  files: string[];
  /** Files or texts that configure transformers and generators. */
  plugins: string[];
}

export function referencesOf(kustomization: Kustomization): KustomizationReferences {
  const list = (values: readonly (string | undefined)[] | null | undefined) =>
    (values ?? []).filter((value) => value !== undefined);
  const generators = [...(kustomization.configMapGenerator ?? []), ...(kustomization.secretGenerator ?? [])];
  return {
    resources: list(kustomization.resources),
    folders: [...list(kustomization.bases), ...list(kustomization.components)],
    files: [
      ...list(kustomization.crds),
      ...list(kustomization.configurations),
      ...list([kustomization.openapi?.path]),
      ...list(kustomization.patches?.map((patch) => patch.path)),
      // Text with a line break is the patch itself.
      ...list(kustomization.patchesStrategicMerge).filter((entry) => !entry.includes('\n')),
      ...list(kustomization.patchesJson6902?.map((patch) => patch.path)),
      ...list(kustomization.replacements?.map((replacement) => replacement.path)),
      ...generators.flatMap(({ files, envs, env }) => [...list(files).map(pathOfEntry), ...list(envs), ...list([env])]),
    ],
    plugins: [
      ...list(kustomization.generators),
      ...list(kustomization.transformers),
      ...list(kustomization.validators),
    ],
  };
}

/** `key=path` or a path. */
function pathOfEntry(entry: string): string {
  return entry.slice(entry.indexOf('=') + 1);
}

/** Anything that Kustomize might take for an address, whether or not such a path is there. */
const remote = /:|@|\?|\\|github\.com|\.git(\/|$)|(^|\/)_git(\/|$)/i;

export function looksRemote(reference: string): boolean {
  return remote.test(reference);
}

/** Transformers and generators of Kustomize itself that read no file. */
const builtins: ReadonlySet<string> = new Set([
  'AnnotationsTransformer',
  'LabelTransformer',
  'ImageTagTransformer',
  'NamespaceTransformer',
  'PrefixTransformer',
  'SuffixTransformer',
  'PrefixSuffixTransformer',
  'ReplicaCountTransformer',
  'PatchTransformer',
  'PatchJson6902Transformer',
  'ConfigMapGenerator',
  'SecretGenerator',
]);

/** Kustomize reads keys without regard to case. */
const readingKeys = /^(path|paths|files|envs|env|kvsources)$/i;

/** Why a transformer's or generator's configuration is refused; null: it is one of Kustomize's own that reads no file. */
export function refusePlugin(document: unknown): string | null {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return 'is no object';
  const { apiVersion, kind, metadata } = document as { apiVersion?: unknown; kind?: unknown; metadata?: unknown };
  if (/\/function/i.test(JSON.stringify(metadata ?? {}))) return `${String(kind)} runs a function`;
  if (apiVersion !== 'builtin' || typeof kind !== 'string' || !builtins.has(kind)) {
    return `${String(kind)} is a plugin`;
  }
  const key = Object.keys(document).find((each) => readingKeys.test(each));
  return key === undefined ? null : `${kind} reads a file by ${key}; write it out instead`;
}

import { z } from 'zod';
import { AppError } from '../error/app-error.js';
import { type Application, annotationPrefix } from './application.js';
import { parseDocuments } from './parse.js';
import { repositoryIsAllowed } from './repository.js';

/** What a file must be, whoever wrote it. */
export interface ExpectedApplication {
  /** Its slug. */
  name: string;
  /** `spec.destination`: the agent, and the preview's own namespace. */
  cluster: string;
  namespace: string;
  /** Globs of repositories that sources may come from; null: any (the agent then applies its own list). */
  repositories: string[] | null;
  /** Values that `spec.project` may have; null: any. */
  projects: string[] | null;
}

const labelPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const label = z.string().regex(labelPattern, 'must be a DNS label of at most 63 characters');
const textMap = z.record(z.string(), z.string());

const commitId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
/** One version of a chart (SemVer 2), never a range: it means the same thing tomorrow. */
export const chartVersion = /^v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

const sourceSchema = z
  .looseObject({
    repoURL: z.string().min(1).max(2_048),
    targetRevision: z.string().max(256),
    path: z.string().max(1_024).optional(),
    chart: z.string().min(1).max(256).optional(),
    directory: z
      .looseObject({ recurse: z.boolean().optional(), include: z.string().optional(), exclude: z.string().optional() })
      .optional(),
  })
  .superRefine(({ targetRevision, path, chart }, context) => {
    const isExact = (chart === undefined ? commitId : chartVersion).test(targetRevision);
    if (!isExact) {
      const message =
        chart === undefined
          ? 'must be a full commit id of 40 or 64 hexadecimal digits'
          : 'must be one version of the chart, such as 1.4.2, not a range';
      context.addIssue({ code: 'custom', path: ['targetRevision'], message });
    }
    if (chart !== undefined && path !== undefined) {
      context.addIssue({ code: 'custom', path: ['chart'], message: 'stands beside path; name one of them' });
    }
  });

const applicationSchema = z.looseObject({
  apiVersion: z.literal('argoproj.io/v1alpha1'),
  kind: z.literal('Application'),
  metadata: z.looseObject({
    name: label,
    namespace: label.optional(),
    annotations: textMap.default({}),
    labels: textMap.optional(),
  }),
  spec: z.looseObject({
    project: z.string().min(1).max(253),
    // `server` would name a cluster past the agent that the file is for.
    destination: z.strictObject({ name: label, namespace: label }),
    source: sourceSchema,
    syncPolicy: z.record(z.string(), z.unknown()).optional(),
  }),
});

/** What names several sources and not one, for a clear word about it. */
const applicationsSources = z.object({ spec: z.object({ sources: z.array(z.unknown()), source: z.undefined() }) });

/**
 * The one Application of a file's text, with its shape checked and nothing else: for what is read from the branch.
 * Errors, all of disposition stall: those of `parseDocuments`, and `application-invalid` (data: problems, each
 * `path: what is wrong`).
 */
export function parseApplication(text: string): Application {
  const documents = parseDocuments(text);
  const [document] = documents;
  if (documents.length !== 1 || document === undefined) {
    throw invalid([`expected one document, found ${documents.length}`]);
  }
  return applicationFrom(document);
}

/**
 * Checks what a template rendered: exactly the Application that is expected, at an exact commit, from an allowed
 * repository and project, without a single annotation of Mayfly's own. Returns it. Errors as `parseApplication`.
 */
export function parseRendered(text: string, expected: ExpectedApplication): Application {
  const application = parseApplication(text);
  const written = Object.keys({ ...application.metadata.annotations, ...application.metadata.labels });
  const problems = [
    ...written
      .filter((key) => key.startsWith(annotationPrefix))
      .map((key) => `metadata: ${key} is written by the manager, never by a template`),
    ...identityProblems(application, expected),
    ...sourceProblems(application, expected),
  ];
  if (problems.length > 0) {
    throw invalid(problems);
  }
  return application;
}

/** What makes an Application another preview's; empty when name and destination are as expected. */
export function identityProblems(
  application: Application,
  expected: Pick<ExpectedApplication, 'name' | 'cluster' | 'namespace'>,
): string[] {
  const { name } = application.metadata;
  const { destination } = application.spec;
  return [
    ...(name === expected.name ? [] : [`metadata.name: must be ${expected.name}`]),
    ...(destination.name === expected.cluster ? [] : [`spec.destination.name: must be ${expected.cluster}`]),
    ...(destination.namespace === expected.namespace
      ? []
      : [`spec.destination.namespace: must be ${expected.namespace}`]),
  ];
}

function sourceProblems(application: Application, expected: ExpectedApplication): string[] {
  const { source, project } = application.spec;
  const problems: string[] = [];
  if (expected.repositories !== null && !repositoryIsAllowed(source.repoURL, expected.repositories)) {
    problems.push('spec.source.repoURL: is not on the list of allowed repositories');
  }
  if (expected.projects !== null && !expected.projects.includes(project)) {
    problems.push(`spec.project: must be one of ${expected.projects.join(', ')}`);
  }
  if ('sources' in application.spec) {
    problems.push('spec.sources: only one source is allowed');
  }
  return problems;
}

/** A parsed document as an Application, with its shape checked. Error: `application-invalid`. */
export function applicationFrom(document: unknown): Application {
  const several = applicationsSources.safeParse(document);
  if (several.success) throw invalid(['spec.sources: several sources are not supported; name one in spec.source']);
  const parsed = applicationSchema.safeParse(document);
  if (!parsed.success) {
    throw invalid(parsed.error.issues.map((issue) => `${issue.path.join('.') || 'document'}: ${issue.message}`));
  }
  // The schema is the type's twin; only `?:` against `| undefined` keeps the compiler from seeing it.
  return parsed.data as Application;
}

function invalid(problems: string[]): AppError {
  return new AppError({
    code: 'application-invalid',
    disposition: 'stall',
    publicMessage: `The Application is not acceptable: ${problems.join('; ')}.`,
    data: { problems },
  });
}

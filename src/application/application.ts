/** An Argo CD Application as Mayfly writes and reads it: plain JSON, unknown fields kept. */
export interface Application {
  apiVersion: 'argoproj.io/v1alpha1';
  kind: 'Application';
  metadata: {
    name: string;
    namespace?: string;
    annotations: Record<string, string>;
    labels?: Record<string, string>;
    [key: string]: unknown;
  };
  spec: {
    project: string;
    destination: { name: string; namespace: string };
    source: ApplicationSource;
    syncPolicy?: Record<string, unknown>;
    [key: string]: unknown;
  };
}

interface ApplicationSource {
  repoURL: string;
  /** A commit id: previews are deployed at an exact revision. */
  targetRevision: string;
  path?: string;
  chart?: string;
  directory?: { recurse?: boolean; include?: string; exclude?: string };
  [key: string]: unknown;
}

/** The annotations that the manager, never a template, puts on a file: `mayfly.dev/<key>`. */
export const annotationKeys = [
  'installation',
  'incarnation',
  'merge-request',
  'source-ref',
  'source-branch',
  'url',
  'asleep',
  'redeployed',
  'resources',
  'secrets',
  'probe',
] as const;

export type AnnotationKey = (typeof annotationKeys)[number];

export const annotationPrefix = 'mayfly.dev/';

/** Value of one of Mayfly's annotations; undefined when it is absent. */
export function annotation(application: Application, key: AnnotationKey): string | undefined {
  return application.metadata.annotations[annotationPrefix + key];
}

import { type AnnotationKey, type Application, annotationKeys, annotationPrefix } from './application.js';

/** Values of the manager's annotations; an absent or undefined one leaves its annotation out. */
export interface ManagerAnnotations {
  /** Random id of the installation. */
  installation: string;
  incarnation: number;
  /** Such as `acme/shop!42`, for people. */
  mergeRequest?: string | undefined;
  /** Where the sha can be found when it cannot be fetched by its id, such as `refs/merge-requests/42/head`. */
  sourceRef?: string | undefined;
  /** Of a linked preview: the source branch of its merge requests. */
  sourceBranch?: string | undefined;
  url?: string | undefined;
  asleep?: boolean | undefined;
  /** Time of the newest order to deploy the same once more: it makes another revision of it. */
  redeployed?: string | undefined;
  /** JSON texts. */
  resources?: string | undefined;
  secrets?: string | undefined;
  probe?: string | undefined;
}

/** The rendered Application with the manager's annotations; the template's own, of other names, stay. */
export function annotate(application: Application, values: ManagerAnnotations): Application {
  const texts: Record<AnnotationKey, string | undefined> = {
    installation: values.installation,
    incarnation: String(values.incarnation),
    'merge-request': values.mergeRequest,
    'source-ref': values.sourceRef,
    'source-branch': values.sourceBranch,
    url: values.url,
    asleep: values.asleep === true ? 'true' : undefined,
    redeployed: values.redeployed,
    resources: values.resources,
    secrets: values.secrets,
    probe: values.probe,
  };
  const own = annotationKeys.flatMap((key) => {
    const text = texts[key];
    return text === undefined ? [] : [[annotationPrefix + key, text] as const];
  });
  const annotations = { ...application.metadata.annotations, ...Object.fromEntries(own) };
  return { ...application, metadata: { ...application.metadata, annotations } };
}

/** Labels on everything that the agent writes; nothing is deleted that does not carry them. */
export const installationLabel = 'mayfly.dev/installation';
export const previewLabel = 'mayfly.dev/preview';
export const incarnationLabel = 'mayfly.dev/incarnation';
/** On what the agent remembers in its own namespace: `inventory`, `state`, `torn-down`. */
export const memoryLabel = 'mayfly.dev/memory';
/** Which agent remembers it: several may share a cluster. */
export const agentLabel = 'mayfly.dev/agent';

/** `true` on a preview's namespace, put there by a person: the agent touches nothing of it. */
export const pausedAnnotation = 'mayfly.dev/paused';

/** Labels and annotations that begin like this are Mayfly's alone. */
export const markPrefix = 'mayfly.dev/';

/** One incarnation of one preview, in one installation of Mayfly. */
export interface PreviewIdentity {
  installation: string;
  slug: string;
  incarnation: number;
}

/** The labels that say whose an object is. */
export function marksOf(identity: PreviewIdentity): Record<string, string> {
  return {
    [installationLabel]: identity.installation,
    [previewLabel]: identity.slug,
    [incarnationLabel]: String(identity.incarnation),
  };
}

/** Whether the labels say exactly this incarnation. */
export function carriesMarks(labels: Record<string, string> | undefined, identity: PreviewIdentity): boolean {
  return Object.entries(marksOf(identity)).every(([label, value]) => labels?.[label] === value);
}

import { z } from 'zod';

/** What a delivery says, reduced to what may be asked about: hints, never authority. Times in epoch milliseconds. */
export type DeliveryFacts =
  | {
      event: 'merge_request';
      projectId: number;
      iid: number;
      /** Cut to whole seconds by GitLab. */
      updatedAt: number;
    }
  | {
      event: 'pipeline';
      projectId: number;
      /** null: a branch pipeline, matched by its sha. */
      iid: number | null;
      sha: string;
      status: string;
    }
  | {
      event: 'job';
      projectId: number;
      /** null: of a branch pipeline, matched by its sha. */
      iid: number | null;
      sha: string;
      status: string;
    }
  | { event: 'note'; projectId: number; iid: number; noteId: number }
  | { event: 'push'; projectId: number; branch: string };

interface ReducedDelivery {
  facts: DeliveryFacts;
  /** Path of the project as the payload names it; for display and for a project whose id is not known yet. */
  projectPath: string | null;
}

/** `uninteresting`: nothing to do; `malformed`: a known event in a shape that GitLab does not document. */
export type Reduction = ReducedDelivery | 'uninteresting' | 'malformed';

const id = z.int().positive();
const iid = z.int().positive().max(2_147_483_647);
const sha = z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/);
const project = z.object({ id: id.optional(), path_with_namespace: z.string().optional() });
const instant = z
  .string()
  .transform((text) => Date.parse(text))
  .refine((at) => !Number.isNaN(at));

const envelopeSchema = z.object({
  object_kind: z.string().optional(),
  /** System hooks name pushes and merge requests here. */
  event_name: z.string().optional(),
  event_type: z.string().optional(),
});

const mergeRequestSchema = z.object({
  project: project.nullish(),
  object_attributes: z.object({
    iid,
    target_project_id: id,
    updated_at: instant,
    target: z.object({ path_with_namespace: z.string().optional() }).nullish(),
  }),
});

const pipelineSchema = z.object({
  project,
  object_attributes: z.object({ sha, status: z.string(), source: z.string().nullish() }),
  merge_request: z.object({ iid, target_project_id: id }).nullish(),
});

const jobSchema = z.object({
  project_id: id,
  project: project.nullish(),
  ref: z.string().nullish(),
  sha,
  build_status: z.string(),
});

const noteSchema = z.object({
  project_id: id.optional(),
  project: project.nullish(),
  object_attributes: z.object({
    id,
    note: z.string().nullish(),
    noteable_type: z.string().nullish(),
    system: z.boolean().nullish(),
    action: z.string().nullish(),
  }),
  merge_request: z.object({ iid, target_project_id: id }).nullish(),
});

const pushSchema = z.object({ project_id: id, project: project.nullish(), ref: z.string() });

/** Statuses in which a gate may have changed, or the note has something new to say. */
const tellingStatuses = new Set(['running', 'success', 'failed', 'canceled', 'skipped', 'manual']);

/** How a job may end; what an image or a named job is awaited for. */
const endedStatuses = new Set(['success', 'failed', 'canceled', 'skipped', 'manual']);

const reducers: Readonly<Record<string, (body: unknown) => Reduction>> = {
  merge_request: reduceMergeRequest,
  pipeline: reducePipeline,
  build: reduceJob,
  note: reduceNote,
  push: reducePush,
};

/** The facts of a webhook's body, project hook or system hook alike. */
export function reduceDelivery(body: unknown): Reduction {
  const envelope = envelopeSchema.safeParse(body);
  if (!envelope.success) return 'malformed';
  const { object_kind, event_name, event_type } = envelope.data;
  const kind = object_kind ?? event_name ?? event_type ?? '';
  return Object.hasOwn(reducers, kind) ? (reducers[kind]?.(body) ?? 'uninteresting') : 'uninteresting';
}

function reduceMergeRequest(body: unknown): Reduction {
  const parsed = mergeRequestSchema.safeParse(body);
  if (!parsed.success) return 'malformed';
  const { object_attributes: attributes, project: shown } = parsed.data;
  return {
    facts: {
      event: 'merge_request',
      projectId: attributes.target_project_id,
      iid: attributes.iid,
      updatedAt: attributes.updated_at,
    },
    projectPath: attributes.target?.path_with_namespace ?? shown?.path_with_namespace ?? null,
  };
}

function reducePipeline(body: unknown): Reduction {
  const parsed = pipelineSchema.safeParse(body);
  if (!parsed.success) return 'malformed';
  const { object_attributes: attributes, merge_request: mergeRequest, project: shown } = parsed.data;
  // What commit statuses made says nothing about a gate.
  if (attributes.source === 'external' || !tellingStatuses.has(attributes.status)) return 'uninteresting';
  const projectId = mergeRequest?.target_project_id ?? shown.id;
  if (projectId === undefined) return 'malformed';
  return {
    facts: {
      event: 'pipeline',
      projectId,
      iid: mergeRequest?.iid ?? null,
      sha: attributes.sha,
      status: attributes.status,
    },
    projectPath: projectId === shown.id ? (shown.path_with_namespace ?? null) : null,
  };
}

function reduceJob(body: unknown): Reduction {
  const parsed = jobSchema.safeParse(body);
  if (!parsed.success) return 'malformed';
  const { project_id: projectId, project: shown, ref, sha, build_status: status } = parsed.data;
  if (!endedStatuses.has(status)) return 'uninteresting';
  // The sha of a merged-results pipeline is in no branch: only its ref says whose it is.
  const named = iid.safeParse(Number(/^refs\/merge-requests\/(\d{1,10})\//.exec(ref ?? '')?.[1]));
  return {
    facts: { event: 'job', projectId, iid: named.success ? named.data : null, sha, status },
    projectPath: shown?.path_with_namespace ?? null,
  };
}

function reduceNote(body: unknown): Reduction {
  const parsed = noteSchema.safeParse(body);
  if (!parsed.success) return 'malformed';
  const { object_attributes: attributes, merge_request: mergeRequest, project: shown } = parsed.data;
  const isCommand =
    attributes.noteable_type === 'MergeRequest' &&
    attributes.system !== true &&
    // Older versions send no action; an edit is found out when the note is read from the API.
    (attributes.action ?? 'create') === 'create' &&
    (attributes.note ?? '').includes('/preview');
  if (!isCommand || mergeRequest === null || mergeRequest === undefined) return 'uninteresting';
  return {
    facts: { event: 'note', projectId: mergeRequest.target_project_id, iid: mergeRequest.iid, noteId: attributes.id },
    projectPath: shown?.path_with_namespace ?? null,
  };
}

function reducePush(body: unknown): Reduction {
  const parsed = pushSchema.safeParse(body);
  if (!parsed.success) return 'malformed';
  const { project_id: projectId, project: shown, ref } = parsed.data;
  if (!ref.startsWith('refs/heads/')) return 'uninteresting';
  return {
    facts: { event: 'push', projectId, branch: ref.slice('refs/heads/'.length) },
    projectPath: shown?.path_with_namespace ?? null,
  };
}

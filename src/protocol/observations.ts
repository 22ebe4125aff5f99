import { z } from 'zod';

export const observationStates = [
  'applying',
  'progressing',
  'healthy',
  'degraded',
  'suspended',
  'refused',
  'held',
  'terminating',
  'gone',
] as const;

/** Longest text of an outsider (a pod's message, a log line) that travels. */
export const maxTextLength = 4_000;

const text = z.string().max(maxTextLength);

/** One object of a preview, in Argo CD's words of health. */
const observedObjectSchema = z.object({
  group: text,
  kind: text,
  name: text,
  health: z.enum(['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Missing', 'Unknown']),
  message: text.nullable(),
});

/** Why it is not healthy: one sentence, then the evidence. */
const diagnosisSchema = z.object({
  cause: z.enum(['fence', 'source', 'apply', 'health', 'timeout']),
  /** The object to blame, `Kind/name`. */
  object: text.nullable(),
  sentence: text,
  /** What the cluster says: events, refusals, oldest first. */
  evidence: z.array(text).max(50),
  /** The last lines that the container to blame printed, oldest first; absent: none, or from an older agent. */
  logs: z.array(text).max(50).optional(),
  /** An operator has to mend it, no push does; absent: the author can, or an older agent does not say. */
  mender: z.literal('operator').optional(),
});

export const observationSchema = z.object({
  slug: z.string().max(63),
  incarnation: z.number().int().positive(),
  /** Fingerprint of the file that the state speaks of; null for held, terminating and gone. */
  revision: z.string().max(64).nullable(),
  branchCommit: z.string().max(64),
  /** [start number of the agent, counter]: the newer one wins. */
  seq: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
  state: z.enum(observationStates),
  objects: z.array(observedObjectSchema).max(500),
  diagnosis: diagnosisSchema.nullable(),
});

/** Body of `POST /agent/v1/observations`; answered with 204. */
export const observationsSchema = z.object({ observations: z.array(observationSchema).max(200) });

export type ObservedObject = z.infer<typeof observedObjectSchema>;
export type Diagnosis = z.infer<typeof diagnosisSchema>;
export type ObservationMessage = z.infer<typeof observationSchema>;

import type { Instant } from '../../preview/preview.js';
import type { ReplyKind } from './replies.js';

/** What feedback last wrote of one kind for one merge request. */
export interface Projection {
  /** Hash of what was last written; null: nothing, or what stands there is not known. */
  writtenHash: string | null;
  /** GitLab's id of what was written; null: not known. */
  externalId: number | null;
  /** A creation was sent then, and its answer is not known; null: none is open. */
  creatingSince: Instant | null;
  detail: Record<string, unknown> | null;
}

type ProjectionKind = 'note' | 'status' | ReplyKind;

interface ProjectionKey {
  kind: ProjectionKind;
  projectId: number;
  iid: number;
}

export interface ProjectionStore {
  /**
   * Says that a creation is about to be sent, unless one was said or done since `creatingSince` and `externalId` were
   * read: false then. Answers once it is durable.
   */
  claimCreation: (
    input: ProjectionKey & { creatingSince: Instant | null; externalId: number | null },
  ) => Promise<boolean>;
  /** The creation was refused for certain. */
  releaseCreation: (input: ProjectionKey) => Promise<void>;
  /** Saves what was written. false: somebody else wrote meanwhile, so that it is to be written again. */
  saveWritten: (
    input: ProjectionKey & {
      previousHash: string | null;
      hash: string;
      externalId: number | null;
      detail: Record<string, unknown> | null;
    },
  ) => Promise<boolean>;
}

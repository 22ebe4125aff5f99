import type { AppError } from '../../error/app-error.js';
import { manifestDocuments, plainDocuments } from './manifest-documents.js';

export interface ParseRequest {
  /** `manifests`: each document is a Kubernetes object, Lists are unpacked. `documents`: as they are. */
  as: 'manifests' | 'documents';
  /** Read in this order; the paths are for messages. */
  files: readonly { path: string; text: string }[];
}

export interface ParseDeps {
  /** Parses YAML and JSON that anybody may have written. Throws `source-invalid`, `source-too-large` with the file's name. */
  parse(request: ParseRequest, signal: AbortSignal): Promise<unknown[]>;
}

/** What a thread of its own answers. */
export type ParseAnswer =
  /** As text: it is read faster than a copy of the objects is made. */
  { json: string } | { refusal: Pick<AppError, 'code' | 'disposition' | 'publicMessage' | 'data'> };

/** The documents of all files, one after the other; blocks until they are read. */
export function parseDocuments({ as, files }: ParseRequest): unknown[] {
  const read = as === 'manifests' ? manifestDocuments : plainDocuments;
  return files.flatMap(({ path, text }): unknown[] => read(path, text));
}

import { z } from 'zod';
import { type Application, annotation } from '../../application/application.js';
import { AppError } from '../../error/app-error.js';
import type { ResourceBounds } from './furniture-settings.js';
import { parseQuantity } from './quantity.js';

/** What a file's annotations ask for. */
export interface RequestedFurniture {
  /** null: it asks for nothing of its own. */
  resources: ResourceBounds | null;
  /** Names of secrets to copy. */
  secrets: string[];
}

const quantity = z.string().refine((text) => parseQuantity(text) !== null, 'is no quantity such as 500m or 8Gi');

const resourcesSchema = z.strictObject({
  cpu: quantity.optional(),
  memory: quantity.optional(),
  pods: z.number().int().min(1).max(10_000).optional(),
});

const maxSecrets = 20;

const secretsSchema = z
  .array(z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'is no name of a secret'))
  .max(maxSecrets);

/** Reads the annotations `resources` and `secrets`. Throws `fence-refused` (stall) for what they may not say. */
export function requestedFurniture(application: Application): RequestedFurniture {
  const resources = read(application, 'resources', resourcesSchema);
  const secrets = read(application, 'secrets', secretsSchema);
  return { resources, secrets: [...new Set(secrets ?? [])] };
}

function read<T>(application: Application, key: 'resources' | 'secrets', schema: z.ZodType<T>): T | null {
  const text = annotation(application, key);
  if (text === undefined) return null;
  const parsed = schema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.length ? `${issue.path.join('.')} ` : '';
  const object = `mayfly.dev/${key}`;
  throw new AppError({
    code: 'fence-refused',
    disposition: 'stall',
    publicMessage: `Preview ${application.metadata.name}: its annotation ${object} cannot be followed: ${where}${issue?.message ?? 'it is no JSON'}. Correct it in the configuration of its project, or in its file.`,
    data: { object, refusals: [{ object, reason: `${where}${issue?.message ?? ''}` }] },
  });
}

/** Undefined, which no schema accepts, for what is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

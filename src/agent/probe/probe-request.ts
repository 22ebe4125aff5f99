import { z } from 'zod';
import { type Application, annotation } from '../../application/application.js';
import { parseDuration } from '../../preview/duration.js';

/** What a preview's file asks of its URL. */
export interface ProbeRequest {
  url: URL;
  /** The status that the answer must have. */
  expect: number;
  /** For so long after its objects are healthy it may answer otherwise. */
  withinMs: number;
}

const defaultWithin = '3m';
const maxWithinMs = 3_600_000;
const maxPath = 2_000;

const probeSchema = z.object({
  path: z
    .string()
    .max(maxPath)
    .regex(/^\/[\x21-\x7e]*$/)
    .default('/'),
  expect: z.number().int().min(100).max(599).default(200),
  within: z.string().max(40).default(defaultWithin),
});

/** null: no probe is asked for. A text: it is, in a way that cannot be followed, and this says why. */
export function probeRequestOf(
  application: Application,
  isAllowed: (url: string) => boolean,
): ProbeRequest | string | null {
  const asked = annotation(application, 'probe');
  if (asked === undefined) return null;
  const address = annotation(application, 'url');
  if (address === undefined) return 'the annotation mayfly.dev/probe asks for a probe, and there is no mayfly.dev/url';
  if (!isAllowed(address)) return 'the host of its URL is not among `hosts` of the agent’s configuration';
  const read = probeSchema.safeParse(parseJson(asked));
  const withinMs = read.success ? parseDuration(read.data.within) : null;
  if (!read.success || withinMs === null) {
    return 'the annotation mayfly.dev/probe is not of the form {"path":"/healthz","expect":200,"within":"3m"}';
  }
  const url = probeUrl(address, read.data.path);
  if (url === null) return 'its URL has a user name, or its probe’s path leads to another host';
  return { url, expect: read.data.expect, withinMs: Math.min(withinMs, maxWithinMs) };
}

/** Whether a preview's file asks for a probe. */
export function asksForProbe(application: Application): boolean {
  return annotation(application, 'probe') !== undefined;
}

/** The path below the URL's origin; a path such as `//other.example.com` must not lead away from it. */
function probeUrl(address: string, path: string): URL | null {
  const base = new URL(address);
  const url = URL.canParse(path, base.origin) ? new URL(path, base.origin) : null;
  const leaves = url?.origin !== base.origin || base.username !== '' || base.password !== '';
  return leaves ? null : url;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

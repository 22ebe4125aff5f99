import { z } from 'zod';
import { AppError } from '../error/app-error.js';

/** Where a running manager is, and what opens its API. */
export interface ManagerAddress {
  url: string | null;
  token: string | null;
}

const problemSchema = z.object({ title: z.string().optional(), detail: z.string().optional() });
const timeoutMs = 30_000;

/**
 * One call of a running manager's API; answers its JSON. Errors: `manager-unknown` (nothing says where it is),
 * `manager-unreachable`, `manager-refused` with the manager's own words.
 */
export async function callManager(
  address: ManagerAddress,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<unknown> {
  const { url, token } = requireAddress(address);
  let response: Response;
  try {
    response = await fetch(`${url.replace(/\/+$/, '')}/api/v1${path}`, {
      method,
      redirect: 'error',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw new AppError({
      code: 'manager-unreachable',
      disposition: 'retry',
      publicMessage: `The manager at ${url} does not answer. Check MAYFLY_URL, and that \`mayfly serve\` runs there.`,
      cause: error,
    });
  }
  const text = await response.text();
  if (response.ok) return text === '' ? null : JSON.parse(text);
  throw new AppError({
    code: 'manager-refused',
    disposition: 'stall',
    publicMessage: refusal(text) ?? `The manager at ${url} answered ${response.status}.`,
    data: { status: response.status },
  });
}

function requireAddress({ url, token }: ManagerAddress): { url: string; token: string } {
  if (url !== null && token !== null) return { url, token };
  throw new AppError({
    code: 'manager-unknown',
    disposition: 'stall',
    publicMessage:
      'Set MAYFLY_URL to the address of a running manager and MAYFLY_TOKEN to a token of its `api.tokens` (`mayfly token new` makes one).',
  });
}

function refusal(text: string): string | null {
  try {
    const { title, detail } = problemSchema.parse(JSON.parse(text));
    return detail ?? title ?? null;
  } catch (error) {
    // A proxy in between answers in HTML: then the status has to do.
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

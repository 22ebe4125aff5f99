import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse as parseYaml } from 'yaml';
import { ApiError, badRequest, statusOf } from '../api-error.js';
import type { TableShape } from '../tables/table.js';
import { decodeProtobuf, isProtobuf } from './protobuf.js';

/** Bodies above this are refused, as the API server's own limit has it. */
const maxBodyBytes = 3 * 1024 * 1024;

export function sendJson(
  response: ServerResponse,
  code: number,
  body: unknown,
  contentType = 'application/json',
): void {
  const text = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(code, {
    'content-type': contentType,
    'content-length': text.length,
    'cache-control': 'no-cache, private',
  });
  response.end(text);
}

export function sendText(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

export function sendError(response: ServerResponse, error: ApiError): void {
  if (error.message === '404 page not found') sendText(response, 404, '404 page not found\n');
  else sendJson(response, error.code, statusOf(error));
}

/** Warnings stand in headers, quoted, with the code that says 'miscellaneous'. */
export function addWarnings(response: ServerResponse, warnings: readonly string[]): void {
  if (warnings.length === 0) return;
  response.setHeader(
    'warning',
    warnings.map((text) => `299 - "${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`),
  );
}

/** The body, which may be JSON, YAML or protobuf; undefined when there is none. */
export async function readBody(request: IncomingMessage, kind: string): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes)
      throw new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${maxBodyBytes}`);
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  const body = Buffer.concat(chunks);
  if (isProtobuf(body)) return decodeProtobuf(body);
  const text = body.toString('utf8');
  const contentType = contentTypeOf(request);
  try {
    return contentType.endsWith('yaml') ? parseYaml(text, { maxAliasCount: 0 }) : JSON.parse(text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: ${error.message}`,
    );
  }
}

export function contentTypeOf(request: IncomingMessage): string {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** How the client wants tables, when `Accept` asks for them before plain JSON. */
export function tableShape(request: IncomingMessage, query: URLSearchParams): TableShape | undefined {
  const first = acceptItems(request)[0] ?? '';
  if (!first.includes('as=Table')) return undefined;
  const wanted = query.get('includeObject');
  return {
    apiVersion: first.includes('v=v1beta1') ? 'meta.k8s.io/v1beta1' : 'meta.k8s.io/v1',
    include: wanted === 'None' || wanted === 'Object' ? wanted : 'Metadata',
  };
}

/** The media types of `Accept`, best first as clients write them. */
export function acceptItems(request: IncomingMessage): string[] {
  return (request.headers.accept ?? '').split(',').map((item) => item.trim());
}

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the site needs of a cluster: the plain JSON at a path of its API, or null when there is nothing. */
export type ReadCluster = (path: string) => Promise<unknown>;

export interface PreviewSite {
  /** Template of a preview's URL, such as `http://{{slug}}.localhost:40123`. */
  urlTemplate: string;
  close(): Promise<void>;
}

export interface PreviewSiteOptions {
  port: number;
  namespacePrefix: string;
  /** Where the manager wakes a preview, up to its name. */
  wakeUrl: string;
}

/** So that a page that is open follows the next deploy by itself. */
const lookAgainSeconds = 3;

interface Shape {
  metadata?: { name?: string };
  data?: Record<string, string>;
  status?: { readyReplicas?: number; replicas?: number };
  spec?: { replicas?: number; template?: { spec?: { containers?: { image?: string }[] } } };
}

/**
 * Stands for the Ingress and the containers that a machine without a cluster lacks: answers for
 * `<slug>.localhost` with a page made of what is deployed in that preview's namespace at this moment.
 */
export async function startPreviewSite(readCluster: ReadCluster, options: PreviewSiteOptions): Promise<PreviewSite> {
  const server = createServer((request, response) => {
    answer(readCluster, options, request, response).catch((error: unknown) => {
      page(response, 502, 'The cluster does not answer', `<p>${escapeHtml(String(error))}</p>`, '#8a3b2f');
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    urlTemplate: `http://{{slug}}.localhost:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  readCluster: ReadCluster,
  { namespacePrefix, wakeUrl }: PreviewSiteOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const slug = /^(?<slug>[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.localhost(?::\d+)?$/.exec(request.headers.host ?? '')
    ?.groups?.slug;
  if (slug === undefined) return page(response, 404, 'No preview has this address', '', '#555');
  const base = `namespaces/${namespacePrefix}${slug}`;
  const [namespace, list, site] = await Promise.all([
    readCluster(`/api/v1/${base}`),
    readCluster(`/apis/apps/v1/${base}/deployments`),
    readCluster(`/api/v1/${base}/configmaps/site`),
  ]);
  if (namespace === null) {
    return page(response, 404, `${slug} is not here`, '<p>This preview is gone, or was never started.</p>', '#555');
  }
  const deployments = (list as { items?: Shape[] } | null)?.items ?? [];
  const rows = deployments.map(row).join('');
  const table = `<table><tr><th>Deployment</th><th>Image</th><th>Ready</th></tr>${rows}</table>`;
  if (deployments.length > 0 && deployments.every(({ spec }) => spec?.replicas === 0)) {
    const link = `<p>It is scaled to zero. <a href="${escapeHtml(wakeUrl)}${slug}">Wake it</a>; a push does, too.</p>`;
    return page(response, 503, `${slug} is asleep`, link + table, '#3b4a7a');
  }
  const ready = deployments.length > 0 && deployments.every(isReady);
  if (!ready) return page(response, 503, `${slug} is not ready`, table, '#8a6d2f');
  const { greeting = slug, colour = '#2f6f4f' } = (site as Shape | null)?.data ?? {};
  return page(response, 200, greeting, table, /^#[0-9a-f]{3,6}$/i.test(colour) ? colour : '#2f6f4f');
}

function isReady(deployment: Shape): boolean {
  return (deployment.status?.readyReplicas ?? 0) >= (deployment.spec?.replicas ?? 1);
}

function row(deployment: Shape): string {
  const images = (deployment.spec?.template?.spec?.containers ?? []).map((container) => container.image ?? '');
  const ready = `${deployment.status?.readyReplicas ?? 0} of ${deployment.spec?.replicas ?? 1}`;
  const cells = [deployment.metadata?.name ?? '', images.join(', '), ready];
  return `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
}

function page(response: ServerResponse, status: number, title: string, body: string, colour: string): void {
  const heading = escapeHtml(title);
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    'cache-control': 'no-store',
  });
  response.end(`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${heading}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="${lookAgainSeconds}">
<style>body{margin:0;font:16px/1.5 system-ui,sans-serif;background:#f6f5f1;color:#222}
header{background:${colour};color:#fff;padding:3rem 1.5rem}h1{margin:0;font-size:2rem;overflow-wrap:anywhere}
main{padding:1.5rem;overflow-x:auto}table{border-collapse:collapse}td,th{text-align:left;padding:.4rem .9rem .4rem 0}
main,h1{max-width:60rem;margin-left:auto;margin-right:auto}small{color:#666}</style></head><body><header><h1>${heading}</h1></header>
<main>${body}<p><small>The sandbox stands in for the Ingress. This page tells what the cluster says is deployed, and looks again every ${lookAgainSeconds} s.</small></p></main></body></html>`);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

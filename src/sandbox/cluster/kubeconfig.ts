import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stringify } from 'yaml';

/** A kubeconfig for one cluster, one user with a bearer token, namespace `default`. */
export function renderKubeconfig(access: { url: string; authorityPem: string; token: string }): string {
  const name = 'mayfly-sandbox';
  const authority = Buffer.from(access.authorityPem).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: access.url, 'certificate-authority-data': authority } }],
    users: [{ name, user: { token: access.token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    'current-context': name,
  });
}

/** Writes a kubeconfig that only its owner can read; whoever reads it meanwhile sees the old one or the new one. */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, content, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

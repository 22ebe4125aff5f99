import { z } from 'zod';
import { isAppError } from '../error/app-error.js';
import type { KubeConnection } from './connection.js';
import { sendJson } from './send-json.js';

/** A kind whose objects live in namespaces and can be listed and patched. */
export interface NamespacedKind {
  apiVersion: string;
  kind: string;
}

const groupList = z.object({
  groups: z.array(z.object({ preferredVersion: z.object({ groupVersion: z.string() }) })),
});

const resourceList = z.object({
  resources: z.array(
    z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean(), verbs: z.array(z.string()) }),
  ),
});

const timeoutMs = 10_000;

/**
 * Every namespaced kind that the API server serves now, each once, in its preferred version. `silent`: groups whose API
 * does not answer, which is what a namespace's deletion may wait for.
 */
export async function listKinds(
  connection: KubeConnection,
  signal: AbortSignal,
): Promise<{ kinds: NamespacedKind[]; silent: string[] }> {
  const call = { method: 'GET', timeoutMs, signal } as const;
  const { groups } = groupList.parse(await sendJson(connection, { ...call, path: '/apis' }));
  const versions = ['v1', ...groups.map((group) => group.preferredVersion.groupVersion)];
  const silent: string[] = [];
  const found = await Promise.all(
    versions.map(async (apiVersion) => {
      const path = `${apiVersion.includes('/') ? '/apis/' : '/api/'}${apiVersion}`;
      try {
        const { resources } = resourceList.parse(await sendJson(connection, { ...call, path }));
        return resources
          .filter(({ name, namespaced, verbs }) => namespaced && !name.includes('/') && verbs.includes('list'))
          .map(({ kind }) => ({ apiVersion, kind }));
      } catch (error) {
        if (signal.aborted || !isAppError(error)) throw error;
        silent.push(apiVersion);
        return [];
      }
    }),
  );
  return { kinds: found.flat(), silent };
}

import { AppError } from '../../error/app-error.js';
import { contentPrint, type Manifest } from '../manifest.js';
import { orAborted } from '../or-aborted.js';

/** What the cluster tells of the secrets of one namespace. */
export interface SecretSink {
  replaced(secrets: Manifest[]): void;
  changed(secret: Manifest): void;
  deleted(secret: Manifest): void;
}

export interface SecretSourcesDeps {
  /** Follows all secrets of the namespace until the signal aborts. */
  watchSecrets(namespace: string, sink: SecretSink, signal: AbortSignal): Promise<void>;
  /** A secret came, went or changed. */
  onChange(name: string): void;
}

/** The secrets that previews may have a copy of: what changes there is known without asking. */
export interface SecretSources {
  readonly namespace: string;
  /** Resolves when the secrets were listed once; the first call begins to follow them. Throws `secrets-unseen` (retry). */
  synced(signal: AbortSignal): Promise<void>;
  /** Fingerprint of a secret; null when there is none of that name. */
  print(name: string): string | null;
}

/** A list takes well under a second; one that may not be read is never there, and must not hold up other previews. */
const defaultListMs = 10_000;

/**
 * Creates the view of the namespace `secretsFrom`. Nothing is watched before a preview asks for a secret, and only
 * fingerprints are kept: the secrets themselves are read when they are copied.
 */
export function createSecretSources(
  deps: SecretSourcesDeps,
  namespace: string,
  signal: AbortSignal,
  listMs = defaultListMs,
): SecretSources {
  const prints = new Map<string, string>();
  let listed: Promise<void> | null = null;

  function set(name: string, print: string | null): void {
    if ((prints.get(name) ?? null) === print) return;
    if (print === null) prints.delete(name);
    else prints.set(name, print);
    deps.onChange(name);
  }

  function begin(): Promise<void> {
    return new Promise((resolve) => {
      const sink: SecretSink = {
        replaced(secrets) {
          const names = new Set(secrets.map(({ metadata }) => metadata.name));
          for (const name of [...prints.keys()]) if (!names.has(name)) set(name, null);
          for (const secret of secrets) set(secret.metadata.name, secretPrint(secret));
          resolve();
        },
        changed: (secret) => set(secret.metadata.name, secretPrint(secret)),
        deleted: (secret) => set(secret.metadata.name, null),
      };
      void deps.watchSecrets(namespace, sink, signal).then(resolve);
    });
  }

  return {
    namespace,
    async synced(until) {
      listed ??= begin();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(unseen(namespace)), listMs);
      });
      try {
        await orAborted(Promise.race([listed, late]), until);
      } finally {
        clearTimeout(timer);
      }
    },
    print: (name) => prints.get(name) ?? null,
  };
}

function unseen(namespace: string): AppError {
  return new AppError({
    code: 'secrets-unseen',
    disposition: 'retry',
    publicMessage: `The secrets of the namespace ${namespace}, which the preview asks for, cannot be listed; it is tried again. Without the right to list and watch secrets there, the agent copies none.`,
    data: { namespace },
  });
}

/** Fingerprint of what a copy takes over: labels and annotations of the source do not count. */
function secretPrint(secret: Manifest): string {
  const { type, data } = secret;
  return contentPrint({ apiVersion: 'v1', kind: 'Secret', metadata: { name: '' }, type, data });
}

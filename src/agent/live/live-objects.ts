import { setTimeout as delay } from 'node:timers/promises';
import type { ObservedObject } from '../../protocol/observations.js';
import { contentPrint, fields, groupOf, keyOf, type Manifest, manifestKey, text } from '../manifest.js';
import { incarnationLabel, installationLabel, pausedAnnotation, previewLabel } from '../marks.js';
import { orAborted } from '../or-aborted.js';

/** In Argo CD's words. */
interface LiveHealth {
  status: ObservedObject['health'];
  message: string;
  /** Its own annotation asks that the whole be judged without it. */
  ignored?: true;
}

/** What is kept of an object in the cluster: what plan and health need, and no more. */
export interface LiveObject {
  uid: string;
  resourceVersion: string;
  /** null for kinds without one. */
  generation: number | null;
  /** Fingerprint of what it holds, for kinds without a generation; otherwise empty. */
  print: string;
  terminating: boolean;
  health: LiveHealth;
  /** Of a namespace alone: a person annotated it with `mayfly.dev/paused: "true"`. */
  paused?: true;
}

export interface Kind {
  apiVersion: string;
  kind: string;
}

export interface WatchSink {
  replaced(objects: Manifest[], resourceVersion: string): void;
  changed(object: Manifest): void;
  deleted(object: Manifest): void;
  /** The kind cannot be followed now: the cluster does not serve it, or does not let the agent see it. */
  unseen(): void;
}

export interface LiveDeps {
  /** Follows all objects of a kind that carry the label, in every namespace, until the signal aborts. */
  watch(kind: Kind, labelSelector: string, sink: WatchSink, signal: AbortSignal): Promise<void>;
  /** Lists the same objects once, page by page; answers the list's resource version. */
  listPages(
    kind: Kind,
    labelSelector: string,
    onPage: (objects: Manifest[]) => void,
    signal: AbortSignal,
  ): Promise<string>;
  judge(object: Manifest): LiveHealth;
  /** Something of an incarnation changed or went; `appeared`: nothing was known of it before. */
  onChange(
    pair: { slug: string; incarnation: number },
    change: { key: string; deleted: boolean; appeared: boolean },
  ): void;
}

/** The cluster's side of all previews, kept true by one shared watch per kind. */
export interface LiveObjects {
  /** Follows these kinds from now on. */
  follow(kinds: readonly Kind[]): void;
  /** Resolves when all of them were listed once; `of` is complete then. */
  synced(kinds: readonly Kind[], signal: AbortSignal): Promise<void>;
  /** Kinds that are followed. */
  kinds(): Kind[];
  /**
   * Lists a kind anew and compares: what its watch has still not told after `graceMs` is taken from the list, and
   * counted. Throws `kube-*` errors.
   */
  verify(kind: Kind, graceMs: number, signal: AbortSignal): Promise<number>;
  /** Takes the answer of a write, so that what was just written is known before the watch tells it. */
  record(object: Manifest): void;
  /** The objects of one incarnation by key; its namespace is among them as `/Namespace/<name>`. */
  of(pair: { slug: string; incarnation: number }): ReadonlyMap<string, LiveObject>;
  /** Every incarnation that has anything in the cluster. */
  pairs(): { slug: string; incarnation: number; keys: string[] }[];
}

/** Creates the view of one installation's objects; `signal` ends its watches. */
export function createLiveObjects(deps: LiveDeps, installation: string, signal: AbortSignal): LiveObjects {
  const incarnations = new Map<string, { slug: string; incarnation: number; objects: Map<string, LiveObject> }>();
  const watches = new Map<string, { kind: Kind; listed: Promise<void> }>();
  const labelSelector = `${installationLabel}=${installation}`;
  const nothing: ReadonlyMap<string, LiveObject> = new Map();
  /** For each comparison under way, the UIDs that went since it began: its list may still hold them. */
  const comparing = new Set<Set<string>>();

  function place(object: Manifest) {
    const pair = pairOf(object, installation);
    if (pair === null) return null;
    const name = `${pair.slug}#${pair.incarnation}`;
    let found = incarnations.get(name);
    if (found === undefined) {
      found = { ...pair, objects: new Map() };
      incarnations.set(name, found);
    }
    return found;
  }

  function take(object: Manifest): void {
    const home = place(object);
    if (home === null) return;
    const key = manifestKey(object);
    const known = home.objects.get(key);
    const { uid = '', resourceVersion = '', generation, deletionTimestamp } = object.metadata;
    // A late word of an object that has been replaced since is older, too.
    if (known !== undefined && !isNewer(resourceVersion, known.resourceVersion)) return;
    home.objects.set(key, {
      uid,
      resourceVersion,
      generation: generation ?? null,
      print: contentPrint(object),
      terminating: deletionTimestamp !== undefined,
      health: deps.judge(object),
      ...(isPaused(object) ? { paused: true } : {}),
    });
    deps.onChange(home, { key, deleted: false, appeared: known === undefined });
  }

  function drop(home: { slug: string; incarnation: number; objects: Map<string, LiveObject> }, key: string): void {
    const uid = home.objects.get(key)?.uid ?? '';
    for (const ended of comparing) ended.add(uid);
    home.objects.delete(key);
    if (home.objects.size === 0) incarnations.delete(`${home.slug}#${home.incarnation}`);
    deps.onChange(home, { key, deleted: true, appeared: false });
  }

  function deleted(object: Manifest): void {
    const pair = pairOf(object, installation);
    const home = pair === null ? undefined : incarnations.get(`${pair.slug}#${pair.incarnation}`);
    const key = manifestKey(object);
    // An object of the same name that was made since has another UID.
    if (home?.objects.get(key)?.uid === object.metadata.uid && home !== undefined) drop(home, key);
  }

  /** After a gap: what is not listed is gone, but for what was written after the list was made. */
  function replaced(kind: Kind, objects: Manifest[], resourceVersion: string): void {
    dropUnlisted(kind, new Set(objects.map((object) => text(object.metadata.uid))), resourceVersion);
    for (const object of objects) take(object);
  }

  /** Answers how many were known and are gone. */
  function dropUnlisted(kind: Kind, listed: ReadonlySet<string>, resourceVersion: string): number {
    let dropped = 0;
    const prefix = keyOf({ ...kind, name: '' });
    for (const home of [...incarnations.values()]) {
      for (const [key, object] of [...home.objects]) {
        const stale = key.startsWith(prefix) && !listed.has(object.uid);
        if (!stale || isNewer(object.resourceVersion, resourceVersion)) continue;
        drop(home, key);
        dropped += 1;
      }
    }
    return dropped;
  }

  /** Whether nothing so new is known of an object of ours. */
  function isMissed(object: Manifest): boolean {
    const pair = pairOf(object, installation);
    if (pair === null) return false;
    const known = incarnations.get(`${pair.slug}#${pair.incarnation}`)?.objects.get(manifestKey(object));
    const { resourceVersion = '' } = object.metadata;
    return (
      known === undefined ||
      (known.resourceVersion !== resourceVersion && isNewer(resourceVersion, known.resourceVersion))
    );
  }

  async function verify(kind: Kind, graceMs: number, until: AbortSignal): Promise<number> {
    const ended = new Set<string>();
    comparing.add(ended);
    try {
      return await compare(kind, { graceMs, ended }, until);
    } finally {
      comparing.delete(ended);
    }
  }

  async function compare(
    kind: Kind,
    { graceMs, ended }: { graceMs: number; ended: ReadonlySet<string> },
    until: AbortSignal,
  ): Promise<number> {
    const listed = new Set<string>();
    const doubtful: Manifest[] = [];
    const resourceVersion = await deps.listPages(
      kind,
      labelSelector,
      (page) => {
        for (const object of page) {
          listed.add(text(object.metadata.uid));
          if (isMissed(object)) doubtful.push(object);
        }
      },
      until,
    );
    // What happened just now is on its way.
    await delay(graceMs, undefined, { signal: until });
    const missed = doubtful.filter((object) => isMissed(object) && !ended.has(text(object.metadata.uid)));
    for (const object of missed) take(object);
    return missed.length + dropUnlisted(kind, listed, resourceVersion);
  }

  function start(kind: Kind): Promise<void> {
    return new Promise((resolve) => {
      const sink: WatchSink = {
        replaced(objects, resourceVersion) {
          replaced(kind, objects, resourceVersion);
          resolve();
        },
        changed: take,
        deleted,
        // Nothing is known of it: whoever waits learns the reason from the API server when it is applied.
        unseen: resolve,
      };
      void deps.watch(kind, labelSelector, sink, signal).then(resolve);
    });
  }

  function watching(kind: Kind): Promise<void> {
    const name = `${groupOf(kind.apiVersion)}/${kind.kind}`;
    const found = watches.get(name) ?? { kind, listed: start(kind) };
    watches.set(name, found);
    return found.listed;
  }

  return {
    follow: (kinds) => void kinds.map(watching),
    synced: async (kinds, until) => {
      until.throwIfAborted();
      await orAborted(Promise.all(kinds.map(watching)), until);
    },
    kinds: () => [...watches.values()].map(({ kind }) => kind),
    verify,
    record: take,
    of: (pair) => incarnations.get(`${pair.slug}#${pair.incarnation}`)?.objects ?? nothing,
    pairs: () =>
      [...incarnations.values()].map(({ slug, incarnation, objects }) => ({
        slug,
        incarnation,
        keys: [...objects.keys()],
      })),
  };
}

function isPaused(object: Manifest): boolean {
  return object.kind === 'Namespace' && fields(object.metadata.annotations)[pausedAnnotation] === 'true';
}

function pairOf(object: Manifest, installation: string): { slug: string; incarnation: number } | null {
  const labels = fields(object.metadata.labels);
  const slug = text(labels[previewLabel]);
  const incarnation = Number(text(labels[incarnationLabel]));
  if (text(labels[installationLabel]) !== installation || slug === '' || !Number.isSafeInteger(incarnation))
    return null;
  return { slug, incarnation };
}

/** Resource versions are decimal numbers of one sequence; what is not is taken as newer, for it arrived later. */
function isNewer(one: string, other: string): boolean {
  const decimal = /^\d+$/;
  if (!decimal.test(one) || !decimal.test(other)) return true;
  return one.length === other.length ? one > other : one.length > other.length;
}

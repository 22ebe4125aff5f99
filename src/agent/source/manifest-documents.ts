import { type Document, isScalar, LineCounter, parseAllDocuments, type Tags, visit } from 'yaml';
import { hasTooManyValues } from '../../application/has-too-many-values.js';
import { nestsTooDeep } from '../../application/nests-too-deep.js';
import { AppError } from '../../error/app-error.js';
import { fields, type Manifest } from '../manifest.js';

/** How often aliases may be expanded in one document. */
const maxAliasCount = 100;
/** A file without aliases holds at most about twice its own length; with them it may grow to this, in characters. */
const maxExpanded = { flat: 128 * 1024, perCharacter: 4 };

/**
 * The objects of one file: YAML of several documents, or JSON. A List is unpacked, once. Throws `source-invalid` with
 * the file's name for what is no Kubernetes object.
 */
export function manifestDocuments(path: string, text: string): Manifest[] {
  return plainDocuments(path, text).flatMap((document) => unpack(path, document));
}

/**
 * The documents of a file as plain JSON, empty ones left out. YAML 1.1 as Kubernetes' own tools read it: `0644` is octal
 * and `yes` is true; dates and times stay text. Throws `source-invalid` with the file's name.
 */
export function plainDocuments(path: string, text: string): unknown[] {
  if (nestsTooDeep(text)) throw invalid(path, 'its values nest too deep');
  if (hasTooManyValues(text)) throw invalid(path, 'it holds more values than a preview needs; divide it');
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter,
    // Pretty errors quote the text around each of them: thousands of errors would cost minutes.
    prettyErrors: false,
    version: '1.1',
    schema: 'yaml-1.1',
    // The library compares each key with every other: minutes for a large map.
    uniqueKeys: false,
    customTags: (tags: Tags) => tags.filter((tag) => typeof tag === 'string' || isPlain(tag)),
  });
  if ('empty' in documents) return [];
  const room = { left: maxExpanded.flat + maxExpanded.perCharacter * text.length };
  return documents.flatMap((document) => {
    const [fault] = document.errors;
    if (fault !== undefined) {
      throw invalid(path, `line ${lineCounter.linePos(fault.pos[0]).line}: ${fault.message.split('\n', 1)[0]}`);
    }
    const twice = repeatedKey(document);
    if (twice !== null)
      throw invalid(path, `the key ${twice.slice(0, 100)} stands twice in one map; keys must be unique`);
    try {
      const value: unknown = document.toJS({ maxAliasCount });
      takeRoom(value, room);
      // The copy makes a tree of shared aliases, and leaves nothing that JSON has no word for.
      return value === null || value === undefined ? [] : [JSON.parse(JSON.stringify(value))];
    } catch (error) {
      const unrepresentable = [ReferenceError, TypeError, RangeError].some((kind) => error instanceof kind);
      if (!unrepresentable) throw error;
      throw invalid(path, 'its aliases cannot be expanded');
    }
  });
}

/** Counts what a value is when each alias is a copy of its own; throws RangeError once there is no room for it. */
function takeRoom(value: unknown, room: { left: number }): void {
  room.left -= typeof value === 'string' ? value.length : 4;
  if (room.left < 0) throw new RangeError('the aliases stand for too much');
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    if (!Array.isArray(value)) room.left -= key.length;
    takeRoom(child, room);
  }
}

/** A key that a map has twice; null: there is none. Merges may stand side by side. */
function repeatedKey(document: Document.Parsed): string | null {
  let found: string | null = null;
  visit(document, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? String(key.value) : null;
        if (name === null || name === '<<') continue;
        if (seen.has(name)) found = name;
        seen.add(name);
      }
      return found === null ? undefined : visit.BREAK;
    },
  });
  return found;
}

const plainTags = /:(null|bool|int|float|str|map|seq|merge)$/;

function isPlain(tag: { tag?: string; format?: string }): boolean {
  return tag.tag === undefined || (plainTags.test(tag.tag) && tag.format !== 'TIME');
}

function unpack(path: string, document: unknown): Manifest[] {
  const manifest = asManifest(path, document);
  if (!isList(manifest)) return [manifest];
  const items = Array.isArray(manifest.items) ? manifest.items : [];
  return items.map((item) => {
    const inner = asManifest(path, item);
    if (isList(inner)) throw invalid(path, 'a List inside a List is not unpacked');
    return inner;
  });
}

function isList(manifest: { kind: string; items?: unknown }): boolean {
  return manifest.kind === 'List' || (manifest.kind.endsWith('List') && Array.isArray(manifest.items));
}

function asManifest(path: string, document: unknown): Manifest {
  const { apiVersion, kind } = fields(document);
  const metadata = withHookName(fields(fields(document).metadata));
  if (typeof apiVersion !== 'string' || apiVersion === '' || typeof kind !== 'string' || kind === '') {
    throw invalid(path, 'a document has no apiVersion or kind');
  }
  const { name, namespace, labels, annotations } = fields(metadata);
  const list = isList(fields(document) as { kind: string });
  if (!list && (typeof name !== 'string' || name === '')) throw invalid(path, `a ${kind} has no metadata.name`);
  const named = `${kind}/${typeof name === 'string' ? name : ''}`;
  if (namespace !== undefined && namespace !== null && typeof namespace !== 'string') {
    throw invalid(path, `${named}: metadata.namespace is not a string`);
  }
  if (!isTextMap(labels) || !isTextMap(annotations)) {
    throw invalid(path, `${named}: labels and annotations must have strings as values; put numbers and true in quotes`);
  }
  return { ...fields(document), metadata } as Manifest;
}

const hookAnnotations = ['argocd.argoproj.io/hook', 'helm.sh/hook'];

/** A hook may leave its name to whoever runs it. One name is enough: what an earlier run left makes way for the next. */
function withHookName(metadata: Record<string, unknown>): Record<string, unknown> {
  const { generateName, ...named } = metadata;
  const annotations = fields(metadata.annotations);
  const hook = hookAnnotations.map((key) => annotations[key]).find((value) => typeof value === 'string');
  if (typeof generateName !== 'string' || metadata.name !== undefined || hook === undefined) return metadata;
  return { ...named, name: `${generateName}${String(hook).split(',')[0]?.trim().toLowerCase()}` };
}

function isTextMap(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return (
    !Array.isArray(value) && typeof value === 'object' && Object.values(value).every((each) => typeof each === 'string')
  );
}

function invalid(path: string, what: string): AppError {
  return new AppError({
    code: 'source-invalid',
    disposition: 'stall',
    publicMessage: `The manifest ${path} cannot be read: ${what}. Correct it and push again.`,
    data: { path },
  });
}

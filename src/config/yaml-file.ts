import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { type ConfigProblem, formatPath } from './problem.js';
import { type Environment, substitute } from './substitute.js';

/** A few shared anchors are convenient; more are an attempt to make a small file enormous. */
const maxAliases = 100;

/** A configuration file as plain data that remembers where each key stood. */
export interface YamlFile {
  file: string;
  value: unknown;
  /** Values that came from the environment or from files, and may be secrets. */
  taken: string[];
  /** What could not be read or put in. */
  problems: ConfigProblem[];
  /** A problem at the node of a path, or at its nearest ancestor that exists; `key`: at the key instead of the value. */
  problemAt(path: readonly PropertyKey[], message: string, at?: 'key' | 'value'): ConfigProblem;
}

/** Keys whose values belong in logs: their variables are not treated as secrets when they are the whole value. */
const publicKeys = new Set(
  'url publicUrl repository host hosts port metricsPort dashboardPort level name path email dataDir kubeconfig context namespacePrefix agentNamespace'.split(
    ' ',
  ),
);

/** Parses the text of a configuration file and fills in its variables. Syntax errors are among `problems`. */
export function parseYamlFile(file: string, text: string, environment: Environment): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const taken: string[] = [];

  function problem(offset: number, path: readonly PropertyKey[], message: string): ConfigProblem {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), path: formatPath(path), message };
  }

  const problems = syntaxErrors(document, text).map(({ offset, message }) => problem(offset, [], message));
  if (problems.length === 0) {
    visit(document, {
      Scalar(position, node, ancestors) {
        // The keys themselves are never filled in.
        if (position === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return;
        const whole = /^\$\{[^}]*\}$/.test(node.value);
        const path = pathOf(ancestors, node);
        const result = substitute(node.value, file, environment);
        node.value = result.text;
        const name = path.findLast((key) => typeof key === 'string');
        if (!whole || name === undefined || !publicKeys.has(name)) taken.push(...result.taken);
        problems.push(...result.problems.map((message) => problem(node.range?.[0] ?? 0, path, message)));
      },
    });
  }

  const { value, excess } = problems.some((each) => each.path === '') ? nothing : plainValue(document);
  if (excess) problems.push(problem(0, [], `there are more than ${maxAliases} aliases (*name). Write the values out.`));
  return {
    file,
    value,
    taken,
    problems,
    problemAt: (path, message, at = 'value') => problem(offsetOf(document, path, at), path, message),
  };
}

const nothing = { value: undefined, excess: false };

function plainValue(document: Document): { value: unknown; excess: boolean } {
  try {
    return { value: document.toJS({ maxAliasCount: maxAliases }), excess: false };
  } catch (error) {
    // What the library throws when aliases multiply; it has no code of its own.
    if (error instanceof ReferenceError) return { value: undefined, excess: true };
    throw error;
  }
}

/** The first error of the grammar (the later ones follow from it), and every key that is given twice. */
function syntaxErrors(document: Document, text: string): { offset: number; message: string }[] {
  const twice = document.errors.filter((error) => error.code === 'DUPLICATE_KEY');
  const first = document.errors.find((error) => error.code !== 'DUPLICATE_KEY');
  const found = twice.map((error) => ({ offset: error.pos[0], message: 'this key is given twice. Remove one.' }));
  if (first !== undefined) {
    const offset = first.pos[0];
    const start = text.lastIndexOf('\n', offset - 1) + 1;
    const line = text.slice(start, (text.indexOf('\n', offset) + 1 || text.length + 1) - 1);
    // Inside { } or [ ], a brace ends a plain text: by far the most common slip in such a file.
    const hint = /[$%{]\{/.test(line) ? ` Put quotes around a value that has braces: "\${NAME}", "{{project}}".` : '';
    found.push({ offset, message: `this is not YAML: ${first.message.replace(/\.$/, '')}.${hint}` });
  }
  return found;
}

function pathOf(ancestors: readonly unknown[], leaf: unknown): PropertyKey[] {
  const chain = [...ancestors, leaf];
  return chain.flatMap((node, index): PropertyKey[] => {
    const child = chain[index + 1];
    if (isSeq(node)) return [node.items.indexOf(child)];
    if (isMap(node)) return node.items.filter((pair) => pair === child).map((pair) => keyOf(pair.key));
    return [];
  });
}

function keyOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function offsetOf(document: Document, path: readonly PropertyKey[], at: 'key' | 'value'): number {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [index, key] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    const last = index === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find((each) => keyOf(each.key) === String(key));
      if (pair === undefined) return offset;
      const keyNode = pair.key as Node | null;
      node = pair.value as Node | null;
      const valueOffset = isScalar(node) && node.value === null ? undefined : node?.range?.[0];
      offset = (last && at === 'key' ? keyNode?.range?.[0] : (valueOffset ?? keyNode?.range?.[0])) ?? offset;
    } else if (isSeq(node) && typeof key === 'number') {
      node = node.items[key] as Node | undefined;
      offset = node?.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

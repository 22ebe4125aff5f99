import { type Checkout, createCheckout, type SourceTree } from '../../../../src/agent/source/checkout.js';
import { type ParseDeps, parseDocuments } from '../../../../src/agent/source/parse-documents.js';

export interface TreeNode {
  /** Of Git; default: a plain file. */
  mode?: string;
  text?: string;
}

/** A commit's tree from paths. */
function treeOf(files: Record<string, TreeNode | string>): SourceTree {
  const nodes = new Map(
    Object.entries(files).map(([path, node]) => [path, typeof node === 'string' ? { text: node } : node]),
  );
  return {
    async readTree(_, path) {
      const prefix = path === '' ? '' : `${path}/`;
      const below = [...nodes.keys()].filter((each) => each.startsWith(prefix));
      if (below.length === 0) return null;
      const names = new Set(below.map((each) => each.slice(prefix.length).split('/')[0] ?? ''));
      return [...names].map((name) => {
        const node = nodes.get(prefix + name);
        return { name, mode: node === undefined ? '040000' : (node.mode ?? '100644'), oid: prefix + name };
      });
    },
    readBlob: async (oid) => new TextEncoder().encode(nodes.get(oid)?.text ?? ''),
  };
}

/** Parses at once. */
export const parsing: ParseDeps = { parse: async (request) => parseDocuments(request) };

export const documents = async (path: string, text: string) =>
  parseDocuments({ as: 'documents', files: [{ path, text }] });

export const link = (text: string): TreeNode => ({ mode: '120000', text });

export function checkoutOf(
  files: Record<string, TreeNode | string>,
  limits = { files: 500, fileBytes: 1024 * 1024, totalBytes: 8 * 1024 * 1024 },
): Checkout {
  return createCheckout(treeOf(files), 'a'.repeat(40), limits, new AbortController().signal);
}

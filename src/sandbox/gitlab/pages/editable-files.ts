import type { GitLabContext } from '../context.js';
import type { Project } from '../model.js';
import type { FileList } from './views.js';

const mostFiles = 200;
const largestFile = 100_000;

/** The files at a branch, the wanted or the likeliest one open. */
export async function editableFiles(
  ctx: GitLabContext,
  project: Project,
  branch: string,
  wanted: string | null,
): Promise<FileList> {
  const sha = project.branches.get(branch);
  if (sha === undefined) return { paths: [], content: '' };
  const tree = (await ctx.repository(project).tree(sha, '', true)) ?? [];
  const paths = tree
    .filter(({ type }) => type === 'blob')
    .map(({ path }) => path)
    .slice(0, mostFiles);
  const likely = paths.find((path) => /deploy|preview/.test(path) && /\.ya?ml$/.test(path));
  const open = paths.find((path) => path === wanted) ?? likely ?? paths[0];
  const content = open === undefined ? '' : ((await readText(ctx, project, sha, open)) ?? '');
  return { paths: paths.map((path) => ({ path, chosen: path === open })), content };
}

/** A file as text; null when there is none, or it is no text. */
export async function readText(
  ctx: GitLabContext,
  project: Project,
  sha: string,
  path: string,
): Promise<string | null> {
  const file = await ctx.repository(project).file(sha, path);
  if (file === null || file.content.length > largestFile) return null;
  const text = Buffer.from(file.content).toString('utf8');
  return text.includes('\0') ? null : text;
}

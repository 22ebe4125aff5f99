import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { createTwoFilesPatch } from 'diff';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { readEnvironment } from '../config/environment.js';
import { AppError } from '../error/app-error.js';
import { callManager } from './manager-api.js';
import { print } from './print.js';

const renderedSchema = z.object({
  slug: z.string(),
  path: z.string(),
  outcome: z.enum(['new', 'same', 'differs', 'edited']),
  text: z.string(),
  current: z.string().nullable(),
});
type Rendered = z.infer<typeof renderedSchema>;

interface Options {
  project: string;
  mr: number;
  diff?: true;
  template?: string;
  values?: string;
}

const values = z.record(z.string(), z.json());

/** `render`: what would be committed for a merge request. */
export function addRenderVerb(program: Command): void {
  program
    .command('render')
    .description('print the file that would be committed for a merge request; nothing changes')
    .requiredOption('--project <name>', 'name of the project in the configuration')
    .requiredOption('--mr <iid>', 'the merge request, such as 42', iidOf)
    .option('--diff', 'show how it differs from what stands in the branch')
    .option('--template <file>', 'try this template instead of the one that holds')
    .option('--values <file>', 'lay the values of this YAML file over the configured ones')
    .action(async (options: Options) => {
      const body = {
        project: options.project,
        mr: options.mr,
        ...(options.template === undefined ? {} : { template: await fileText(options.template) }),
        ...(options.values === undefined ? {} : { values: await fileValues(options.values) }),
      };
      const rendered = renderedSchema.parse(await callManager(readEnvironment(), 'POST', '/render', body));
      process.stdout.write(options.diff === true ? difference(rendered) : visible(rendered.text));
    });
}

/** As a unified diff; a sentence when there is none to show. */
function difference(rendered: Rendered): string {
  const { path, outcome, text, current } = rendered;
  if (outcome === 'same') return `${path} asks for the same already: nothing would be committed.\n`;
  const [before, after] = [current === null ? '/dev/null' : `a/${path}`, `b/${path}`];
  const patch = createTwoFilesPatch(before, after, current ?? '', text, undefined, undefined, { context: 3 });
  const lines = patch.split('\n').filter((line) => !/^=+$/.test(line));
  if (outcome === 'edited') {
    print(`# A person edited ${path}: it stays until the next sha, redeploy, sleep, wake or stop.`);
  }
  return visible(lines.join('\n'));
}

/** Titles and the like are outsiders' texts: no control character reaches the terminal. */
function visible(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '\ufffd');
}

function iidOf(text: string): number {
  const iid = Number(text.replace(/^!/, ''));
  if (!Number.isInteger(iid) || iid < 1) throw new InvalidArgumentError('It is the number of a merge request.');
  return iid;
}

async function fileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw unreadable(path, String(error.code));
  }
}

async function fileValues(path: string): Promise<z.infer<typeof values>> {
  const text = await fileText(path);
  try {
    return values.parse(parse(text, { maxAliasCount: 50 }));
  } catch (error) {
    if (error instanceof YAMLParseError) throw unreadable(path, error.message);
    if (error instanceof z.ZodError) throw unreadable(path, 'it is not a group of keys and values');
    throw error;
  }
}

function unreadable(path: string, reason: string): AppError {
  const [words = ''] = reason.split('\n', 1);
  return new AppError({
    code: 'file-unreadable',
    disposition: 'stall',
    publicMessage: `${path} cannot be used: ${words.replace(/[.:]$/, '')}.`,
  });
}

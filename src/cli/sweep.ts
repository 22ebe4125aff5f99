import type { Command } from 'commander';
import { z } from 'zod';
import { readEnvironment } from '../config/environment.js';
import { callManager } from './manager-api.js';
import { outputOption } from './preview-verbs.js';
import { type Column, type OutputFormat, print, printRows } from './print.js';

const outcomeSchema = z.object({
  slug: z.string(),
  outcome: z.enum(['new', 'same', 'differs', 'edited', 'fails']),
  reason: z.string().nullable(),
});
const rehearsalSchema = z.object({ previews: z.array(outcomeSchema), more: z.boolean() });
const sweptSchema = z.object({ count: z.number(), atOnce: z.number() });

const columns: Column<z.infer<typeof outcomeSchema>>[] = [
  { title: 'slug', value: (row) => row.slug },
  { title: 'outcome', value: (row) => row.outcome },
  { title: 'reason', value: (row) => row.reason },
];

/** `sweep`: renders living previews again whose template or configuration changed. */
export function addSweepVerb(program: Command): void {
  program
    .command('sweep')
    .description('render again, now, the previews whose template or configuration changed')
    .option('--dry-run', 'only list them, and what would come of it')
    .addOption(outputOption())
    .action(async (options: { dryRun?: true; output: OutputFormat }) => {
      if (options.dryRun === true) await rehearse(options.output);
      else await sweep();
    });
}

async function rehearse(output: OutputFormat): Promise<void> {
  const { previews, more } = rehearsalSchema.parse(await callManager(readEnvironment(), 'GET', '/sweep'));
  if (output === 'table' && previews.length === 0) {
    print('Nothing is to be rendered again.');
    return;
  }
  printRows(output, { previews, more }, previews, columns);
  if (output === 'table' && more) print('… and more.');
}

async function sweep(): Promise<void> {
  const { count, atOnce } = sweptSchema.parse(await callManager(readEnvironment(), 'POST', '/sweep', {}));
  if (count === 0) print('Nothing is to be rendered again.');
  else print(`${count} previews are rendered again, ${atOnce} at a time; \`mayfly list\` tells how it goes.`);
}

import type { Command } from 'commander';
import { z } from 'zod';
import { readEnvironment } from '../config/environment.js';
import { callManager } from './manager-api.js';
import { outputOption } from './preview-verbs.js';
import { type OutputFormat, print, printData, printRows } from './print.js';

const orphanSchema = z.looseObject({
  cluster: z.string(),
  namespace: z.string(),
  slug: z.string().nullable(),
  incarnation: z.number().nullable(),
  removing: z.boolean(),
});
const orphansSchema = z.object({ orphans: z.array(orphanSchema) });

interface PauseOptions {
  slug?: string;
  project?: string;
  agent?: string;
  all?: boolean;
  output: OutputFormat;
}

/** `pause`, `resume`, `orphans`, `unblock` and `forget`: orders of people to agents. */
export function addAgentVerbs(program: Command): void {
  for (const [verb, text] of [
    ['pause', 'have agents touch nothing; Git and rows go on'],
    ['resume', 'let agents go on where they were paused'],
  ] as const) {
    program
      .command(`${verb} [slug]`)
      .description(`${text}: one preview, or what an option says`)
      .option('--slug <slug>', 'the same as the argument')
      .option('--project <name>', 'all previews of a project, those to come too')
      .option('--agent <name>', 'all previews of one agent')
      .option('--all', 'all previews of all agents')
      .addOption(outputOption())
      .action(async (slug: string | undefined, options: PauseOptions, command: Command) =>
        pause(verb, { ...options, ...(slug === undefined ? {} : { slug }) }, command),
      );
  }
  addOrphanVerbs(program);
  addTeardownVerbs(program);
}

const pausedSchema = z.looseObject({ agents: z.array(z.string()), previews: z.number() });

async function pause(verb: 'pause' | 'resume', options: PauseOptions, command: Command): Promise<void> {
  const { slug, project, agent, all, output } = options;
  const scope = {
    ...(slug === undefined ? {} : { slug }),
    ...(project === undefined ? {} : { project }),
    ...(agent === undefined ? {} : { agent }),
    ...(all === true ? { all } : {}),
  };
  if (Object.keys(scope).length !== 1) {
    command.error('error: name exactly one of a slug, --project, --agent and --all', { exitCode: 2 });
  }
  const answer = pausedSchema.parse(await callManager(readEnvironment(), 'POST', `/${verb}`, scope));
  if (output !== 'table') return printData(output, answer);
  const what = verb === 'pause' ? 'Nothing is touched' : 'Work goes on';
  print(
    `${what} once the agents ${answer.agents.join(', ')} have heard it; it concerns ${answer.previews} previews now.`,
  );
  if (verb === 'pause') print('`mayfly list` shows what is paused; `mayfly resume` with the same words ends it.');
}

function addOrphanVerbs(program: Command): void {
  const orphans = program
    .command('orphans')
    .description('namespaces of Mayfly that nothing will ever remove by itself');
  orphans
    .command('list')
    .description('list them, as the agents last told')
    .addOption(outputOption())
    .action(async ({ output }: { output: OutputFormat }) => {
      const found = orphansSchema.parse(await callManager(readEnvironment(), 'GET', '/orphans'));
      if (output === 'table' && found.orphans.length === 0) return print('There are none.');
      printOrphans(output, found);
    });
  orphans
    .command('remove <slug>')
    .description('tear down the orphaned namespace of a slug')
    .option('--incarnation <number>', 'of this incarnation alone')
    .addOption(outputOption())
    .action(async (slug: string, options: { incarnation?: string; output: OutputFormat }, command: Command) => {
      const { incarnation } = options;
      if (incarnation !== undefined && !/^[1-9]\d{0,8}$/.test(incarnation)) {
        command.error(`error: ${incarnation} is no incarnation`, { exitCode: 2 });
      }
      const body = { slug, ...(incarnation === undefined ? {} : { incarnation: Number(incarnation) }) };
      const answer = orphansSchema.parse(await callManager(readEnvironment(), 'POST', '/orphans/remove', body));
      printOrphans(options.output, answer);
      if (options.output === 'table') {
        print('\nOrdered. An agent to which one is no orphan any more leaves it alone, and the history says so.');
      }
    });
}

function printOrphans(output: OutputFormat, { orphans }: z.infer<typeof orphansSchema>): void {
  printRows(output, orphans, orphans, [
    { title: 'cluster', value: (row) => row.cluster },
    { title: 'namespace', value: (row) => row.namespace },
    { title: 'slug', value: (row) => row.slug },
    { title: 'life', value: (row) => row.incarnation },
    { title: 'state', value: (row) => (row.removing ? 'being removed' : 'orphaned') },
  ]);
}

const orderedSchema = z.looseObject({ slug: z.string(), incarnation: z.number(), cluster: z.string() });

function addTeardownVerbs(program: Command): void {
  program
    .command('unblock <slug>')
    .description('remove one finalizer from what blocks the teardown of a preview')
    .requiredOption('--finalizer <name>', 'exactly this one; `mayfly show` names what blocks')
    .addOption(outputOption())
    .action(async (slug: string, { finalizer, output }: { finalizer: string; output: OutputFormat }) => {
      const path = `/previews/${encodeURIComponent(slug)}/unblock`;
      const answer = orderedSchema.parse(await callManager(readEnvironment(), 'POST', path, { finalizer }));
      if (output !== 'table') return printData(output, answer);
      print(
        `${slug}#${answer.incarnation}: ordered; \`mayfly show ${slug}\` tells from what ${finalizer} was removed.`,
      );
    });
  program
    .command('forget <slug>')
    .description('end a preview of which no agent will ever report anything again')
    .option('--cluster-is-gone', 'say so: what may still run there is nobody’s any more')
    .addOption(outputOption())
    .action(async (slug: string, options: { clusterIsGone?: boolean; output: OutputFormat }, command: Command) => {
      if (options.clusterIsGone !== true) {
        const text = `error: ${slug} is forgotten only with --cluster-is-gone; \`mayfly stop ${slug}\` ends one that an agent still has`;
        command.error(text, { exitCode: 2 });
      }
      const path = `/previews/${encodeURIComponent(slug)}/forget`;
      const answer = orderedSchema.parse(
        await callManager(readEnvironment(), 'POST', path, { confirm: 'cluster-is-gone' }),
      );
      if (options.output !== 'table') return printData(options.output, answer);
      print(`${slug}#${answer.incarnation}: forgotten; what may still run in ${answer.cluster} is nobody's any more.`);
    });
}

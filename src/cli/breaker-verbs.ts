import type { Command } from 'commander';
import { z } from 'zod';
import { readEnvironment } from '../config/environment.js';
import { callManager } from './manager-api.js';
import { outputOption } from './preview-verbs.js';
import { type OutputFormat, print, printData, printRows } from './print.js';

const pairSchema = z.object({ slug: z.string(), incarnation: z.number() });

const breakerSchema = z.object({
  open: z.boolean(),
  blockedReason: z.string().nullable(),
  notice: z.object({ text: z.string(), since: z.string() }).nullable().default(null),
  gitlab: z.object({ text: z.string(), since: z.string() }).nullable().default(null),
  held: z.array(z.looseObject({ ...pairSchema.shape, cluster: z.string(), reason: z.string(), since: z.string() })),
  agents: z.array(
    z.looseObject({
      name: z.string(),
      breaker: z
        .looseObject({ open: z.boolean(), reason: z.string().nullable(), pending: z.array(pairSchema) })
        .nullable(),
    }),
  ),
});
type Breaker = z.infer<typeof breakerSchema>;

/** `breaker show` and `breaker accept`: deletions that wait for a person. */
export function addBreakerVerbs(program: Command): void {
  const breaker = program.command('breaker').description('deletions that wait for a person');
  breaker
    .command('show')
    .description('what is held back, by whom and why')
    .addOption(outputOption())
    .action(async (options: { output: OutputFormat }) => {
      const state = breakerSchema.parse(await callManager(readEnvironment(), 'GET', '/breaker'));
      if (options.output === 'table') show(state);
      else printData(options.output, state);
    });
  breaker
    .command('accept [deletions...]')
    .description('let held deletions go: SLUG#INCARNATION …, or --all')
    .requiredOption('--reason <text>', 'why; it is kept in the history')
    .option('--all', 'everything that is held now')
    .action(async (deletions: string[], options: { reason: string; all?: boolean }, command: Command) => {
      if ((deletions.length === 0) === (options.all !== true)) {
        command.error('error: name the deletions as SLUG#INCARNATION, or say --all', { exitCode: 2 });
      }
      const pairs = deletions.map((text) => parsePair(text, command));
      const body = options.all === true ? { reason: options.reason } : { reason: options.reason, deletions: pairs };
      const answer = z
        .object({
          accepted: z.array(pairSchema),
          heads: z.array(z.string()).default([]),
          noticeRead: z.boolean().default(false),
        })
        .parse(await callManager(readEnvironment(), 'POST', '/breaker/accept', body));
      const names = answer.accepted.map(({ slug, incarnation }) => `${slug}#${incarnation}`);
      const { heads, noticeRead } = answer;
      if (heads.length > 0) print(`Accepted the branch as it is now, for: ${heads.join(', ')}`);
      if (names.length > 0) print(`Accepted: ${names.join(', ')}`);
      if (noticeRead) print('The notice of the rewritten branch is read; it is shown no more.');
      if (names.length + heads.length === 0 && !noticeRead) print('Nothing of that was held.');
    });
}

function show(state: Breaker): void {
  if (state.blockedReason !== null) print(`The manager writes nothing: ${state.blockedReason}\n`);
  if (state.notice !== null) print(`Since ${state.notice.since}: ${state.notice.text}\n`);
  if (state.gitlab !== null) print(`Since ${state.gitlab.since}: ${state.gitlab.text}\n`);
  const ofManager = state.held.map((held) => ({ ...held, by: 'manager' }));
  const ofAgents = state.agents.flatMap((agent) =>
    (agent.breaker?.pending ?? []).map((pair) => ({
      ...pair,
      cluster: agent.name,
      reason: agent.breaker?.reason ?? 'unknown',
      since: '',
      by: 'agent',
    })),
  );
  const rows = [...ofManager, ...ofAgents];
  const stopped = state.agents.filter((agent) => agent.breaker?.open === true && agent.breaker.pending.length === 0);
  for (const agent of stopped)
    print(`The agent ${agent.name} deletes nothing: ${agent.breaker?.reason ?? 'unknown'}\n`);
  if (rows.length === 0) {
    print(state.open ? 'No single deletion is held.' : 'Nothing is held.');
    return;
  }
  printRows('table', null, rows, [
    { title: 'deletion', value: (row) => `${row.slug}#${row.incarnation}` },
    { title: 'held by', value: (row) => row.by },
    { title: 'cluster', value: (row) => row.cluster },
    { title: 'reason', value: (row) => row.reason },
    { title: 'since (UTC)', value: (row) => row.since.slice(0, 16).replace('T', ' ') },
  ]);
  print('\nLet them go with `mayfly breaker accept SLUG#INCARNATION … --reason TEXT`, or all with --all.');
}

function parsePair(text: string, command: Command): z.infer<typeof pairSchema> {
  const match = /^(?<slug>[a-z0-9-]{1,63})#(?<incarnation>\d{1,9})$/.exec(text);
  if (match?.groups === undefined) command.error(`error: ${text} is not SLUG#INCARNATION`, { exitCode: 2 });
  return { slug: match.groups.slug ?? '', incarnation: Number(match.groups.incarnation) };
}

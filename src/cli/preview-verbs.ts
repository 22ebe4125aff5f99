import type { Command } from 'commander';
import { Option } from 'commander';
import { z } from 'zod';
import { readEnvironment } from '../config/environment.js';
import { callManager } from './manager-api.js';
import { type Column, type OutputFormat, outputFormats, print, printData, printRows } from './print.js';

const previewSchema = z.looseObject({
  slug: z.string(),
  incarnation: z.number(),
  project: z.string(),
  phase: z.string(),
  waitingFor: z.string().nullable(),
  cause: z.string().nullable(),
  url: z.string().nullable(),
  expiresAt: z.string().nullable(),
  pinnedBy: z.string().nullable().default(null),
  line: z.object({ place: z.number(), length: z.number() }).nullable().default(null),
  heldStop: z.looseObject({ reason: z.string() }).nullable(),
  paused: z.looseObject({ scope: z.string(), by: z.string().nullable() }).nullable().default(null),
  templateProblem: z.string().nullable(),
  unknownSince: z.string().nullable().default(null),
});
type Listed = z.infer<typeof previewSchema>;

const pageSchema = z.object({
  previews: z.array(previewSchema),
  next: z.string().nullable(),
  /** What is wrong with the manager's way to GitLab. */
  gitlab: z.object({ text: z.string(), since: z.string() }).nullable().default(null),
});

const columns: Column<Listed>[] = [
  { title: 'slug', value: (row) => row.slug },
  { title: 'project', value: (row) => row.project },
  { title: 'phase', value: phaseText },
  { title: 'expires (UTC)', value: expiryText },
  { title: 'url', value: (row) => row.url },
];

/** `list`, `show` and the orders: what a running manager does with previews. */
export function addPreviewVerbs(program: Command): void {
  program
    .command('list')
    .description('list previews')
    .option('--project <name>', 'only of this project')
    .option('--phase <phase>', 'only in this phase; default: all that are not stopped')
    .option('--search <text>', 'part of the slug, the title or the branch, or !iid')
    .addOption(outputOption())
    .action(async (options: { project?: string; phase?: string; search?: string; output: OutputFormat }) => {
      const { previews, gitlab } = await listAll(options);
      printRows(options.output, previews, previews, columns);
      if (gitlab !== null && options.output === 'table') print(`\nSince ${minutes(gitlab.since)}: ${gitlab.text}`);
    });
  program
    .command('show <slug>')
    .description('show a preview and its history')
    .addOption(outputOption())
    .action(async (slug: string, options: { output: OutputFormat }) => show(slug, options.output));
  for (const [verb, text] of [
    ['start', 'start a stopped preview again'],
    ['stop', 'stop a preview'],
    ['redeploy', 'deploy the same commit once more, also over an edit of the file by hand'],
    ['pin', 'keep a preview until it is unpinned'],
    ['unpin', 'let a pinned preview expire again'],
    ['sleep', 'scale a preview to zero'],
    ['wake', 'wake a preview that sleeps'],
  ] as const) {
    program
      .command(`${verb} <slug>`)
      .description(text)
      .action(async (slug: string) => {
        await callManager(readEnvironment(), 'POST', `/previews/${encodeURIComponent(slug)}/${verb}`, {});
        print(`${slug}: ${verb} ordered; \`mayfly show ${slug}\` tells how it goes.`);
      });
  }
  program
    .command('extend <slug> [duration]')
    .description('keep a preview at least this long from now, such as 2d; default: its time to live')
    .action(async (slug: string, duration: string | undefined) => {
      const body = duration === undefined ? {} : { by: duration };
      await callManager(readEnvironment(), 'POST', `/previews/${encodeURIComponent(slug)}/extend`, body);
      print(`${slug}: extended; \`mayfly show ${slug}\` tells until when.`);
    });
  program
    .command('approve <slug> <sha>')
    .description('approve one commit, named by its whole sha, for deployment')
    .action(async (slug: string, sha: string) => {
      await callManager(readEnvironment(), 'POST', `/previews/${encodeURIComponent(slug)}/approve`, { sha });
      print(`${slug}: ${sha.slice(0, 8)} approved; \`mayfly show ${slug}\` tells how it goes.`);
    });
  program
    .command('set <slug> <pair>')
    .description('set a value of the template, as KEY=VALUE, for this preview alone')
    .action(async (slug: string, pair: string) => {
      const at = pair.indexOf('=');
      if (at < 1) program.error(`error: \`${pair}\` is not KEY=VALUE`, { exitCode: 2 });
      const body = { key: pair.slice(0, at), value: pair.slice(at + 1) };
      await callManager(readEnvironment(), 'POST', `/previews/${encodeURIComponent(slug)}/set`, body);
      print(`${slug}: ${pair} set; \`mayfly show ${slug}\` tells how it goes.`);
    });
  program
    .command('unset <slug> <key>')
    .description('give a value of the template back to the configuration')
    .action(async (slug: string, key: string) => {
      await callManager(readEnvironment(), 'POST', `/previews/${encodeURIComponent(slug)}/unset`, { key });
      print(`${slug}: ${key} is as the configuration has it; \`mayfly show ${slug}\` tells how it goes.`);
    });
}

export function outputOption(): Option {
  return new Option('-o, --output <format>', 'format').choices(outputFormats).default('table');
}

async function listAll(options: { project?: string; phase?: string; search?: string }) {
  const all: Listed[] = [];
  let gitlab: z.infer<typeof pageSchema>['gitlab'] = null;
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: '200' });
    if (options.project !== undefined) query.set('project', options.project);
    if (options.phase !== undefined) query.set('phase', options.phase);
    if (options.search !== undefined) query.set('q', options.search);
    if (cursor !== null) query.set('cursor', cursor);
    const page = pageSchema.parse(await callManager(readEnvironment(), 'GET', `/previews?${query}`));
    all.push(...page.previews);
    cursor = page.next;
    gitlab = page.gitlab;
  } while (cursor !== null);
  return { previews: all, gitlab };
}

/** `2026-01-31 14:02 UTC`. */
function minutes(at: string): string {
  return `${at.slice(0, 16).replace('T', ' ')} UTC`;
}

const waitingSchema = z.looseObject({
  members: z.array(
    z.looseObject({
      next: z
        .looseObject({
          sha: z.string(),
          waitingFor: z.string(),
          since: z.string(),
          detail: z.string().nullable(),
          link: z.string().nullish(),
        })
        .nullable(),
      images: z.array(z.looseObject({ image: z.string(), lookedAt: z.string().nullable() })).default([]),
    }),
  ),
});

/** What is awaited, a line for each commit that waits and each image that is looked for. */
function waitingLines(preview: unknown, now: number): string[] {
  return waitingSchema.parse(preview).members.flatMap(({ next, images }) => {
    if (next === null) return [];
    const parts = [
      `${next.sha.slice(0, 8)} waits for ${next.waitingFor} since ${minutes(next.since)}`,
      next.detail,
      next.link,
    ];
    const looks = images.map(({ image, lookedAt }) => {
      const seconds = lookedAt === null ? null : Math.max(0, Math.round((now - Date.parse(lookedAt)) / 1_000));
      return `  image ${image} is not there yet (${seconds === null ? 'not looked yet' : `looked ${seconds} s ago`})`;
    });
    return [parts.filter((part) => typeof part === 'string').join(': '), ...looks];
  });
}

const eventsSchema = z.object({
  events: z.array(
    z.looseObject({
      at: z.string(),
      incarnation: z.number(),
      kind: z.string(),
      actor: z.string().nullable(),
      detail: z.string().nullable(),
    }),
  ),
});

async function show(slug: string, output: OutputFormat): Promise<void> {
  const path = `/previews/${encodeURIComponent(slug)}`;
  const preview = previewSchema.parse(await callManager(readEnvironment(), 'GET', path));
  const { events } = eventsSchema.parse(await callManager(readEnvironment(), 'GET', `${path}/events?limit=200`));
  if (output !== 'table') {
    printData(output, { preview, events });
    return;
  }
  printRows('table', null, [preview], columns);
  // A job's name is an outsider's text: no control character reaches the terminal.
  for (const line of waitingLines(preview, Date.now())) print(line.replace(/\p{Cc}+/gu, ' '));
  print('');
  printRows('table', null, [...events].reverse(), [
    { title: 'at (UTC)', value: (event) => event.at.slice(0, 19).replace('T', ' ') },
    { title: 'life', value: (event) => event.incarnation },
    { title: 'what', value: (event) => event.kind },
    { title: 'who', value: (event) => event.actor },
    { title: 'detail', value: (event) => event.detail },
  ]);
}

function expiryText({ expiresAt, pinnedBy }: Listed): string {
  if (expiresAt !== null) return expiresAt.slice(0, 16).replace('T', ' ');
  return pinnedBy === null ? 'never' : `never, pinned by ${pinnedBy}`;
}

function phaseText(row: Listed): string {
  const template = row.templateProblem === null ? null : 'template problem';
  const notes = [
    row.waitingFor,
    row.line === null ? null : `${row.line.place} of ${row.line.length}`,
    row.cause,
    template,
    row.heldStop === null ? null : `stop held: ${row.heldStop.reason}`,
    row.unknownSince === null ? null : `unknown to GitLab since ${minutes(row.unknownSince)}`,
    row.paused === null ? null : `paused by ${row.paused.by ?? 'an annotation on its namespace'}`,
  ];
  const told = notes.filter((note) => note !== null);
  return told.length === 0 ? row.phase : `${row.phase} (${told.join(', ')})`;
}

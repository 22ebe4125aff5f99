import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import type { Command } from 'commander';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { judgeObject } from '../agent/health/judge-object.js';
import { outputOption } from './preview-verbs.js';
import { type Column, type OutputFormat, printRows } from './print.js';

/** One object as the agent judges it. */
interface Judged {
  apiVersion: string;
  kind: string;
  namespace: string | null;
  name: string;
  status: string;
  message: string;
}

/** What a file yields: its objects, and what in it cannot be judged, in sentences. */
interface Reading {
  judged: Judged[];
  problems: string[];
}

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    generation: z.number().optional(),
    annotations: z.record(z.string(), z.string()).optional(),
    finalizers: z.array(z.string()).optional(),
    deletionTimestamp: z.string().optional(),
  }),
});
const listSchema = z.object({ kind: z.string().regex(/List$/), items: z.array(z.unknown()) });

const columns: Column<Judged>[] = [
  { title: 'object', value: ({ kind, name }) => `${kind}/${name}` },
  { title: 'status', value: ({ status }) => status },
  { title: 'message', value: ({ message }) => message || null },
];

/** `health`: what the agent makes of objects in files, without a cluster and without a manager. */
export function addHealthVerb(program: Command): void {
  program
    .command('health <file...>')
    .description('print the health of Kubernetes objects in YAML or JSON files as the agent judges them; - reads stdin')
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExit code: 0 when everything was judged, however it fares; 1 when something could not be read.',
    )
    .action(async (files: string[], options: { output: OutputFormat }) => {
      const readings = await Promise.all(files.map(readHealth));
      const judged = readings.flatMap((reading) => reading.judged);
      printRows(options.output, judged, judged, columns);
      const problems = readings.flatMap((reading) => reading.problems);
      for (const problem of problems) process.stderr.write(`mayfly: ${problem}\n`);
      if (problems.length > 0) process.exitCode = 1;
    });
}

async function readHealth(file: string): Promise<Reading> {
  const name = file === '-' ? 'stdin' : file;
  let content: string;
  try {
    content = file === '-' ? await readAll(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return { judged: [], problems: [`${name} cannot be read (${code}). Check its path.`] };
  }
  const reading: Reading = { judged: [], problems: [] };
  // Files of one key after another, as some tools write them, are judged all the same.
  for (const document of parseAllDocuments(content, { uniqueKeys: false })) {
    const [fault] = document.errors;
    if (fault === undefined) judge(document.toJS(), name, reading);
    else reading.problems.push(`${name}: ${fault.message.split('\n', 1)[0]}. Mend the YAML.`);
  }
  return reading;
}

function judge(value: unknown, file: string, reading: Reading): void {
  if (value === null || value === undefined) return;
  const list = listSchema.safeParse(value);
  if (list.success) {
    for (const item of list.data.items) judge(item, file, reading);
    return;
  }
  const object = objectSchema.safeParse(value);
  if (!object.success) {
    const [issue] = object.error.issues;
    reading.problems.push(
      `${file} holds what is no Kubernetes object: ${issue?.path.join('.') || 'it'} is missing or wrong.`,
    );
    return;
  }
  const { apiVersion, kind, metadata } = object.data;
  const { status, message } = judgeObject(manifestOf(object.data));
  reading.judged.push({
    apiVersion,
    kind,
    namespace: metadata.namespace ?? null,
    name: metadata.name,
    status,
    message,
  });
}

/** Optional fields that are undefined are left out: the rules ask whether they are there. */
function manifestOf(object: z.infer<typeof objectSchema>): Parameters<typeof judgeObject>[0] {
  return JSON.parse(JSON.stringify(object));
}

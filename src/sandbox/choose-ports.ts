import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { freePort } from './free-port.js';

const preferred = { gitlab: 8929, git: 8930, previews: 8931, manager: 8932, metrics: 8933, dashboard: 8934 };

export type SandboxPorts = typeof preferred;

const portSchema = z.int().min(1).max(65_535);
const schema = z.partialRecord(z.enum(Object.keys(preferred) as (keyof SandboxPorts)[]), portSchema);

/**
 * A free port for each part: that of the last start in this folder where it can be, so that links stay valid, else the
 * usual one, else any.
 */
export async function choosePorts(dataDir: string): Promise<SandboxPorts> {
  const file = join(dataDir, 'ports.json');
  const remembered = await readPorts(file);
  const ports = { ...preferred };
  for (const part of Object.keys(preferred) as (keyof SandboxPorts)[]) {
    ports[part] = await freePort(remembered[part] ?? preferred[part]);
  }
  await writeFile(file, `${JSON.stringify(ports)}\n`);
  return ports;
}

async function readPorts(file: string): Promise<Partial<SandboxPorts>> {
  try {
    const { data } = schema.safeParse(JSON.parse(await readFile(file, 'utf8')));
    return data ?? {};
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    // Half written by a start that was killed.
    if (isMissing || error instanceof SyntaxError) return {};
    throw error;
  }
}

import { annotate } from '../../../src/application/annotate.js';
import { incarnationOf, printApplication } from '../../../src/application/file.js';
import { revisionOf } from '../../../src/application/revision.js';
import { parseApplication } from '../../../src/application/validate.js';
import { rendered } from '../../../src/preview/deployment.js';
import { hasFile } from '../../../src/preview/lifecycle.js';
import type { Preview } from '../../../src/preview/preview.js';
import { decideNow } from './manager.js';
import { type BranchFile, iidOf, keyOf, type World } from './world.js';

export type CommitCrash = 'none' | 'before-push' | 'after-push';

/** The file that a row asks for. */
export function renderFile(preview: Preview, sha: string): BranchFile {
  const template = {
    apiVersion: 'argoproj.io/v1alpha1' as const,
    kind: 'Application' as const,
    metadata: { name: preview.slug, annotations: {} },
    spec: {
      project: 'previews',
      destination: { name: preview.cluster, namespace: preview.namespace },
      info: [{ name: 'values', value: JSON.stringify(preview.setValues) }],
      source: { repoURL: 'https://gitlab.example.com/acme/shop.git', targetRevision: sha, path: 'deploy/preview' },
    },
  };
  const { incarnation, url } = preview;
  const mergeRequest = `acme/shop!${iidOf(preview.subject)}`;
  const redeployed = preview.redeployedAt === null ? undefined : String(preview.redeployedAt);
  const named = { installation: 'test', incarnation, mergeRequest, url: url ?? undefined };
  const application = annotate(template, { ...named, redeployed, asleep: preview.wantAsleep });
  return { application, text: printApplication(application), incarnation, revision: revisionOf(application) };
}

/** The job `commit`: read back, render, push; it may die before or after the push. */
export function commit(world: World, crash: CommitCrash): void {
  readBack(world);
  const { database, branch } = world;
  const changes = [...database.needsCommit].flatMap((subject) => {
    // A subject may have begun anew under another slug. A file that a later incarnation has is that one's to write.
    const rows = database.rows.filter((row) => row.subject === subject && !isSucceeded(world, row));
    return rows.map((row) => ({ subject, row, file: wantedFile(world, row) }));
  });
  for (const { row, file } of changes) {
    // Saved before the push, so that a crash in between leaves nothing that looks like a person's act.
    database.writes.set(row.slug, file?.text ?? null);
    database.everWritten.add(keyOf(row));
  }
  if (crash === 'before-push') {
    return;
  }
  for (const { row, file } of changes) {
    if (file === null && world.fault !== 'file-stays') {
      branch.delete(row.slug);
    } else if (file !== null && branch.get(row.slug)?.text !== file.text) {
      branch.set(row.slug, file);
      const sha = file.application.spec.source.targetRevision;
      world.pushed.push({ slug: row.slug, incarnation: row.incarnation, sha, at: world.now });
    }
  }
  if (crash === 'after-push') {
    return;
  }
  for (const { subject, row, file } of changes) {
    database.needsCommit.delete(subject);
    database.writes.delete(row.slug);
    remember(
      world,
      row.slug,
      world.fault === 'file-stays' ? (branch.get(row.slug)?.text ?? null) : (file?.text ?? null),
    );
  }
}

function isSucceeded({ database }: World, { slug, incarnation }: Preview): boolean {
  return database.rows.some(
    (later) => later.slug === slug && later.incarnation > incarnation && !['waiting', 'stopped'].includes(later.phase),
  );
}

function wantedFile(world: World, row: Preview): BranchFile | null {
  const sha = row.members[0]?.wantedSha ?? null;
  if (!hasFile(row.phase) || sha === null) {
    return null;
  }
  const file = renderFile(row, sha);
  const index = world.database.rows.findIndex((one) => keyOf(one) === keyOf(row));
  world.database.rows[index] = rendered(row, { revision: file.revision, url: row.url }, world.now);
  return file;
}

/** What differs from what was last seen, and was not our own write, is a person's. */
function readBack(world: World): void {
  const { database, branch } = world;
  for (const slug of new Set([...database.seen.keys(), ...branch.keys(), ...database.writes.keys()])) {
    const text = branch.get(slug)?.text ?? null;
    const seen = database.seen.get(slug) ?? null;
    const isOurs = database.writes.has(slug) && database.writes.get(slug) === text;
    if (text === seen || isOurs) {
      remember(world, slug, text);
      continue;
    }
    remember(world, slug, text);
    const row = database.rows.findLast((one) => one.slug === slug);
    if (row !== undefined) {
      const kind = text === null ? 'stop' : 'start';
      database.wishes.push({
        kind,
        source: 'git',
        amountMs: null,
        at: world.now,
        by: 'bob',
        subject: row.subject,
        noteId: null,
      });
      decideNow(world, row.subject);
      database.needsCommit.add(row.subject);
    }
  }
}

function remember(world: World, slug: string, text: string | null): void {
  if (text === null) {
    world.database.seen.delete(slug);
  } else {
    world.database.seen.set(slug, text);
  }
}

/** A person deletes a preview's file. */
export function removeFile(world: World, slug: string): void {
  const file = world.branch.get(slug);
  if (file !== undefined) {
    world.removedByPerson.set(slug, file);
    world.branch.delete(slug);
  }
}

/** The person puts it back. */
export function restoreFile(world: World, slug: string): void {
  const file = world.removedByPerson.get(slug);
  if (file !== undefined && !world.branch.has(slug)) {
    world.removedByPerson.delete(slug);
    world.branch.set(slug, file);
  }
}

/** A file as it compares with the oracle's: without its incarnation. */
export function withoutIncarnation(text: string): string {
  const application = parseApplication(text);
  const incarnation = incarnationOf(application);
  return text.replace(`mayfly.dev/incarnation: "${incarnation}"`, 'mayfly.dev/incarnation: ""');
}

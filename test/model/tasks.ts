import type pg from 'pg';
import type { DecideDeps } from '../../src/manager/decide/needs.js';
import { runDecide } from '../../src/manager/decide/run.js';
import { type CommandDeps, readCommands } from '../../src/manager/follow/read-commands.js';
import { lookForImages } from '../../src/manager/images/look-for-images.js';
import { saveImageLooks, scheduleImages, takeDueImages } from '../../src/store/image-looks.js';
import { loadNoteState, saveHandledNotes, writtenSince } from '../../src/store/notes.js';
import type { Task } from '../../src/store/queue.js';
import type { ModelGitLab } from '../preview/model/gitlab.js';
import type { RealWorld } from './real-world.js';

export type Tasks = Record<string, Task>;

/** What the queue would run. What is merely told to GitLab is nobody's concern here. */
export function createTasks(
  pool: pg.Pool,
  world: Pick<RealWorld, 'gitlab' | 'policy' | 'writer'>,
  decideDeps: DecideDeps,
): Tasks {
  const { log } = decideDeps;
  const told: Task = async () => undefined;
  return {
    decide: async (payload, signal) => {
      await runDecide(decideDeps, payload, signal);
    },
    notes: async (payload, signal) => {
      const key = { projectId: 7, iid: Number(payload.iid), signal };
      await readCommands(commandDeps(pool, world), key);
    },
    images: (payload, signal) =>
      lookForImages(
        {
          takeDue: (query) => takeDueImages(pool, query),
          saveLooks: (looks) => saveImageLooks(pool, looks),
          scheduleNext: (registry) => scheduleImages(pool, registry),
          hasImage: async ({ host, repository, tag }) => world.gitlab.images.has(`${host}/${repository}:${tag}`),
          log,
        },
        { registry: String(payload.registry), signal },
      ),
    commit: (_, signal) => world.writer.write(signal),
    readback: async (_, signal) => {
      await world.writer.look(signal);
    },
    feedback: told,
    line: told,
  };
}

function commandDeps(pool: pg.Pool, world: Pick<RealWorld, 'gitlab' | 'policy'>): CommandDeps {
  const { gitlab, policy } = world;
  const shown = (iid: number) => gitlab.notes.filter((note) => note.iid === iid).map(noteOf);
  return {
    gitlab: {
      listNotesAfter: async ({ iid, afterId }) => shown(iid).filter(({ id }) => id > afterId),
      getNote: async ({ iid, noteId }) => shown(iid).find(({ id }) => id === noteId) ?? null,
      memberAccess: async () => 40,
      ownUserId: async () => 99,
      readHead: async ({ iid }) => {
        const own = gitlab.mergeRequests.get(iid);
        return own === undefined ? null : { sha: own.sha, pushedAt: own.lastPushAt, isFork: false };
      },
    },
    rulesOf: () => ({ level: 30, settable: policy.settable }),
    store: {
      loadNoteState: (key) => loadNoteState(pool, key),
      writtenSince: (input) => writtenSince(pool, input),
      saveHandled: (input) => saveHandledNotes(pool, input),
    },
  };
}

function noteOf({ id, body, at, by }: ModelGitLab['notes'][number]) {
  return { id, body, authorId: 1, authorUsername: by, createdAt: at, updatedAt: at, system: false };
}

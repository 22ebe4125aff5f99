import { isDeepStrictEqual } from 'node:util';

export interface ReloadInput<T> {
  /** What is in force at the start. */
  initial: T;
  /** Reads the file again; rejects when it is not valid. */
  load(): Promise<T>;
  /** Puts a changed configuration in force. When it rejects, the old one stays. */
  onChange(before: T, after: T): void | Promise<void>;
  /** Told after each reload that was not refused, also when the file says the same as before. */
  onAccepted?(): void;
  /** Told why a new file was refused (`config-invalid` names every problem); the old configuration stays. */
  onRefused(error: unknown): void;
  /** Calls the listener when a reload is asked for; answers what ends that. Default: the signal SIGHUP. */
  subscribe?(listener: () => void): () => void;
}

export interface Reloader<T> {
  current(): T;
  /** Reads the file now. Resolves once the outcome is known: true when the file was valid. */
  reload(): Promise<boolean>;
  stop(): void;
}

/**
 * Keeps the configuration in force and replaces it on SIGHUP. One reload at a time; a signal that comes during one
 * makes one more, so that the last state of the file wins.
 */
export function watchReload<T>(input: ReloadInput<T>): Reloader<T> {
  let current = input.initial;
  let last: Promise<boolean> = Promise.resolve(true);

  async function readAgain(): Promise<boolean> {
    try {
      const next = await input.load();
      if (!isDeepStrictEqual(current, next)) {
        await input.onChange(current, next);
        current = next;
      }
      input.onAccepted?.();
      return true;
    } catch (error) {
      // Whatever is wrong with the new file: the manager goes on with the old one, and says so.
      input.onRefused(error);
      return false;
    }
  }

  function reload(): Promise<boolean> {
    last = last.then(readAgain);
    return last;
  }

  const unsubscribe = (input.subscribe ?? onHangup)(() => void reload());
  return { current: () => current, reload, stop: unsubscribe };
}

function onHangup(listener: () => void): () => void {
  process.on('SIGHUP', listener);
  return () => void process.off('SIGHUP', listener);
}

/** Names of the sections (`gitlab`, `projects`, …) in which two configurations differ. */
export function changedSections(before: object, after: object): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isDeepStrictEqual(Reflect.get(before, name), Reflect.get(after, name)));
}

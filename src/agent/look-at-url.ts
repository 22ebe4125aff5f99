import { isAppError } from '../error/app-error.js';
import type { Logger } from '../log/create-logger.js';
import { assess } from './assess.js';
import { previewHost } from './branch/preview-host.js';
import type { LiveObject } from './live/live-objects.js';
import type { PreviewState } from './preview-state.js';
import { type ProbeRequest, probeRequestOf } from './probe/probe-request.js';
import { afterAttempt, startProbe } from './probe/probe-state.js';
import type { ProbeProblem } from './probe/send-probe.js';
import { createWorkQueue, type WorkQueue } from './work-queue.js';

export interface ProberDeps {
  send(request: ProbeRequest, signal: AbortSignal): Promise<ProbeProblem>;
  /** What in the namespace may keep the URL from answering: lines for the evidence. */
  explain(namespace: string, signal: AbortSignal): Promise<string[]>;
  /** Hosts that previews may use. */
  hosts: readonly string[];
  previews: ReadonlyMap<string, PreviewState>;
  live(pair: { slug: string; incarnation: number }): ReadonlyMap<string, LiveObject>;
  /** Tells the manager how a preview is now. */
  report(slug: string): void;
  log: Logger;
}

/** Probes at once, each of a preview of its own. */
const concurrency = 20;

/**
 * Asks the URLs of previews whose objects are healthy, until each has answered as its file expects. A preview that is
 * added while it waits for its next attempt is not asked sooner.
 */
export function createProber(deps: ProberDeps): Pick<WorkQueue, 'add' | 'stop'> {
  async function look(slug: string, signal: AbortSignal): Promise<number | null> {
    const preview = deps.previews.get(slug);
    const wanted = preview?.wanted ?? null;
    if (preview === undefined || wanted === null) return null;
    const { revision } = wanted;
    if (!assess(preview, deps.live(wanted)).awaitsProbe) {
      // Its objects are unwell again: its time begins anew with their health.
      if (preview.probe?.passed === false) preview.probe = null;
      return null;
    }
    const before = preview.probe?.revision === revision ? preview.probe : startProbe(revision, Date.now());
    preview.probe = before;
    const request = probeRequestOf(wanted.application, (url) => previewHost(url, deps.hosts) !== null);
    if (request === null) return null;
    const problem = typeof request === 'string' ? request : await deps.send(request, signal);
    // Whatever was learnt belongs to the revision that was asked.
    if (preview.wanted?.revision !== revision || preview.probe !== before) return null;
    const sentence = sentenceOf(request, problem);
    const withinMs = typeof request === 'string' ? 0 : request.withinMs;
    const { state, againMs } = afterAttempt(before, { sentence, withinMs, now: Date.now() });
    const fresh = state.overdue && !before.overdue;
    preview.probe = state;
    if (fresh)
      preview.probe = { ...state, evidence: await explain(wanted.application.spec.destination.namespace, signal) };
    if (state.passed || fresh) deps.log.info({ slug, passed: state.passed, attempts: state.attempts }, 'url probed');
    deps.report(slug);
    return againMs;
  }

  async function explain(namespace: string, signal: AbortSignal): Promise<string[]> {
    try {
      return await deps.explain(namespace, signal);
    } catch (error) {
      if (signal.aborted || !isAppError(error)) throw error;
      deps.log.info({ namespace, code: error.code }, 'services not looked at');
      return [];
    }
  }

  return createWorkQueue({
    concurrency,
    run: look,
    onError: (slug, error) => deps.log.error({ slug, err: error }, 'probe failed unexpectedly'),
  });
}

function sentenceOf(request: ProbeRequest | string, problem: ProbeProblem): string | null {
  if (typeof request === 'string') return `Its URL cannot be probed: ${request}.`;
  return problem === null ? null : `${request.url.href} ${problem}.`;
}

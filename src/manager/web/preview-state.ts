import { z } from 'zod';
import { adviceOf, reasonOf, stopWords, waitingWords } from '../../preview/state-words.js';
import { type Html, html } from './html.js';
import type { WebPreviewDetail } from './needs.js';
import { timeOf, wordsOf } from './page-shell.js';

const nothing = html``;

/** As the agent told it; what another version of it tells besides is left out. */
const diagnosisSchema = z.object({
  object: z.string().nullable(),
  sentence: z.string(),
  evidence: z.array(z.string()),
  logs: z.array(z.string()).optional(),
  mender: z.literal('operator').optional().catch(undefined),
});

type Diagnosis = z.infer<typeof diagnosisSchema>;

/** Why it is in its phase, in sentences, and what the cluster says of that. */
export function stateSection(preview: WebPreviewDetail): Html {
  const diagnosis = diagnosisOf(preview);
  const sentences = [...phaseSentences(preview, diagnosis), ...remarks(preview)].map((each) => html`<p>${each}</p>\n`);
  return html`<section class="state ${preview.phase}">
${sentences}${diagnosis === null ? nothing : evidenceOf(diagnosis)}</section>`;
}

/** What is said of another revision than the one that is wanted explains nothing of it. */
function diagnosisOf({ phase, observation, wantedRevision }: WebPreviewDetail): Diagnosis | null {
  const concerns = phase === 'failed' || phase === 'deploying';
  if (!concerns || observation === null || observation.revision !== wantedRevision) return null;
  return diagnosisSchema.safeParse(observation.diagnosis).data ?? null;
}

function phaseSentences(preview: WebPreviewDetail, diagnosis: Diagnosis | null): Html[] {
  switch (preview.phase) {
    case 'waiting':
      return [
        html`It waits for ${waitingWords(preview.waitingFor, preview.line)}${since(preview.waitingSince)}.`,
        ...preview.members.flatMap(({ next }) => awaited(next)),
      ];
    case 'deploying':
      return [
        html`It is being deployed${since(preview.deployingSince)}.`,
        ...(diagnosis === null ? [] : [html`So far: ${diagnosis.sentence}`]),
      ];
    case 'ready':
      return [html`It is healthy${since(preview.readyAt, ', for the first time at ')}.`];
    case 'asleep':
      return [html`It is scaled to zero. <code>/preview wake</code> or a push wakes it.`];
    case 'failed':
      return failedSentences(preview, diagnosis);
    case 'stopping':
      return [html`It is being removed from the cluster, because ${stopOf(preview)}.`];
    case 'stopped':
      return [
        html`It ended${since(preview.stoppedAt, ' at ')}, because ${stopOf(preview)}.`,
        ...(preview.stopReason === null ? [] : [html`${wordsOf(stopWords[preview.stopReason].back)}`]),
      ];
    default:
      return preview.phase satisfies never;
  }
}

/** What has to happen, where something is known of it. */
function awaited(next: WebPreviewDetail['members'][number]['next']): Html[] {
  if (next === null) return [];
  if (next.waitingFor === 'approval') {
    return [html`A member approves it with <code>/preview approve ${next.sha}</code>.`];
  }
  return next.detail === null ? [] : [html`<q>${next.detail}</q>`];
}

function failedSentences({ cause, message }: WebPreviewDetail, diagnosis: Diagnosis | null): Html[] {
  const sentence = message ?? diagnosis?.sentence ?? null;
  const toDo = adviceOf(cause, diagnosis?.mender);
  return [
    html`<strong>${wordsOf(reasonOf(cause, diagnosis?.mender))}</strong>`,
    ...(sentence === null ? [] : [html`<q>${sentence}</q>`]),
    ...(toDo === null ? [] : [html`What to do: ${wordsOf(toDo)}`]),
  ];
}

function stopOf({ stopDetail, stopReason, stoppedBy }: WebPreviewDetail): Html {
  const why = stopDetail ?? (stopReason === null ? 'it was stopped' : stopWords[stopReason].why);
  return html`${wordsOf(why)}${stoppedBy === null ? '' : `, by ${stoppedBy}`}`;
}

function remarks(preview: WebPreviewDetail): Html[] {
  const { heldStop, unknownSince, edited, paused, templateProblem } = preview;
  const found: Html[] = [];
  if (heldStop !== null) {
    found.push(
      html`It would stop, because ${wordsOf(stopWords[heldStop.reason].why)}, but too many would at once: held${since(heldStop.since)} until somebody runs <code>mayfly breaker accept</code>.`,
    );
  }
  if (unknownSince !== null)
    found.push(html`GitLab does not say whether its merge request still lives${since(unknownSince)}.`);
  if (templateProblem !== null) found.push(html`The present template gives no file for it: <q>${templateProblem}</q>`);
  if (paused !== null)
    found.push(html`Its agent touches nothing of it: paused${paused.by === null ? '' : ` by ${paused.by}`}.`);
  if (edited === 'edited') found.push(html`Its file in Git was edited by hand. The next commit writes it anew.`);
  if (edited === 'refused') found.push(html`Its file in Git was edited where it must not be; that edit is ignored.`);
  return found;
}

function evidenceOf({ object, evidence, logs = [] }: Diagnosis): Html {
  const blocks = [
    ...(object === null ? [] : [html`<p>Object: <code>${object}</code></p>\n`]),
    ...(evidence.length === 0 ? [] : [html`<h2>What the cluster says</h2>\n<pre>${evidence.join('\n')}</pre>\n`]),
    ...(logs.length === 0 ? [] : [html`<h2>The last lines of its log</h2>\n<pre>${logs.join('\n')}</pre>\n`]),
  ];
  return html`${blocks}`;
}

function since(at: number | null, before = ', since '): Html {
  return at === null ? nothing : html`${before}${timeOf(at)}`;
}

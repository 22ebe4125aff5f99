import { isFork } from '../../preview/follow.js';
import type { Member, Preview } from '../../preview/preview.js';
import { adviceOf, reasonOf, stopWords, waitingWords } from '../../preview/state-words.js';
import { answersPart } from './answers-part.js';
import { commit, deployedTable, openLink, stillPart } from './deployed-part.js';
import { detailWords } from './gate-words.js';
import { hasLeft, isLinked, leftParts, linkedPart, missingPart } from './linked-note.js';
import { codeBlock, codeSpan } from './outsider-text.js';
import { asleepWords } from './sleep-words.js';
import type { FeedbackView } from './view.js';
import { utcTime } from './words.js';

/** By this a note is known as ours again, when its id is not. */
export const noteMarker = '<!-- mayfly:preview -->';

/** The text of the one note in a merge request. Pure: the same view gives the same text: nothing is written twice. */
export function renderNote(view: FeedbackView): string {
  const { preview } = view;
  if (hasLeft(view)) return `${[noteMarker, ...leftParts(view), ...answersPart(view.answers ?? [])].join('\n\n')}\n`;
  const parts = [
    noteMarker,
    `### ${heading(preview)}`,
    ...phaseParts(view),
    ...(isLinked(view) ? linkedPart(view) : nextPart(preview)),
    ...missingPart(view),
    ...remarks(preview),
    ...lifetimePart(view),
    ...forkPart(view),
    ...answersPart(view.answers ?? []),
    ...commandsPart(view),
  ];
  return `${parts.join('\n\n')}\n`;
}

const signs: Readonly<Record<Preview['phase'], string>> = {
  waiting: '🕐 Preview waiting',
  deploying: '🟡 Preview deploying',
  ready: '🟢 Preview ready',
  failed: '🔴 Preview failed',
  asleep: '🌙 Preview asleep',
  stopping: '⏳ Preview stopping',
  stopped: '⚪ Preview stopped',
};

function heading(preview: Preview): string {
  const link = openLink(preview);
  return link === null ? signs[preview.phase] : `${signs[preview.phase]}: ${link}`;
}

function phaseParts(view: FeedbackView): string[] {
  const { preview } = view;
  // Of a linked preview each member is told in a row of its own.
  const member = isLinked(view) ? undefined : preview.members[0];
  switch (preview.phase) {
    case 'waiting':
      return [waitingPart(view, member), deployedTable(view, member)];
    case 'deploying':
      return [[deployingPart(view, member), ...stillPart(view, member)].join(' '), deployedTable(view, member)];
    case 'ready':
      return [deployedTable(view, member)];
    case 'asleep':
      return [asleepWords(view), deployedTable(view, member)];
    case 'failed':
      return failedParts(view, member);
    case 'stopping':
      return [`${stopSentence(preview)} It is being removed from the cluster.`];
    case 'stopped':
      return [
        `${stopSentence(preview)} ${preview.stopReason === null ? '' : stopWords[preview.stopReason].back}`.trim(),
      ];
    default:
      return preview.phase satisfies never;
  }
}

function waitingPart({ preview, line, facts }: FeedbackView, member: Member | undefined): string {
  const sha = member?.next?.sha ?? null;
  const subject = sha === null ? 'It' : `Commit ${commit(sha, facts)}`;
  const since = preview.waitingSince === null ? '' : `, since ${utcTime(preview.waitingSince)}`;
  const detail = preview.waitingFor === 'slot' ? '' : detailWords(member?.next ?? null);
  return `${subject} waits for ${waitingWords(preview.waitingFor, line)}${since}.${detail}`;
}

function deployingPart({ preview, facts }: FeedbackView, member: Member | undefined): string {
  const since = preview.deployingSince === null ? '' : `, since ${utcTime(preview.deployingSince)}`;
  const wanted = member?.wantedSha ?? null;
  const subject = wanted === null ? 'It' : `Commit ${commit(wanted, facts)}`;
  return `${subject} is being deployed${since}.`;
}

function failedParts(view: FeedbackView, member: Member | undefined): string[] {
  const { preview, diagnosis, facts } = view;
  const toDo = adviceOf(preview.cause, diagnosis?.mender);
  const wanted = member?.wantedSha ?? null;
  const what = `${wanted === null ? '' : `${commit(wanted, facts)}: `}${reasonOf(preview.cause, diagnosis?.mender)}`;
  const sentence = preview.message ?? diagnosis?.sentence ?? null;
  const parts = [sentence === null ? what : `${what} ${codeSpan(sentence)}`];
  if (diagnosis !== null && diagnosis.object !== null) parts.push(`Object: ${codeSpan(diagnosis.object)}`);
  if (toDo !== null) parts.push(`**What to do:** ${toDo}`);
  return [...parts, ...stillPart(view, member), deployedTable(view, member), ...evidencePart(diagnosis)];
}

/** What a reader may open: the cluster's events, and what the container printed last. */
function evidencePart(diagnosis: FeedbackView['diagnosis']): string[] {
  const { evidence = [], logs = [], logsWithheld = false } = diagnosis ?? {};
  const blocks = [
    ...(evidence.length === 0 ? [] : [codeBlock(evidence)]),
    ...(logs.length === 0 ? [] : ['The last lines of its log:', codeBlock(logs)]),
    ...(logsWithheld ? ['Its log is shown on the dashboard alone.'] : []),
  ];
  return blocks.length === 0
    ? []
    : [`<details><summary>Events and logs</summary>\n\n${blocks.join('\n\n')}\n\n</details>`];
}

function stopSentence(preview: Preview): string {
  const why =
    preview.stopDetail ?? (preview.stopReason === null ? 'it was stopped' : stopWords[preview.stopReason].why);
  const by = preview.stoppedBy === null ? '' : `, by ${codeSpan(preview.stoppedBy)}`;
  const at = preview.stoppedAt === null ? '' : `, ${utcTime(preview.stoppedAt)}`;
  return `Because ${why}${by}${at}.`;
}

/** The sha that waits while another one runs. */
function nextPart(preview: Preview): string[] {
  const next = preview.members[0]?.next ?? null;
  const runs = preview.phase === 'deploying' || preview.phase === 'ready' || preview.phase === 'failed';
  if (next === null || !(runs || preview.phase === 'asleep')) return [];
  const words = waitingWords(next.waitingFor, null);
  return [
    `Next: commit \`${next.sha.slice(0, 8)}\` waits for ${words}, since ${utcTime(next.since)}.${detailWords(next)}`,
  ];
}

function remarks(preview: Preview): string[] {
  const found: string[] = [];
  if (preview.heldStop !== null) {
    const why = stopWords[preview.heldStop.reason].why;
    found.push(
      `⚠️ It would stop because ${why}, but too many previews would stop at once: held since ${utcTime(preview.heldStop.since)} until an operator accepts it (\`mayfly breaker show\`).`,
    );
  }
  if (preview.edited === 'edited') {
    found.push(
      '✏️ Its file in the environments repository was edited by hand. The next commit deployed writes it anew.',
    );
  }
  if (preview.edited === 'refused') {
    found.push('✏️ Its file in the environments repository was edited where it must not be; that edit is ignored.');
  }
  return found;
}

/** What keeps it longer than its use does. */
function lifetimePart(view: FeedbackView): string[] {
  const { preview, facts } = view;
  if (preview.phase === 'stopping' || preview.phase === 'stopped') return [];
  if (preview.pinnedBy !== null) {
    return [`📌 Pinned by ${codeSpan(preview.pinnedBy)}: it does not expire until \`/preview unpin\`.`];
  }
  return facts?.state === 'merged' && !isLinked(view)
    ? [
        `The merge request was merged. What is deployed is kept as it is until ${utcTime(preview.expiresAt)}; \`/preview stop\` ends it at once.`,
      ]
    : [];
}

/** What a fork's preview goes without: it runs what a stranger pushed. */
function forkPart({ preview, facts, linked, forkGets: own }: FeedbackView): string[] {
  const forkGets = linked?.forkGets ?? own;
  const secrets = forkGets?.secrets === true ? ' but those that `secrets` gives to forks' : '';
  const repositories = forkGets?.repositories === true ? ' and those of `follow.forkRepositories`' : '';
  const lives = preview.phase !== 'stopping' && preview.phase !== 'stopped';
  if (!lives) return [];
  if (linked != null) {
    return preview.members.some(({ fork }) => fork === true)
      ? [
          `🍴 One of its commits comes from a fork, so that all of it gets what a fork gets: no copied secrets${secrets}, and no repository but that of the group's first project${repositories}.`,
        ]
      : [];
  }
  const joins = forkGets?.linked === true ? ' before a member approved a commit of it' : '';
  return facts !== null && isFork(facts)
    ? [
        `🍴 It comes from a fork: no copied secrets${secrets}, no linked preview${joins}, and no repository but this project's${repositories}.`,
      ]
    : [];
}

function commandsPart(view: FeedbackView): string[] {
  const { phase, pinnedBy } = view.preview;
  if (phase === 'stopping' || phase === 'stopped') return [];
  if (view.facts?.state === 'merged' && !isLinked(view)) return ['`/preview stop` · `/preview help`'];
  const end = pinnedBy === null ? ['extend 2d', 'pin'] : ['unpin'];
  return [[...end, 'stop', 'help'].map((command) => `\`/preview ${command}\``).join(' · ')];
}

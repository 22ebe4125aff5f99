import type { MergeRequestFacts } from '../../preview/facts.js';
import type { Preview } from '../../preview/preview.js';

/** What a commit does to a preview's file. */
export type CommitVerb = 'deploy' | 'remove' | 'sleep' | 'wake' | 'adopt';

export interface MessageInput {
  verb: CommitVerb;
  preview: Preview;
  /** null: GitLab said nothing of it yet. */
  facts: MergeRequestFacts | null;
  /** Such as `acme/shop`; null: its project left the configuration. */
  projectPath: string | null;
  /** All merge requests of a linked preview, such as `acme/shop!42`; absent: it is the one of `facts`. */
  references?: readonly string[];
  /** Why, in a word: `opened`, `push`, `merged`, … */
  cause: string;
  /** Who: a user name, or `mayfly`. */
  actor: string;
  generation: number;
}

const maxLine = 200;
/** Shas that a subject names. */
const mostShas = 4;

/** Such as `deploy 1a2b3c4`: what a commit does, without the preview's name. */
export function commitSubject(verb: CommitVerb, preview: Preview): string {
  const shas = preview.members.flatMap(({ wantedSha }) => (wantedSha === null ? [] : [wantedSha.slice(0, 7)]));
  return verb === 'remove' || shas.length === 0 ? verb : `${verb} ${[...new Set(shas)].slice(0, mostShas).join(' ')}`;
}

/** The whole message: subject, a body that says why, and the trailers. Every stranger's text is one clean line. */
export function commitMessage(input: MessageInput): string {
  const { preview, facts } = input;
  const reference = facts === null ? null : `${input.projectPath ?? facts.projectId}!${facts.iid}`;
  const references = input.references ?? (reference === null ? [] : [reference]);
  const trailers = [
    `Mayfly-Preview: ${preview.slug}#${preview.incarnation}`,
    ...references.map((each) => `Mayfly-Merge-Request: ${oneLine(each)}`),
    `Mayfly-Cause: ${oneLine(input.cause)}`,
    `Mayfly-Actor: ${oneLine(input.actor)}`,
    `Mayfly-Generation: ${input.generation}`,
  ];
  const why =
    facts === null
      ? whyOf(input)
      : `${whyOf(input)}: ${input.references?.[0] ?? reference} "${facts.title}" by ${facts.authorUsername}`;
  return `${preview.slug}: ${commitSubject(input.verb, preview)}\n\n${oneLine(why)}\n\n${trailers.join('\n')}\n`;
}

/** The message of the commit that says whose the branch is. */
export function installationMessage(installation: string, generation: number): string {
  return `mayfly: begin installation\n\nFrom here on Mayfly writes this branch.\n\nMayfly-Installation: ${installation}\nMayfly-Generation: ${generation}\n`;
}

/** Generation that one of Mayfly's own commits names; null for a person's commit, whatever it quotes. */
export function generationOf(message: string): number | null {
  const trailers = message.trimEnd().split('\n\n').at(-1)?.split('\n') ?? [];
  if (!trailers.every((line) => /^Mayfly-[A-Za-z-]+: ./.test(line))) return null;
  const generation = /^Mayfly-Generation: (\d{1,15})$/.exec(trailers.at(-1) ?? '')?.[1];
  return generation === undefined ? null : Number(generation);
}

function whyOf({ verb, cause, actor }: MessageInput): string {
  const by = actor === 'mayfly' ? '' : ` by ${actor}`;
  if (verb === 'remove') return `The preview ends (${cause}${by})`;
  if (verb === 'sleep') return `The preview is to sleep, scaled to zero (${cause}${by})`;
  return `The preview is to run (${cause}${by})`;
}

/** One line without control and direction characters, that cannot be taken for a trailer. */
function oneLine(text: string): string {
  const clean = text
    .slice(0, maxLine * 4)
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, '')
    .trim();
  return Array.from(clean).slice(0, maxLine).join('');
}

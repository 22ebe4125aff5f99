import { codeSpan } from './outsider-text.js';
import type { Answer } from './view.js';
import { utcTime } from './words.js';

/** People who are told something at one time: a note is read at a glance. */
const mostAnswers = 3;

/**
 * The answers that the note has: the newest of each author, the newest first, and no more than three. Whoever may not
 * give commands gets a place that no member needs, for in a public project anybody can write one.
 */
export function shownAnswers(answers: readonly (Answer | null)[]): Answer[] {
  const newest = new Map<string, Answer>();
  for (const answer of answers.filter((each) => each !== null).sort(byTime)) {
    if (!newest.has(answer.by)) newest.set(answer.by, answer);
  }
  return [...newest.values()]
    .sort((a, b) => Number(b.permitted) - Number(a.permitted))
    .slice(0, mostAnswers)
    .sort(byTime);
}

/** One quotation of all of them; those who are told the same share a line. */
export function answersPart(answers: readonly Answer[]): string[] {
  const lines = new Map<string, string[]>();
  for (const { line, by, at } of answers) {
    const words = line.replace(/\s+/g, ' ');
    lines.set(words, [...(lines.get(words) ?? []), `${codeSpan(by)}, ${utcTime(at)}`]);
  }
  const quoted = [...lines].map(([words, people]) => `> ${people.join('; ')}: ${words}`);
  return quoted.length === 0 ? [] : [quoted.join('\n>\n')];
}

function byTime(a: Answer, b: Answer): number {
  return b.at - a.at;
}

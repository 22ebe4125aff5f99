import { emptyPipelineDetail, noPipelineDetail, skippedDetail } from '../../preview/pipeline-gate.js';
import type { NextSha } from '../../preview/preview.js';
import { codeSpan } from './outsider-text.js';

/** Sentences of a gate that hold no outsider's word. */
const plainDetails: ReadonlySet<string> = new Set([noPipelineDetail, emptyPipelineDetail, skippedDetail]);
const plainDetail = /^Jobs not finished yet: \d+ of \d+\.$/;
/** Those around one name: of a job, which is an outsider's, or of an image. */
const namedDetail =
  /^(?<before>The (?:manual job|job|image) |The pipeline has no job )(?<name>.+?)(?<after>(?: (?:failed|was canceled|was skipped|was not started|has not finished|is not there yet|is not the name of an image))?\.)$/s;

const whatToDo = {
  pipeline: 'This does not change by itself: run it again, or push a new commit.',
  image: 'This does not change by itself: the registry or the configuration has to be mended, or a new commit pushed.',
  approval: '',
  slot: '',
  project: '',
} as const;

/** What a gate says of the sha that waits, and what a person can do about it; begins with a blank. */
export function detailWords(next: NextSha | null): string {
  if (next === null) return '';
  if (next.waitingFor === 'approval') return ` A member approves it with \`/preview approve ${next.sha}\`.`;
  const sentences = [detailSentence(next), next.stuck ? whatToDo[next.waitingFor] : ''];
  return sentences.map((sentence) => (sentence === '' ? '' : ` ${sentence}`)).join('');
}

function detailSentence({ detail, link }: NextSha): string {
  if (detail === null) return '';
  if (plainDetails.has(detail) || plainDetail.test(detail)) return detail;
  const { before, name, after } = namedDetail.exec(detail)?.groups ?? {};
  if (before === undefined) return codeSpan(detail);
  const shown = codeSpan(name ?? '');
  // It leads to GitLab itself: whoever read it has seen to that.
  const isPlain = typeof link === 'string' && /^https?:\/\/[^\s()<>|[\]]+$/.test(link);
  return `${before}${isPlain ? `[${shown}](${link})` : shown}${after}`;
}

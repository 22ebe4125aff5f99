import type { Preview } from '../../preview/preview.js';
import type { FeedbackView } from './view.js';

/** Why a preview sleeps, and how it is woken. */
export function asleepWords({ preview, wakeUrl }: FeedbackView): string {
  const page = wakeUrl === undefined ? '' : `open [this page](${wakeUrl}), `;
  const how = `To wake it, ${page}write \`/preview wake\`, or push.`;
  return `${whyAsleep(preview)} It is scaled to zero; what it is made of stays. ${how}`;
}

function whyAsleep({ sleepCause, edited }: Preview): string {
  if (edited === 'edited') return 'Its file in the environments repository declares it asleep.';
  switch (sleepCause) {
    case 'order':
      return 'It was put to sleep.';
    case 'idle':
      return 'It sleeps, for nobody used it for a while.';
    case 'schedule':
      return 'It sleeps outside its hours.';
    case 'activity':
    case null:
      return 'It sleeps.';
    default:
      return sleepCause satisfies never;
  }
}

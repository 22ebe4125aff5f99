import { z } from 'zod';
import { duration, text, wholeNumber } from './fields.js';

/** What the agent asks of a preview's URL before it is ready. */
export const probe = z
  .strictObject({
    path: text()
      .regex(/^\/[\x21-\x7e]*$/, 'not a path that begins with / and has no blank.')
      .max(2_000, 'longer than 2000 characters. Shorten it.')
      .optional()
      .meta({ description: 'Path that is asked, below the preview’s URL. Absent: `/healthz`.' }),
    expect: wholeNumber(100, 599)
      .optional()
      .meta({ description: 'HTTP status that the answer must have; no redirect is followed. Absent: 200.' }),
    within: duration()
      .optional()
      .meta({ description: 'Not answered so for this long after its objects are healthy: failed. Absent: 3m.' }),
  })
  .optional()
  .meta({ description: 'Absent: a preview is ready when its objects are healthy. Needs `preview.url`.' });

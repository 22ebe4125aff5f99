import { z } from 'zod';
import { type AwakeSchedule, parseAwakeSchedule } from '../preview/awake-schedule.js';
import { typed } from './fields.js';

/** The hours at which previews are awake, with their time zone. */
export function awakeSchedule() {
  return z
    .string(typed('hours such as Mon-Fri 07:30-20:00 Europe/Berlin'))
    .transform((value, context): AwakeSchedule => {
      const parsed = parseAwakeSchedule(value);
      if ('schedule' in parsed) return parsed.schedule;
      context.addIssue({ code: 'custom', message: parsed.problem });
      return z.NEVER;
    });
}

import type { Instant } from './preview.js';

/** One window of the week, by the clock on the wall. */
interface AwakeWindow {
  /** Days on which it opens, from 0 for Sunday. */
  days: number[];
  /** Minutes since midnight. */
  opens: number;
  /** Minutes since the midnight before it opens; more than 1440 when it closes on the day after. */
  closes: number;
}

/** When previews are awake, such as `Mon-Fri 07:30-20:00 Europe/Berlin`. */
export interface AwakeSchedule {
  windows: AwakeWindow[];
  /** IANA name. */
  zone: string;
}

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const dayMinutes = 1440;
const minuteMs = 60_000;
const dayMs = dayMinutes * minuteMs;

/**
 * Reads `Mon-Fri 07:30-20:00 Europe/Berlin`; several windows stand between commas, before the zone. One that closes
 * before it opens closes on the day after. Answers what is wrong as a sentence's end instead.
 */
export function parseAwakeSchedule(text: string): { schedule: AwakeSchedule } | { problem: string } {
  const [, list = '', zone = ''] = /^(.*\S)\s+(\S+)$/s.exec(text.trim()) ?? [];
  if (!isZone(zone)) {
    const shown = zone === '' || /^\d/.test(zone) ? '' : ` \`${zone.slice(0, 40)}\``;
    return { problem: `ends in no known time zone${shown}. Write one such as Europe/Berlin or UTC.` };
  }
  const windows: AwakeWindow[] = [];
  for (const part of list.split(',')) {
    const window = parseWindow(part.trim());
    if (window === null) {
      return { problem: `has no window \`${part.trim().slice(0, 40)}\`. Write one such as Mon-Fri 07:30-20:00.` };
    }
    windows.push(window);
  }
  return { schedule: { windows, zone } };
}

function parseWindow(text: string): AwakeWindow | null {
  const match = /^([a-z]{3})(?:-([a-z]{3}))?\s+(\d\d):(\d\d)-(\d\d):(\d\d)$/i.exec(text);
  if (match === null) {
    return null;
  }
  const [, from = '', to = from, ...times] = match;
  const [first, last] = [dayNames.indexOf(from.toLowerCase()), dayNames.indexOf(to.toLowerCase())];
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = times.map(Number);
  const [opens, ends] = [fromHour * 60 + fromMinute, toHour * 60 + toMinute];
  const isTime = fromMinute < 60 && toMinute < 60 && opens < dayMinutes && ends <= dayMinutes && opens !== ends;
  if (first < 0 || last < 0 || !isTime) {
    return null;
  }
  const count = ((last - first + 7) % 7) + 1;
  const days = Array.from({ length: count }, (_, index) => (first + index) % 7);
  return { days, opens, closes: ends > opens ? ends : ends + dayMinutes };
}

function isZone(zone: string): boolean {
  // Offsets such as +02:00 know no summer time: nobody means them.
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/.test(zone)) {
    return false;
  }
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) {
      return false;
    }
    throw error;
  }
}

/** How the schedule stands at a moment. */
export interface AwakeState {
  awake: boolean;
  /** Since when; of what never changes, or did so long ago: more than a week before. */
  since: Instant;
  /** When that changes; null: not within a week. */
  until: Instant | null;
}

/** How the schedule stands at this moment. */
export function awakeState(schedule: AwakeSchedule, at: Instant): AwakeState {
  const spans = spansAround(schedule, at);
  const current = spans.find(({ from, to }) => from <= at && at < to);
  if (current !== undefined) {
    // The last of them may go on behind what was looked at.
    return { awake: true, since: current.from, until: current === spans.at(-1) ? null : current.to };
  }
  const before = spans.findLast(({ to }) => to <= at);
  const next = spans.find(({ from }) => from > at);
  return { awake: false, since: before?.to ?? at - 8 * dayMs, until: next?.from ?? null };
}

interface Span {
  from: Instant;
  to: Instant;
}

/** The spans of one day serve all moments of it: nothing is computed twice. */
const remembered = new WeakMap<AwakeSchedule, { day: number; spans: Span[] }>();
const daysAround = 9;

function spansAround(schedule: AwakeSchedule, at: Instant): Span[] {
  const day = Math.floor(at / dayMs);
  const known = remembered.get(schedule);
  if (known?.day === day) {
    return known.spans;
  }
  const clock = wallClock(schedule.zone);
  const found: Span[] = [];
  for (let date = day - daysAround; date <= day + daysAround; date += 1) {
    const weekday = new Date(date * dayMs).getUTCDay();
    for (const { days, opens, closes } of schedule.windows) {
      if (days.includes(weekday)) {
        const midnight = date * dayMs;
        const span = { from: clock(midnight + opens * minuteMs), to: clock(midnight + closes * minuteMs) };
        found.push(...(span.from < span.to ? [span] : []));
      }
    }
  }
  const spans = joined(found);
  remembered.set(schedule, { day, spans });
  return spans;
}

/** Those that touch or overlap are one. */
function joined(spans: Span[]): Span[] {
  const result: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last !== undefined && span.from <= last.to) {
      last.to = Math.max(last.to, span.to);
    } else {
      result.push({ ...span });
    }
  }
  return result;
}

/**
 * The moment at which a zone's clocks first show a time, given as if it were UTC. A time that a change of the clocks
 * leaves out is the moment of that change; of a time that they show twice it is the first.
 */
function wallClock(zone: string): (shown: Instant) => Instant {
  const offsetAt = offsetsOf(zone);
  return (shown) => {
    const [before, after] = [offsetAt(shown - dayMs), offsetAt(shown + dayMs)];
    const fitting = [shown - before, shown - after].filter((at) => at + offsetAt(at) === shown);
    if (fitting.length > 0) {
      return Math.min(...fitting);
    }
    let [low, high] = [shown - after, shown - before];
    while (high - low > minuteMs) {
      const middle = low + Math.floor((high - low) / 2 / minuteMs) * minuteMs;
      [low, high] = offsetAt(middle) === before ? [middle, high] : [low, middle];
    }
    return high;
  };
}

/** How far a zone's clocks are ahead of UTC at a moment, in milliseconds. */
function offsetsOf(zone: string): (at: Instant) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (at) => {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000;
  };
}

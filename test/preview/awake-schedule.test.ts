import { describe, expect, test } from 'vitest';
import { type AwakeSchedule, awakeState, parseAwakeSchedule } from '../../src/preview/awake-schedule.js';

function schedule(text: string): AwakeSchedule {
  const parsed = parseAwakeSchedule(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.schedule;
}

const at = (iso: string) => Date.parse(iso);

/** All changes between two times, minute by minute, without `until`. */
function changes(text: string, from: string, to: string): string[] {
  const hours = schedule(text);
  const found: string[] = [];
  let last = awakeState(hours, at(from)).awake;
  for (let now = at(from); now < at(to); now += 60_000) {
    const awake = awakeState(hours, now).awake;
    if (awake !== last) found.push(`${awake ? 'awake' : 'asleep'} ${new Date(now).toISOString().slice(0, 16)}`);
    last = awake;
  }
  return found;
}

describe('a week of office hours', () => {
  const hours = schedule('Mon-Fri 07:30-20:00 Europe/Berlin');

  test.each([
    ['2026-01-05T06:29:59Z', false],
    ['2026-01-05T06:30:00Z', true],
    ['2026-01-05T18:59:59Z', true],
    ['2026-01-05T19:00:00Z', false],
    ['2026-01-10T12:00:00Z', false],
    // The same hours by another offset.
    ['2026-07-06T05:30:00Z', true],
    ['2026-07-06T18:00:00Z', false],
  ])('%s: %s', (time, awake) => {
    expect(awakeState(hours, at(time)).awake).toBe(awake);
  });

  test('says since when and until when', () => {
    expect(awakeState(hours, at('2026-01-09T12:00:00Z'))).toEqual({
      awake: true,
      since: at('2026-01-09T06:30:00Z'),
      until: at('2026-01-09T19:00:00Z'),
    });
    expect(awakeState(hours, at('2026-01-10T12:00:00Z'))).toEqual({
      awake: false,
      since: at('2026-01-09T19:00:00Z'),
      until: at('2026-01-12T06:30:00Z'),
    });
  });

  test('is the same whatever was asked before', () => {
    const fresh = schedule('Mon-Fri 07:30-20:00 Europe/Berlin');
    expect(awakeState(fresh, at('2026-07-06T05:30:00Z')).awake).toBe(true);
    expect(awakeState(fresh, at('2026-01-05T06:29:00Z')).awake).toBe(false);
    expect(awakeState(fresh, at('2026-01-05T06:30:00Z')).awake).toBe(true);
  });
});

describe('when the clocks change', () => {
  test('in spring, an hour that is left out ends at its end', () => {
    expect(changes('Sun 02:30-05:00 Europe/Berlin', '2026-03-28T22:00Z', '2026-03-29T12:00Z')).toEqual([
      'awake 2026-03-29T01:00',
      'asleep 2026-03-29T03:00',
    ]);
    // What is all in it is none.
    expect(changes('Sun 02:15-02:45 Europe/Berlin', '2026-03-28T22:00Z', '2026-03-29T12:00Z')).toEqual([]);
  });

  test('in autumn, of an hour that comes twice the first counts', () => {
    expect(changes('Sun 01:00-02:30 Europe/Berlin', '2026-10-24T20:00Z', '2026-10-25T12:00Z')).toEqual([
      'awake 2026-10-24T23:00',
      'asleep 2026-10-25T00:30',
    ]);
    expect(changes('Sun 02:30-05:00 Europe/Berlin', '2026-10-24T20:00Z', '2026-10-25T12:00Z')).toEqual([
      'awake 2026-10-25T00:30',
      'asleep 2026-10-25T04:00',
    ]);
  });

  test('a day of work is as long as its hours, before and after', () => {
    expect(changes('Mon-Sun 07:30-20:00 America/New_York', '2026-03-07T06:00Z', '2026-03-09T06:00Z')).toEqual([
      'awake 2026-03-07T12:30',
      'asleep 2026-03-08T01:00',
      'awake 2026-03-08T11:30',
      'asleep 2026-03-09T00:00',
    ]);
  });

  test('half an hour is one, too', () => {
    expect(changes('Sun 02:15-04:00 Australia/Lord_Howe', '2026-10-03T12:00Z', '2026-10-04T12:00Z')).toEqual([
      'awake 2026-10-03T15:30',
      'asleep 2026-10-03T17:00',
    ]);
  });
});

describe('windows', () => {
  test('over midnight end on the day after', () => {
    expect(changes('Fri 22:00-02:00 UTC', '2026-01-08T00:00Z', '2026-01-12T00:00Z')).toEqual([
      'awake 2026-01-09T22:00',
      'asleep 2026-01-10T02:00',
    ]);
    expect(changes('Sat-Mon 22:00-02:00 UTC', '2026-01-09T00:00Z', '2026-01-14T00:00Z')).toHaveLength(6);
  });

  test('several, those that touch are one', () => {
    const text = 'Mon-Thu 08:00-18:00, Fri 08:00-12:00, Fri 12:00-14:00 UTC';
    expect(changes(text, '2026-01-08T12:00Z', '2026-01-10T00:00Z')).toEqual([
      'asleep 2026-01-08T18:00',
      'awake 2026-01-09T08:00',
      'asleep 2026-01-09T14:00',
    ]);
  });

  test('all the week change nothing', () => {
    const always = schedule('Mon-Sun 00:00-24:00 Europe/Berlin');
    expect(awakeState(always, at('2026-10-25T01:30:00Z'))).toMatchObject({ awake: true, until: null });
  });
});

describe('reading', () => {
  test.each([
    ['Mon-Fri 07:30-20:00 Europe/Atlantis', 'time zone `Europe/Atlantis`'],
    ['Mon-Fri 07:30-20:00 +02:00', 'time zone'],
    ['Mon-Fri 07:30-20:00', 'time zone'],
    ['', 'time zone'],
    ['Mon-Fri 7:30-20:00 UTC', 'no window `Mon-Fri 7:30-20:00`'],
    ['Mon-Fri 08:00-24:01 UTC', 'no window'],
    ['Mon-Fri 08:60-10:00 UTC', 'no window'],
    ['Mon-Fri 08:00-08:00 UTC', 'no window'],
    ['Mon-Fry 08:00-10:00 UTC', 'no window'],
    ['Mon 08:00-10:00, UTC', 'no window ``'],
  ])('%s is refused', (text, problem) => {
    expect(parseAwakeSchedule(text)).toMatchObject({ problem: expect.stringContaining(problem) });
  });

  test('does not care for case and blanks', () => {
    expect(schedule(' mon-FRI  07:30-20:00   Europe/Berlin ').windows).toEqual([
      { days: [1, 2, 3, 4, 5], opens: 450, closes: 1200 },
    ]);
    expect(schedule('Fri-Mon 20:00-07:00 UTC').windows).toEqual([{ days: [5, 6, 0, 1], opens: 1200, closes: 1860 }]);
  });
});

import { describe, expect, test } from 'vitest';
import { parseCommands } from '../../src/preview/command.js';

const hour = 3_600_000;
const stop = [{ kind: 'stop', ordinal: 0 }];

describe('what is a command', () => {
  test.each([
    ['/preview stop', stop],
    ['/preview   STOP  ', stop],
    ['/Preview stop', stop],
    ['text before\n/preview stop\ntext after', stop],
    ['windows\r\n/preview stop\r\n', stop],
    ['/preview', [{ kind: 'help', ordinal: 0 }]],
    ['/preview help', [{ kind: 'help', ordinal: 0 }]],
    ['/preview status', [{ kind: 'status', ordinal: 0 }]],
    ['/preview extend', [{ kind: 'extend', ordinal: 0, amountMs: null }]],
    ['/preview extend 30m', [{ kind: 'extend', ordinal: 0, amountMs: hour / 2 }]],
    ['/preview extend 2h', [{ kind: 'extend', ordinal: 0, amountMs: 2 * hour }]],
    ['/preview extend 2D', [{ kind: 'extend', ordinal: 0, amountMs: 48 * hour }]],
    ['/preview extend 1w', [{ kind: 'extend', ordinal: 0, amountMs: 168 * hour }]],
    ['/preview extend 14d', [{ kind: 'extend', ordinal: 0, amountMs: 336 * hour }]],
    ['/preview redeploy', [{ kind: 'redeploy', ordinal: 0 }]],
    ['/preview PIN', [{ kind: 'pin', ordinal: 0 }]],
    ['/preview unpin', [{ kind: 'unpin', ordinal: 0 }]],
    ['/preview sleep', [{ kind: 'sleep', ordinal: 0 }]],
    ['/preview wake', [{ kind: 'wake', ordinal: 0 }]],
    ['/preview approve', [{ kind: 'approve', ordinal: 0, sha: null }]],
    ['/preview approve 1A2B3C4D5E6F', [{ kind: 'approve', ordinal: 0, sha: '1a2b3c4d5e6f' }]],
    [`/preview approve ${'a'.repeat(64)}`, [{ kind: 'approve', ordinal: 0, sha: 'a'.repeat(64) }]],
    ['/preview set replicas=2', [{ kind: 'set', ordinal: 0, key: 'replicas', text: '2' }]],
    ['/preview SET greeting = Good day = yes ', [{ kind: 'set', ordinal: 0, key: 'greeting', text: 'Good day = yes' }]],
    ['/preview set greeting=', [{ kind: 'set', ordinal: 0, key: 'greeting', text: '' }]],
    ['/preview unset replicas', [{ kind: 'unset', ordinal: 0, key: 'replicas' }]],
    ['/preview stop\n/preview start', [stop[0], { kind: 'start', ordinal: 1 }]],
    ['`inline` code\n/preview stop', stop],
    ['<br>\n\n/preview stop', stop],
    ['<!-- a --> b\n/preview stop', stop],
    ['```\ncode\n```\n/preview stop', stop],
  ])('%j', (body, commands) => {
    expect(parseCommands(body)).toEqual(commands);
  });
});

describe('what is none', () => {
  test.each([
    [''],
    ['please /preview stop'],
    ['/previews stop'],
    ['/preview-stop'],
    [' /approve'],
    ['    /preview stop'],
    ['> /preview stop'],
    ['>>>\n/preview stop\n>>>'],
    ['```\n/preview stop\n```'],
    ['```sh\n/preview stop'],
    ['~~~\n```\n/preview stop\n~~~'],
    ['````\n```\n/preview stop\n````'],
    ['<!--\n/preview stop\n-->'],
    ['<!-- never closed\n/preview stop'],
    ['<details>\n\n/preview stop\n\n</details>'],
    ['<pre>\n/preview stop\n</pre>'],
    ['<div class="a">\n/preview stop'],
  ])('%j', (body) => {
    expect(parseCommands(body)).toEqual([]);
  });
});

describe('what its author is told', () => {
  test.each([
    ['/preview explode', '`/preview explode` is not a command'],
    ['/preview extend soon', '`soon` is not a duration'],
    ['/preview extend 0d', '`0d` is not a duration'],
    ['/preview extend -2d', '`-2d` is not a duration'],
    ['/preview extend 2d 3d', '`2d 3d` is not a duration'],
    ['/preview extend 366d', 'more than 365 days'],
    ['/preview extend 8761h', 'more than 365 days'],
    ['/preview stop now', 'takes nothing after it'],
    ['/preview redeploy now', 'takes nothing after it'],
    ['/preview approve 1a2b3c4d5e6', 'at least 12 hexadecimal digits'],
    ['/preview approve master', 'at least 12 hexadecimal digits'],
    [`/preview approve ${'a'.repeat(65)}`, 'at least 12 hexadecimal digits'],
    ['/preview approve 1a2b3c4d 5e6f7a8b', 'at least 12 hexadecimal digits'],
    ['/preview set', 'such as `/preview set replicas=2`'],
    ['/preview set replicas', 'such as `/preview set replicas=2`'],
    ['/preview set =2', 'such as `/preview set replicas=2`'],
    ['/preview set a b=2', 'such as `/preview set replicas=2`'],
    ['/preview set __`x`=2', '`__?x??2`'],
    ['/preview unset', 'not one key'],
    ['/preview unset a b', 'not one key'],
    ['/preview `x`<b>@all', '`/preview ?x??b??all`'],
  ])('%s', (body, words) => {
    const [command] = parseCommands(body);
    expect(command?.kind === 'invalid' ? command.problem : command).toContain(words);
  });

  // Quadratic work would take minutes here, past the time limit of the test.
  test('a comment of a megabyte costs what its length costs', () => {
    expect(parseCommands('<a\n\n'.repeat(250_000))).toEqual([]);
    expect(parseCommands('/preview stop\n'.repeat(70_000))).toHaveLength(21);
  });

  test('what goes beyond the twentieth command', () => {
    const twenty = Array.from({ length: 20 }, (_, ordinal) => ({ kind: 'pin', ordinal }));
    expect(parseCommands('/preview pin\n'.repeat(20))).toEqual(twenty);
    const problem = expect.stringContaining('may hold 20 commands');
    expect(parseCommands('/preview pin\n'.repeat(22))).toEqual([...twenty, { kind: 'invalid', ordinal: 20, problem }]);
  });
});

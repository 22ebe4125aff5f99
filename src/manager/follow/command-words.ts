/** GitLab's roles by their access levels, the least first. */
const roles: readonly (readonly [number, string])[] = [
  [10, 'Guest'],
  [15, 'Planner'],
  [20, 'Reporter'],
  [30, 'Developer'],
  [40, 'Maintainer'],
  [50, 'Owner'],
];

/** Name of the least role that has an access level. */
export function roleName(level: number): string {
  return roles.find(([access]) => access >= level)?.[1] ?? 'Owner';
}

const commandForms: readonly (readonly [kind: string, form: string])[] = [
  ['status', 'status'],
  ['start', 'start'],
  ['stop', 'stop'],
  ['redeploy', 'redeploy'],
  ['extend', 'extend 2d'],
  ['pin', 'pin'],
  ['unpin', 'unpin'],
  ['sleep', 'sleep'],
  ['wake', 'wake'],
  ['approve', 'approve SHA'],
  ['set', 'set KEY=VALUE'],
  ['unset', 'unset KEY'],
];

/** `/preview help`, as a line of the note. `settable`: the keys that can be set here. */
export function helpLine(level: number, settable: readonly string[]): string {
  const canSet = settable.length > 0;
  const shown = commandForms.filter(([kind]) => canSet || (kind !== 'set' && kind !== 'unset'));
  const keys = canSet ? ` KEY is ${settable.map((key) => `\`${key}\``).join(' or ')}.` : '';
  const forms = shown.map(([, form]) => `\`${form}\``).join(', ');
  return `Commands, each on a line of its own after \`/preview\`: ${forms}.${keys} They are for members with the role ${roleName(level)} or above.`;
}

/** What a person may order of a preview. */
const wishKinds = [
  'start',
  'stop',
  'redeploy',
  'extend',
  'pin',
  'unpin',
  'sleep',
  'wake',
  'approve',
  'set',
  'unset',
] as const;

export type WishKind = (typeof wishKinds)[number];

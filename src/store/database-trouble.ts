/** What PostgreSQL's codes mean for whoever runs it; texts of its errors may hold addresses and names. */
const wordsByCode: Readonly<Record<string, string>> = {
  '28000': 'PostgreSQL refuses the user of `database`. Correct it, or let it in (pg_hba.conf).',
  '28P01': 'PostgreSQL refuses the user or the password of `database`. Correct them.',
  '3D000': 'PostgreSQL does not have the database that `database` names. Create it, or correct the name.',
  '53300': 'PostgreSQL takes no more connections. Raise `max_connections`, or end what holds them.',
  '57P01': 'PostgreSQL is shutting down. Mayfly goes on by itself once it is back.',
  '57P03': 'PostgreSQL is starting or recovering. Mayfly goes on by itself once it answers.',
};

const away =
  'PostgreSQL cannot be reached or does not answer. Check that it runs and that `database` names it; Mayfly goes on by itself once it answers.';

/** What is wrong with the database and what to do, without an address or a secret. undefined: it did not answer in time. */
export function databaseTrouble(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  return wordsByCode[code] ?? away;
}

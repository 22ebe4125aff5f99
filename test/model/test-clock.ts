import pg from 'pg';

/** A day at 06:00 UTC, later than the machine's own: times that PostgreSQL takes from that clock have all come. */
const startsAt = Date.UTC(2030, 0, 1, 6);

/**
 * Functions that stand before PostgreSQL's own on the search path: time is what a sequence says. Each look at the
 * running clock takes a millisecond, so that nothing happens twice at the same time; a transaction has one time.
 */
const clockSql = `
create schema test_clock;
create sequence test_clock.tick start ${startsAt};
create function test_clock.at(ms bigint) returns timestamptz language sql immutable
  as $$ select pg_catalog.to_timestamp(0) + ms * interval '1 ms' $$;
create function test_clock.now() returns timestamptz language sql stable
  as $$ select test_clock.at((select last_value from test_clock.tick)) $$;
create function test_clock.clock_timestamp() returns timestamptz language sql volatile
  as $$ select test_clock.at(nextval('test_clock.tick')) $$;
do $$ begin
  execute format('alter database %I set search_path = test_clock, public, pg_catalog', current_database());
end $$;
set search_path = test_clock, public, pg_catalog;
do $$ declare c record; begin
  for c in select table_name, column_name from information_schema.columns
    where table_schema = 'public' and column_default = 'pg_catalog.now()' or column_default = 'now()'
  loop
    execute format('alter table %I alter column %I set default now()', c.table_name, c.column_name);
  end loop;
end $$;
`;

/** Puts a clock of its own into a database that nobody uses yet; later connections have it. */
export async function installTestClock(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('set search_path = public, pg_catalog');
    await client.query(clockSql);
  } finally {
    await client.end();
  }
}

/** The time now, in milliseconds; a millisecond passes. */
export async function readClock(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ now: number }>("select nextval('test_clock.tick')::float8 as now");
  return rows[0]?.now ?? Number.NaN;
}

export async function advanceClock(pool: pg.Pool, ms: number): Promise<void> {
  await pool.query("select setval('test_clock.tick', (select last_value from test_clock.tick) + $1::bigint)", [ms]);
}

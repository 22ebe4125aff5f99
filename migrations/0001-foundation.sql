-- Mayfly's tables. Append only: what has landed here is never edited, a later file changes it.

-- One row: who this installation is, and how far it has written the branch.
create table installation (
  singleton boolean primary key default true check (singleton),
  -- null: this database belongs to no installation yet, and the branch that it was shown belongs to one.
  id uuid,
  generation bigint not null default 0,
  -- The commit of the branch that was last read back; null before the first.
  branch_head text,
  -- Why nothing may be written (rewritten branch, missing installation id, …); null: writing is allowed.
  blocked_reason text,
  -- What a person should know of the branch though writing goes on, such as a rewritten history, and since when.
  notice text,
  notice_at timestamptz,
  created_at timestamptz not null default now()
);

-- What GitLab delivered, reduced to facts; kept 7 days.
create table delivery (
  id bigint generated always as identity primary key,
  -- Idempotency-Key or webhook-id; null from a GitLab that sends neither.
  key text unique,
  event text not null,
  project_id bigint,
  facts jsonb not null,
  received_at timestamptz not null default now()
);
create index on delivery (received_at);

-- The newest known state of each merge request that was ever looked at.
create table merge_request (
  project_id bigint not null,
  iid integer not null,
  -- MergeRequestFacts; null until the API was read.
  facts jsonb,
  updated_at timestamptz,
  -- When the read that `facts` comes from began: the fence against an older answer that arrives late.
  read_started_at timestamptz,
  -- Something may have changed since; null: nothing is known to have.
  asked_at timestamptz,
  unknown_since timestamptz,
  -- When the API was last asked, whatever it said.
  tried_at timestamptz,
  -- Id of the newest note that was looked at for commands.
  notes_seen bigint not null default 0,
  -- Ids of notes that a webhook named and that were not looked at yet.
  notes_hinted bigint[] not null default '{}',
  primary key (project_id, iid)
);
-- A branch pipeline names no merge request: it is found by its commit.
create index merge_request_head on merge_request (project_id, (facts ->> 'sha'));

-- What is answered to a comment with commands: an emoji on it, and a line in Mayfly's note.
create table note_answer (
  note_id bigint primary key,
  project_id bigint not null,
  iid integer not null,
  emoji text not null check (emoji in ('thumbsup', 'thumbsdown')),
  -- One sentence; null: the emoji says it all.
  line text,
  by_name text not null,
  -- GitLab's time of the comment.
  at timestamptz not null,
  -- When the emoji was there; null: it is still to be put.
  answered_at timestamptz
);
create index on note_answer (project_id, iid, at);
create index note_answer_open on note_answer (project_id, iid) where answered_at is null;
create index merge_request_asked on merge_request (asked_at) where asked_at is not null;

-- Verified orders of people: commands in comments, operators, changes in the branch.
create table wish (
  id bigint generated always as identity primary key,
  subject text not null,
  kind text not null check (kind in ('start', 'stop', 'extend')),
  source text not null check (source in ('command', 'operator', 'git')),
  amount_ms bigint,
  at timestamptz not null,
  by_name text not null,
  note_id bigint,
  -- Position of the command in its note.
  ordinal integer not null default 0,
  unique (note_id, ordinal)
);
create index on wish (subject, at);

-- One incarnation of one preview. Written by decide; some columns by commit, named below.
create table preview (
  slug text not null,
  incarnation integer not null check (incarnation > 0),
  subject text not null,
  project text not null,
  cluster text not null,
  namespace text not null,
  url text,
  phase text not null check (phase in ('waiting', 'deploying', 'ready', 'failed', 'asleep', 'stopping', 'stopped')),
  waiting_for text,
  waiting_since timestamptz,
  cause text,
  message text,
  wanted_revision text,
  deployed_revision text,
  version bigint not null default 1,
  edited text check (edited in ('edited', 'refused')),
  held_stop jsonb,
  unknown_since timestamptz,
  last_activity_at timestamptz not null,
  expires_at timestamptz not null,
  created_at timestamptz not null,
  deploying_since timestamptz,
  ready_at timestamptz,
  stopped_at timestamptz,
  stop_reason text,
  stopped_by text,
  -- When it first held a slot, and when a stop of what held one was decided, by PostgreSQL's clock: the breaker counts
  -- with them. Null while it never did, was not stopped, or its stop was undone.
  lived_since timestamptz,
  stop_decided_at timestamptz,
  -- When the sweep last asked for a decision, so that it does not ask at each turn.
  checked_at timestamptz,
  -- The file may differ from the row: set by decide and by the template sweep, cleared by commit.
  needs_commit boolean not null default false,
  -- Set by commit: the blob that was last written, and when it was seen at the Git server.
  committed_blob text,
  committed_at timestamptz,
  -- Generation and commit of that write, or of the removal.
  committed_generation bigint,
  committed_commit text,
  -- The blob of a person's edit that was read back; null when the file is as it was written.
  edited_blob text,
  -- A removal is not pushed before this time: a file that came back, or a push that was refused, is looked at first.
  commit_after timestamptz,
  primary key (slug, incarnation)
);
create unique index preview_one_per_slug on preview (slug) where phase <> 'stopped';
create unique index preview_one_per_subject on preview (subject) where phase <> 'stopped';
create index preview_subject on preview (subject, created_at);
create index preview_to_commit on preview (slug) where needs_commit;
create index preview_to_expire on preview (expires_at) where phase not in ('stopping', 'stopped');
-- Who holds a slot or stands in a line, by project.
create index preview_occupancy on preview (project, phase, waiting_for, waiting_since, slug) where phase <> 'stopped';
create index preview_deploying on preview (deploying_since) where phase = 'deploying';
create index preview_waiting on preview (waiting_since) where phase = 'waiting';
create index preview_stop_decided on preview (stop_decided_at) where stop_decided_at is not null;
create index preview_stopped on preview (stopped_at) where phase in ('stopping', 'stopped');
create index preview_held on preview (slug) where held_stop is not null;

create table preview_member (
  slug text not null,
  incarnation integer not null,
  ordinal integer not null,
  project_id bigint not null,
  iid integer,
  wanted_sha text,
  deployed_sha text,
  -- NextSha
  next jsonb,
  primary key (slug, incarnation, ordinal),
  foreign key (slug, incarnation) references preview on delete cascade
);
create index on preview_member (project_id, iid);
create index preview_member_next on preview_member (project_id, (next ->> 'sha')) where next is not null;
create index on preview_member (slug, incarnation) where next is not null;

-- The highest incarnation that each slug ever had. It outlives the rows: agents apply nothing at or below what they
-- tore down, so that a number must never come back.
create table slug (
  slug text primary key,
  last_incarnation integer not null
);

-- History: who, what, why, from, to. Kept 180 days.
create table preview_event (
  id bigint generated always as identity primary key,
  slug text not null,
  incarnation integer not null,
  at timestamptz not null default now(),
  kind text not null,
  from_phase text,
  to_phase text,
  actor text,
  detail text
);
create index on preview_event (slug, incarnation, id);
create index on preview_event (at);

-- What the branch writer was about to push: a blob (or an absence) found here is ours, whatever a crash left unsaved.
create table branch_write (
  slug text not null,
  incarnation integer not null,
  blob text,
  generation bigint not null,
  written_at timestamptz not null default now()
);
create index on branch_write (slug, incarnation);
create index on branch_write (written_at);

-- Heads of the branch, each with the generation that it holds: an agent at such a commit has seen all removals up to it.
create table branch_commit (
  commit text primary key,
  generation bigint not null,
  seen_at timestamptz not null default now()
);
create index on branch_commit (seen_at);

-- Files in the branch that Mayfly did not write: left alone and listed.
create table foreign_file (
  slug text primary key,
  blob text not null,
  seen_at timestamptz not null default now()
);

-- Once a gate was open for a sha, it stays open for that sha.
create table gate_verdict (
  project_id bigint not null,
  sha text not null,
  gate text not null,
  opened_at timestamptz not null default now(),
  primary key (project_id, sha, gate)
);

-- The newest thing that an agent said of an incarnation.
create table observation (
  slug text not null,
  incarnation integer not null,
  cluster text not null,
  revision text,
  branch_commit text not null,
  start_number bigint not null,
  counter bigint not null,
  state text not null,
  objects jsonb not null,
  diagnosis jsonb,
  observed_at timestamptz not null default now(),
  primary key (slug, incarnation)
);

-- What feedback last wrote to GitLab, one row a projection.
create table projection (
  kind text not null,
  project_id bigint not null,
  iid integer not null,
  -- Hash of what was last written; null before the first.
  written_hash text,
  -- GitLab's id of what was written: the note's.
  external_id bigint,
  -- A creation was sent and its answer is not known yet: look for it before creating again.
  creating_since timestamptz,
  detail jsonb,
  primary key (kind, project_id, iid)
);
create index projection_status on projection (project_id, (detail ->> 'sha')) where kind = 'status';

-- How far the catch-up has read each project.
create table follow_cursor (
  project_id bigint primary key,
  -- As the configuration writes it, and the repository's address as GitLab last gave it.
  path text not null,
  clone_url text,
  listed_at timestamptz,
  updated_after timestamptz
);

create table agent (
  name text primary key,
  last_seen_at timestamptz not null default now(),
  branch_commit text,
  living jsonb not null default '[]',
  orphans jsonb not null default '[]',
  breaker jsonb not null default '{}'
);

-- Orders of people to agents, repeated until they are acknowledged.
create table agent_order (
  id bigint generated always as identity primary key,
  cluster text not null,
  kind text not null check (kind in ('pause', 'resume', 'unblock', 'remove-orphan', 'accept')),
  slug text,
  incarnation integer,
  by_name text not null,
  reason text,
  created_at timestamptz not null default now(),
  acknowledged_at timestamptz
);
create index on agent_order (cluster) where acknowledged_at is null;
-- Accepted deletions: what `explain` answers with 'accepted by NAME', and what lets a held stop go.
create index on agent_order (slug, incarnation) where kind = 'accept';

-- Puts jobs into the queue: [{task, key, payload, priority, run_at}]. A key that waits already is moved
-- to the new time; one that runs gets one more run. graphile_worker.add_jobs drops a job whose namesake is picked up
-- at that very moment: it is added again, so that no hint is lost. Sorted, so that two callers lock in one order.
create function enqueue_jobs(jobs json) returns void language plpgsql as $$
begin
  while jobs is not null loop
    with spec as (
      select distinct on (j.key) j.*
      from json_to_recordset(jobs)
        as j(task text, key text, payload json, priority smallint, run_at timestamptz)
      order by j.key
    ), added as (
      select a.key from graphile_worker.add_jobs(array(
        select row(s.task, s.payload, null, s.run_at, null, s.key, s.priority, null)::graphile_worker.job_spec
        from spec s order by s.key
      )) a
    )
    select json_agg(s) into jobs from spec s where not exists (select from added a where a.key = s.key);
  end loop;
end $$;

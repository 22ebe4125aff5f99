-- Mayfly's tables. Append only: what has landed here is never edited, a later file changes it.

-- One row: who this installation is, and how far it has written the branch.
create table installation (
  singleton boolean primary key default true check (singleton),
  id uuid not null,
  generation bigint not null default 0,
  -- The commit of the branch that was last read back; null before the first.
  branch_head text,
  -- Why nothing may be written (rewritten branch, missing installation id, …); null: writing is allowed.
  blocked_reason text,
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
  -- Id of the newest note that was looked at for commands.
  notes_seen bigint not null default 0,
  primary key (project_id, iid)
);

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
  -- The file may differ from the row: set by decide and by the template sweep, cleared by commit.
  needs_commit boolean not null default false,
  -- Set by commit: the blob that was last written, and when it was seen at the Git server.
  committed_blob text,
  committed_at timestamptz,
  primary key (slug, incarnation)
);
create unique index preview_one_per_slug on preview (slug) where phase <> 'stopped';
create unique index preview_one_per_subject on preview (subject) where phase <> 'stopped';
create index preview_subject on preview (subject, incarnation);
create index preview_to_commit on preview (slug) where needs_commit;
create index preview_to_expire on preview (expires_at) where phase not in ('stopping', 'stopped');
create index preview_slots on preview (project) where phase in ('deploying', 'ready', 'failed', 'asleep', 'stopping');
create index preview_line on preview (project, waiting_since) where phase = 'waiting' and waiting_for = 'slot';
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

-- How far the catch-up has read each project.
create table follow_cursor (
  project_id bigint primary key,
  path text not null,
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

-- Images that shas wait for, each until it was found; see `gate_verdict` for those that were.
create table image_look (
  project_id bigint not null,
  sha text not null,
  image text not null,
  -- The registry; with its port.
  host text not null,
  -- How often it was looked for since something last happened to the sha, and when next.
  looks integer not null default 0,
  due_at timestamptz not null default now(),
  looked_at timestamptz,
  -- It will not be found until somebody acts.
  failed boolean not null default false,
  -- What the last look said; null: nobody has looked yet.
  detail text,
  awaited_since timestamptz not null default now(),
  primary key (project_id, sha, image)
);
create index on image_look (host, due_at);

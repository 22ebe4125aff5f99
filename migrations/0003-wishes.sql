-- Orders of every kind, and what comes of them.

alter table wish drop constraint wish_kind_check;
alter table wish add constraint wish_kind_check check (kind in (
  'start', 'stop', 'redeploy', 'extend', 'pin', 'unpin', 'sleep', 'wake', 'approve', 'set', 'unset'));

-- What the order is about: {sha} of an approval, {key, value} and {key} of a value; null for the others.
alter table wish add column detail jsonb;

-- How many commands the comment held, for the limit of commands in a while. A comment over the limit is recorded with
-- none, and its emoji is not owed.
alter table note_answer add column commands smallint not null default 1;

-- The values that people set for this preview, by key.
alter table preview add column set_values jsonb not null default '{}';
-- Time of the newest order to redeploy that was carried out, by the clock of the order; null: none.
alter table preview add column redeployed_at timestamptz;
-- The order that the file now to be written rests on: {kind, by}; null: none, such as a push.
alter table preview add column ordered jsonb;
-- One sentence on why it was stopped, such as the filter that refused it; null: the reason says it all.
alter table preview add column stop_detail text;

-- How long previews live, what is told of their end, and how the lines for a slot are shown.

-- Who pinned it, so that it does not expire; null: nobody.
alter table preview add column pinned_by text;
-- When its author is to be warned of its end; null: was warned already, or is not to be.
alter table preview add column warn_at timestamptz;
-- When it was decided to warn of the end at `warned_for`; both null: of none.
alter table preview add column warned_at timestamptz;
alter table preview add column warned_for timestamptz;

create index preview_to_warn on preview (warn_at) where warn_at is not null;
create index preview_warned on preview (warned_at) where warned_at is not null;
-- The lines for a slot.
create index preview_line on preview (waiting_since, slug) where phase = 'waiting' and waiting_for = 'slot';

-- Sleep and wake.

-- The file is to declare the preview asleep.
alter table preview add column want_asleep boolean not null default false;
-- Why it sleeps, or why it woke while its file is still to be written; null: neither.
alter table preview add column sleep_cause text check (sleep_cause in ('order', 'idle', 'activity', 'schedule'));
-- Time of the newest order to sleep or to wake that was carried out, by the clock of the order; null: none.
alter table preview add column sleep_ordered_at timestamptz;
-- When its newest sha began to be deployed: idleness counts from it at the earliest.
alter table preview add column sha_since timestamptz;
-- When the clock may make it fall asleep or wake; null: it does neither.
alter table preview add column sleep_due_at timestamptz;
-- When somebody last asked for it on the page that wakes it; null: nobody did.
alter table preview add column visited_at timestamptz;

create index preview_sleep_due on preview (sleep_due_at) where sleep_due_at is not null;

-- What the file of a preview was last made with: a hash of its template and of all that the configuration says of such
-- files. null: not known. The sweep renders again what was made with something else.
alter table preview add column rendered_with text;
-- Why the present template gives no file for it, though an earlier file stays deployed; null: it does.
alter table preview add column template_problem text;
-- Set by the sweep, cleared when that rendering has come to its end: so many are under way at once.
alter table preview add column swept_at timestamptz;

create index preview_to_sweep on preview (project, rendered_with)
  where phase in ('deploying', 'ready', 'failed', 'asleep');
create index preview_swept on preview (swept_at) where swept_at is not null;

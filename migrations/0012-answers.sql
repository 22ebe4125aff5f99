-- Whether the author of the comment had the role that commands need: whoever has not never takes the place of what a
-- member is told.
alter table note_answer add column permitted boolean not null default true;
update note_answer set permitted = false where line like 'Commands are for members of this project with the role %';

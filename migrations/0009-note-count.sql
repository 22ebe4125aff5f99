-- Comments of people, and of Mayfly, that the last listing counted; null: none did yet.
alter table merge_request add column note_count integer;

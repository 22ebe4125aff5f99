-- How many slots each project holds: counted as they are taken and freed, so that who needs one need not count them.
-- Slots change hands under the locks of the slots, in whose order the rows here are locked as well.
create table slot_use (
  project text primary key,
  used integer not null
);
insert into slot_use (project, used)
select project, count(*) from preview where phase not in ('waiting', 'stopped') group by project;

create function count_slot() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' and old.phase not in ('waiting', 'stopped') then
    update slot_use set used = used - 1 where project = old.project;
  end if;
  if tg_op <> 'DELETE' and new.phase not in ('waiting', 'stopped') then
    insert into slot_use as s (project, used) values (new.project, 1)
    on conflict (project) do update set used = s.used + 1;
  end if;
  return null;
end $$;

create trigger preview_slot_taken after insert on preview for each row
  when (new.phase not in ('waiting', 'stopped')) execute function count_slot();
create trigger preview_slot_freed after delete on preview for each row
  when (old.phase not in ('waiting', 'stopped')) execute function count_slot();
create trigger preview_slot_moved after update on preview for each row
  when (old.project <> new.project
    or (old.phase in ('waiting', 'stopped')) <> (new.phase in ('waiting', 'stopped'))) execute function count_slot();

create function free_all_slots() returns trigger language plpgsql as $$
begin
  delete from slot_use;
  return null;
end $$;
create trigger preview_slots_emptied after truncate on preview for each statement execute function free_all_slots();

-- The commit that a member of a linked preview runs is what somebody pushed to a fork.
alter table preview_member add column fork boolean not null default false;

-- Linked previews: one of several projects' merge requests on one branch.

-- Of a baseline member: the target branch that its shas are of; null of a merge request.
alter table preview_member add column branch text;

-- The merge requests of a branch.
create index merge_request_branch on merge_request (project_id, (facts ->> 'sourceBranch'));

"""Drives the stand-in with python-gitlab as it comes; argv: address, token. Prints one JSON object of what it saw."""

import json
import sys

import gitlab

url, token = sys.argv[1:3]
gl = gitlab.Gitlab(url, private_token=token)
gl.auth()
seen = {"user": gl.user.username, "version": gl.version()[0]}

project = gl.projects.get("acme/shop")
seen["project"] = project.path_with_namespace
project.branches.create({"branch": "feature/one", "ref": "main"})
commit = project.commits.create(
    {
        "branch": "feature/one",
        "commit_message": "Change the greeting\n\nfor everyone",
        "actions": [
            {"action": "update", "file_path": "greeting.txt", "content": "hello\n"},
            {"action": "create", "file_path": "deploy/new.yml", "content": "a: 1\n"},
            {"action": "move", "file_path": "docs/guide.md", "previous_path": "guide.md"},
        ],
    }
)
seen["commit"] = {"id": commit.id, "title": commit.title, "parents": len(commit.parent_ids)}
seen["file"] = project.files.get("greeting.txt", ref="feature/one").decode().decode()
seen["tree"] = [entry["path"] for entry in project.repository_tree(ref="feature/one", recursive=True, get_all=True)]

mr = project.mergerequests.create(
    {"source_branch": "feature/one", "target_branch": "main", "title": "One", "labels": ["api"]}
)
seen["opened"] = {"iid": mr.iid, "state": mr.state, "sha": mr.sha, "labels": mr.labels}
note = mr.notes.create({"body": "hello"})
note.awardemojis.create({"name": "thumbsup"})
note.body = "edited"
note.save()
seen["notes"] = [one.body for one in mr.notes.list(get_all=True) if not one.system]
seen["emoji"] = [one.name for one in mr.notes.get(note.id).awardemojis.list(get_all=True)]
discussion = mr.discussions.create({"body": "a thread"})
discussion.notes.create({"body": "an answer"})
seen["discussion"] = [one["body"] for one in mr.discussions.get(discussion.id).attributes["notes"]]
project.commits.get(mr.sha).statuses.create({"state": "success", "name": "mayfly/preview"})
seen["statuses"] = [one.name for one in project.commits.get(mr.sha).statuses.list(get_all=True)]
seen["pipelines"] = [one.status for one in mr.pipelines.list(get_all=True)]
environment = project.environments.create({"name": "preview/shop-1", "external_url": "http://127.0.0.1/"})
project.deployments.create(
    {"environment": "preview/shop-1", "sha": mr.sha, "ref": mr.source_branch, "tag": False, "status": "success"}
)
try:
    environment.delete()
    seen["delete"] = "done"
except gitlab.exceptions.GitlabDeleteError as error:
    seen["delete"] = error.response_code
environment.stop()
environment.delete()
hook = project.hooks.create({"url": "http://127.0.0.1:1/", "merge_requests_events": True, "token": "secret"})
seen["hooks"] = [(one.url, one.merge_requests_events) for one in project.hooks.list(get_all=True)]
hook.delete()
mr.merge()
mr = project.mergerequests.get(mr.iid)
seen["merged"] = {"state": mr.state, "commit": mr.merge_commit_sha is not None}
seen["main"] = project.files.get("greeting.txt", ref="main").decode().decode()

project.files.create(
    {"file_path": "b.txt", "branch": "two", "start_branch": "main", "content": "b", "commit_message": "b"}
)
second = project.mergerequests.create({"source_branch": "two", "target_branch": "main", "title": "Two"})
second.state_event = "close"
second.save()
seen["closed"] = project.mergerequests.get(second.iid).state
second.state_event = "reopen"
second.save()
second.title = "Draft: Two"
second.save()
seen["reopened"] = {"state": second.state, "draft": second.draft}
seen["events"] = [one.state for one in second.resourcestateevents.list(get_all=True)]

for number in range(45):
    second.notes.create({"body": f"note {number}"})
seen["paged"] = len([one for one in second.notes.list(iterator=True, per_page=20) if not one.system])
try:
    gl.projects.get("acme/none")
except gitlab.exceptions.GitlabGetError as error:
    seen["missing"] = [error.response_code, error.error_message]
print(json.dumps(seen))

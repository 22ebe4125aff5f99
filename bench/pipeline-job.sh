#!/bin/sh
# The pipeline job that teams write by hand today: clone the branch, fill a template in, commit, push, and when another job
# was quicker, begin again. Arguments: repository URL, branch, slug, sha. Ends 0 when the branch has the file.
set -eu
repository=$1 branch=$2 slug=$3 sha=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tries=0
while :; do
  rm -rf "$work/clone"
  git clone -q --depth 1 --branch "$branch" "$repository" "$work/clone"
  cd "$work/clone"
  mkdir -p apps
  sed -e "s/@SLUG@/$slug/g" -e "s/@SHA@/$sha/g" >"apps/$slug.yml" <<'EOF'
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: @SLUG@
spec:
  project: default
  destination:
    name: default
    namespace: preview-@SLUG@
  source:
    repoURL: https://gitlab.example.com/acme/shop.git
    targetRevision: @SHA@
    path: deploy/preview
EOF
  git add apps
  git -c user.name=ci -c user.email=ci@example.com commit -q -m "deploy $slug"
  if git push -q origin "HEAD:$branch" 2>/dev/null; then exit 0; fi
  cd /
  tries=$((tries + 1))
  [ "$tries" -lt 200 ] || exit 1
done

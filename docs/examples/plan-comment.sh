#!/bin/sh
# Plans, and keeps one comment of a pull request up to date with the plan. Needs hwplan, curl and jq.
#
#   GITHUB_TOKEN=… plan-comment.sh OWNER/REPO NUMBER [selecting words of hwplan plan …]
#   GITHUB_TOKEN=… plan-comment.sh acme/lab 17 --node D601 --lane v03 --live snapshot.json
#
# GITHUB_API_URL   the API, for GitHub Enterprise (default https://api.github.com)
# COMMENT_AUTHOR   whose comments may be replaced (default github-actions[bot])
# PLAN_FOLDER      where plan.json, plan.md and plan.html are left (default .)
#
# The comment is found by the marker in the first line of the Markdown page, which names product, node and lane: two
# lanes keep two comments. A comment of somebody else with that marker in it is left alone.
set -eu

repository=$1 number=$2
shift 2
api=${GITHUB_API_URL:-https://api.github.com}
author=${COMMENT_AUTHOR:-github-actions[bot]}
folder=${PLAN_FOLDER:-.}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 077
# The token stands in a file of this job, never among the arguments of a process.
printf 'header = "Authorization: Bearer %s"\nheader = "Accept: application/vnd.github+json"\n' \
    "${GITHUB_TOKEN:?a token that may write comments}" >"$work/curl"

ask() { # METHOD PATH [BODY-FILE]
    curl --silent --show-error --fail-with-body --max-time 60 --retry 3 --config "$work/curl" \
        --request "$1" ${3:+--header 'Content-Type: application/json' --data-binary "@$3"} "$api$2"
}

# A plan with blocked parts exits 1, and is shown all the same; without a plan there is nothing to show.
status=0
rm -f "$folder/plan.json"
hwplan plan "$@" --out "$folder/plan.json" --format html >"$folder/plan.html" || status=$?
[ -s "$folder/plan.json" ] || exit "$status"
hwplan show "$folder/plan.json" --format markdown >"$folder/plan.md"
marker=$(head -n 1 "$folder/plan.md")
jq --null-input --rawfile body "$folder/plan.md" '{$body}' >"$work/body.json"

# Pages of a hundred, until one is not full.
found='' page=1
while [ -z "$found" ]; do
    ask GET "/repos/$repository/issues/$number/comments?per_page=100&page=$page" >"$work/comments.json"
    found=$(jq --raw-output --arg marker "$marker" --arg author "$author" \
        'map(select(.user.login == $author and (.body | startswith($marker)))) | first | .id // empty' \
        "$work/comments.json")
    [ "$(jq length "$work/comments.json")" -eq 100 ] || break
    page=$((page + 1))
done

if [ -n "$found" ]; then
    ask PATCH "/repos/$repository/issues/comments/$found" "$work/body.json" >"$work/answer.json"
else
    ask POST "/repos/$repository/issues/$number/comments" "$work/body.json" >"$work/answer.json"
fi
jq --raw-output '.html_url' "$work/answer.json"
exit "$status"

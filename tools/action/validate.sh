#!/usr/bin/env bash
# What action.yml runs: validate, annotate, write SARIF, and put a summary on the job's page.
# Takes PATHS, OPTIONS (words, quoted as in a shell), SARIF (a file) and PYTHON (the private environment's).
set -euo pipefail

# A word a line would lose line breaks, and a shell would obey more than quotes.
words() {
  "$PYTHON" -c 'import os, shlex, sys
sys.stdout.writelines(f"{word}\0" for word in shlex.split(os.environ[sys.argv[1]]))' "$1"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
words OPTIONS >"$work/words"
words PATHS >>"$work/words"
arguments=()
while IFS= read -r -d '' word; do
  arguments+=("$word")
done <"$work/words"

rm -f -- "$SARIF"
code=0
"$PYTHON" -m vllm_kustomize validate --format github --format "sarif=$SARIF" \
  --format "text=$work/report" --format "concise=$work/findings" ${arguments[@]+"${arguments[@]}"} || code=$?

if [ -f "$SARIF" ]; then
  echo "sarif=true" >>"$GITHUB_OUTPUT"
fi
if [ -f "$work/report" ]; then
  {
    echo "### Kustomize overlays"
    echo
    tail -n 1 "$work/report"
    echo
    head -n 200 "$work/findings" | cut -c 1-500 | sed 's/^/    /' # indented, no line can end the block
  } >>"$GITHUB_STEP_SUMMARY"
fi
exit "$code"

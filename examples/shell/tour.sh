#!/usr/bin/env bash
# kvd from a shell, with `buf curl`, which learns the contract from the server itself.
#
# Puts, gets, decides in a transaction, sends a batch, watches, and reads an error's reason. Tells
# what it does, and ends with 1 when something is not as it should be. See README.md beside it.
set -euo pipefail
address=${1:-127.0.0.1:7856}
prefix=tour:shell:
cd "$(dirname "$0")/../.."
PATH=$PWD/node_modules/.bin:$PATH
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# One call: its name, and the request as JSON. Bytes are base64 there, 64-bit numbers are texts.
call() {
  buf curl --protocol grpc --http2-prior-knowledge -d "$2" "http://$address/kvd.v1.KvService/$1"
}

bytes() { printf %s "$1" | base64; }

# The values of a field, one a line. With jq at hand: jq -r '.. | .key? // empty'.
field() { sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p"; }

fail() {
  printf 'not as expected: %s\n' "$1" >&2
  exit 1
}

expect() { [ "$1" = "$2" ] || fail "$1, where $2 should be"; }

put_and_get() {
  local got absent value
  value=$(bytes Nairobi)
  start=$(call Put "{\"key\": \"${prefix}capital\", \"value\": \"$value\"}" | field revision)
  got=$(call Get "{\"key\": \"${prefix}capital\"}")
  expect "$(field modRevision <<<"$got")" "$start"
  got=$(field value <<<"$got" | base64 -d)
  expect "$got" Nairobi
  absent=$(call Get "{\"key\": \"${prefix}nobody\"}")
  expect "$(field value <<<"$absent")" ""
  echo "put and got ${prefix}capital: $got"
}

# The first one becomes the leader, for 30 seconds; the second one learns who it is.
elect() {
  local node answer key="\"key\": \"${prefix}leader\""
  for node in node-1 node-2; do
    answer=$(call Txn "{
      \"compares\": [{$key, \"exists\": false}],
      \"success\": [{\"put\": {$key, \"value\": \"$(bytes $node)\", \"ttl\": \"30s\"}}],
      \"failure\": [{\"get\": {$key}}]
    }")
    if [ $node = node-1 ]; then expect "$(field succeeded <<<"$answer")" true; fi
  done
  expect "$(field succeeded <<<"$answer")" ""
  answer=$(field value <<<"$answer" | base64 -d)
  expect "$answer" node-1
  echo "elected once: $answer"
}

# Each operation stands alone: the one that fails does not stop the others.
send_a_batch() {
  local answer reason city=${prefix}city:
  answer=$(call Batch "{\"operations\": [
    {\"put\": {\"key\": \"${city}Kisumu\", \"value\": \"$(bytes 397957)\"}},
    {\"put\": {\"key\": \"${city}Mombasa\", \"expected_mod_revision\": 1}},
    {\"get\": {\"key\": \"${city}Kisumu\"}}
  ]}")
  reason=$(field reason <<<"$answer")
  expect "$reason" ERROR_REASON_PRECONDITION_FAILED
  expect "$(field value <<<"$answer" | base64 -d)" 397957
  echo "sent a batch: put, failure, get (${reason#ERROR_REASON_})"
}

# From the first change on, although all of them are past: history is kept. A watch goes on until
# somebody ends it, with all that buf started: so it has a process group of its own.
watch() {
  local line keys="" count=0
  mkfifo "$folder/events"
  set -m
  call Watch "{\"prefix\": \"$prefix\", \"start_revision\": \"$start\"}" \
    >"$folder/events" 2>"$folder/end" &
  set +m
  while [ $count -lt 3 ] && IFS= read -r line; do
    line=$(field key <<<"$line")
    if [ -n "$line" ]; then keys="$keys ${line#"$prefix"}" count=$((count + 1)); fi
  done <"$folder/events"
  [ $count -eq 3 ] || fail "a watch that ends: $(cat "$folder/end")"
  kill -- -$!
  wait $! || true
  expect "$keys" " capital leader city:Kisumu"
  echo "watched:$keys"
}

# The details of an error are messages of google.rpc; kvd's own ErrorInfo has the same shape.
lose_a_race() {
  local error details info
  if error=$(call Put "{\"key\": \"${prefix}capital\", \"expected_mod_revision\": 0}" 2>&1); then
    fail "a put that expects an absent key, of one that is there"
  fi
  expect "$(field code <<<"$error")" failed_precondition
  expect "$(field type <<<"$error")" google.rpc.ErrorInfo
  details=$(field value <<<"$error")
  while [ $((${#details} % 4)) -ne 0 ]; do details="$details="; done
  info=$(base64 -d <<<"$details" | buf convert --type kvd.v1.ErrorInfo --from '-#format=binpb')
  case $info in
    *'"reason":"PRECONDITION_FAILED"'*'"domain":"kvd.v1"'*'"mod_revision"'*) ;;
    *) fail "$info" ;;
  esac
  echo "refused with failed_precondition: $info"
}

call Delete "{\"prefix\": \"$prefix\"}" >"$folder/deleted"
put_and_get
elect
send_a_batch
watch
lose_a_race

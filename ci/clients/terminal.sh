#!/usr/bin/env bash
# Two people chat through a running node with profanity, a terminal client of Debian's, as a person
# would: typing into its windows, reading what the screen shows.
#
#     terminal.sh HOST PORT
#
# The accounts alice@localhost and bob@localhost must exist; their password is in CHAT_PASSWORD. A line
# per scene that went well; what did not ends the script with exit code 1 and both screens.
set -euo pipefail

host=$1 port=$2
: "${CHAT_PASSWORD:?}"
home=$(mktemp -d)
socket=$home/tmux.sock

tmux() { command tmux -S "$socket" -f /dev/null "$@"; }
end() {
  tmux kill-server 2>/dev/null || true
  rm -rf "$home"
}
trap end EXIT

# open NAME: a window with profanity in it, with settings and history of its own.
open() {
  mkdir -p "$home/$1"
  tmux new-session -d -s "$1" -x 150 -y 45 \
    env HOME="$home/$1" XDG_CONFIG_HOME="$home/$1/config" XDG_DATA_HOME="$home/$1/data" \
    LANG=C.UTF-8 TERM=screen-256color profanity
}

# type_line NAME TEXT
type_line() {
  tmux send-keys -t "$1" -l "$2"
  tmux send-keys -t "$1" Enter
}

# shows NAME TEXT: waits until the screen has the text.
shows() {
  for _ in $(seq 100); do
    tmux capture-pane -p -t "$1" | grep -qF -- "$2" && return
    sleep 0.2
  done
  echo "failed  the screen of $1 does not show: $2"
  for name in alice bob; do
    echo "--- $name"
    tmux capture-pane -p -t "$name" 2>/dev/null | grep -v '^\s*$' || true
  done
  exit 1
}

# login NAME
login() {
  open "$1"
  shows "$1" 'Profanity'
  type_line "$1" "/connect $1@localhost server $host port $port tls trust"
  shows "$1" 'Enter password:'
  type_line "$1" "$CHAT_PASSWORD"
  shows "$1" "logged in successfully, online"
}

login alice
login bob
echo 'ok  login: over STARTTLS'

type_line alice '/msg bob@localhost Wherefore art thou, Bob?'
shows bob 'alice'
type_line bob '/msg alice@localhost Here, and läuft.'
shows bob 'Wherefore art thou, Bob?'
shows alice 'Here, and läuft.'
echo 'ok  messages: both ways'

type_line alice '/win 1'
type_line alice '/ping'
shows alice 'Ping response from'
type_line alice '/disco info localhost'
shows alice 'urn:xmpp:ping'
echo 'ok  queries: ping and disco of the server'

type_line alice '/quit'
type_line bob '/quit'
for _ in $(seq 50); do
  tmux list-sessions >/dev/null 2>&1 || break
  sleep 0.2
done
if tmux list-sessions 2>/dev/null; then
  echo 'failed  profanity does not end'
  exit 1
fi
echo 'ok  quit'

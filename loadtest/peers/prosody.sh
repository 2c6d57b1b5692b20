# Prosody of Debian, accounts in files.
port=27422
need /usr/bin/prosody "prosody lua-event"
need prosodyctl "prosody lua-event"

prepare() {
  cat >"$place/prosody.cfg.lua" <<CONFIG
daemonize = false
run_as_root = true
pidfile = "$place/own.pid"
data_path = "$place/data"
log = { warn = "*console" }
network_backend = "epoll"
network_settings = { tcp_backlog = 1024 }
interfaces = { "127.0.0.1" }
c2s_ports = { $port }
c2s_direct_tls_ports = {}
http_ports = {}
https_ports = {}
admin_socket = "$place/admin.sock"

modules_enabled = {
  "roster", "saslauth", "disco", "ping", "pep", "carbons", "csi_simple", "smacks",
  "blocklist", "bookmarks", "private", "vcard4", "vcard_legacy", "version", "uptime", "time",
}
modules_disabled = { "s2s", "tls", "http" }

storage = "internal"
authentication = "internal_hashed"
default_iteration_count = 4096
c2s_require_encryption = false
allow_unencrypted_plain_auth = true

VirtualHost "localhost"
CONFIG
  # One account is made by Prosody itself, and the others are copies of its file.
  prosodyctl --root --config "$place/prosody.cfg.lua" register u0 localhost pw
  local folder=$place/data/localhost/accounts
  for number in $(seq 1 $((accounts - 1))); do echo "$folder/u$number.dat"; done |
    xargs --no-run-if-empty -n 1000 bash -c 'tee "$@" <"$0" >/dev/null' "$folder/u0.dat"
}

run() { exec setsid lua5.4 /usr/bin/prosody --root --config "$place/prosody.cfg.lua" -F; }

fill() { :; }

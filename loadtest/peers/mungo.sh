# Mungo as it was built, with one more listener than by default: no TLS.
port=27222
mungo=$(realpath "${MUNGO:-$here/../../target/release/mungo}")
mungoctl=$(dirname "$mungo")/mungoctl
# The password pw in SCRAM-SHA-1 with 4 096 rounds.
key=4096:c2FsdC1mb3ItYmVuY2gtMQ==:aNj172Sj9vuG274XvpOna9BsPrY=:PvJrxNqrIBNlBawzCFFLyksDQxc=

prepare() {
  [[ -x $mungo && -x $mungoctl ]] || fail "$mungo or mungoctl is missing: cargo build --release --bins"
  cat >"$place/mungo.ron" <<CONFIG
(
    domains: ["localhost"],
    listeners: [(kind: c2s, port: $port, tls: off), (kind: admin, port: 27551)],
    auth: (iterations: 4096),
)
CONFIG
  {
    echo jid,scram_sha_1
    seq 0 $((accounts - 1)) | sed "s|.*|u&@localhost,$key|"
  } >"$place/accounts.csv"
}

run() { exec setsid "$mungo" --config mungo.ron --data data; }

fill() { "$mungoctl" --data "$place/data" account import "$place/accounts.csv"; }

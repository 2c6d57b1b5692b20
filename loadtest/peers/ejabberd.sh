# ejabberd of Debian, everything in Mnesia. It runs under Erlang directly, with the flags of its own
# ejabberdctl but for more sockets, so that it needs neither its user nor its folders.
port=27322
need erl "ejabberd"
need /usr/share/doc/ejabberd "ejabberd"
node=mungo-peer@localhost
export HOME=$place ERL_LIBS=/usr/lib/x86_64-linux-gnu ERL_EPMD_ADDRESS=127.0.0.1 ERL_CRASH_DUMP_SECONDS=0

prepare() {
  cat >"$place/ejabberd.yml" <<CONFIG
hosts: [localhost]
loglevel: warning
default_db: mnesia
auth_method: [internal]
auth_password_format: scram
auth_scram_hash: sha
listen:
  - module: ejabberd_c2s
    ip: "127.0.0.1"
    port: $port
    backlog: 1024
    max_stanza_size: 262144
access_rules:
  c2s: {allow: all}
shaper_rules:
  max_user_sessions: 10
  max_user_offline_messages: 5000
modules:
  mod_adhoc: {}
  mod_blocking: {}
  mod_caps: {}
  mod_carboncopy: {}
  mod_client_state: {}
  mod_disco: {}
  mod_last: {}
  mod_offline: {access_max_user_messages: max_user_offline_messages}
  mod_ping: {}
  mod_privacy: {}
  mod_private: {}
  mod_pubsub: {plugins: [flat, pep]}
  mod_roster: {versioning: true}
  mod_stream_mgmt: {}
  mod_vcard: {search: false}
  mod_version: {}
CONFIG
}

run() {
  export EJABBERD_CONFIG_PATH=$place/ejabberd.yml EJABBERD_LOG_PATH=$place/ejabberd.log
  export ERL_MAX_PORTS=65536 ERL_MAX_ETS_TABLES=1400
  exec setsid erl +K true +P 250000 -noinput -sname "$node" -setcookie mungo-peers \
    -kernel inet_dist_use_interface '{127,0,0,1}' -mnesia dir "\"$place/data\"" -s ejabberd
}

# It listens before it is ready, so that is waited for. One account is made by ejabberd itself, and the
# others are copies of its record.
fill() {
  erl -noinput -hidden -sname "mungo-filler-$$@localhost" -setcookie mungo-peers -eval "
    Do = fun(Module, Function, Arguments) -> rpc:call('$node', Module, Function, Arguments) end,
    Wait = fun Wait(0) -> io:format(\"ejabberd is not ready~n\"), halt(1);
               Wait(Left) ->
                 case Do(application, which_applications, []) of
                   [_ | _] = Running -> case lists:keymember(ejabberd, 1, Running) of
                     true -> ok;
                     false -> timer:sleep(100), Wait(Left - 1)
                   end;
                   _ -> timer:sleep(100), Wait(Left - 1)
                 end
           end,
    Wait(300),
    ok = Do(ejabberd_auth, try_register, [<<\"u0\">>, <<\"localhost\">>, <<\"pw\">>]),
    [First] = Do(mnesia, dirty_read, [passwd, {<<\"u0\">>, <<\"localhost\">>}]),
    Others = [setelement(2, First, {iolist_to_binary([\"u\", integer_to_list(N)]), <<\"localhost\">>})
              || N <- lists:seq(1, $accounts - 1)],
    ok = Do(lists, foreach, [fun mnesia:dirty_write/1, Others]),
    io:format(\"~b accounts~n\", [Do(mnesia, table_info, [passwd, size])]),
    halt(0)."
}

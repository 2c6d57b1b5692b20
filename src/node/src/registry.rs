//! THE list of modules. A module is told to the node here and nowhere else.

module_list! {
    announce: modules::announce::Announce = off,
    caps: modules::caps::Caps,
    contact: modules::contact::Contact,
    disco: modules::disco::Disco,
    last: modules::last::Last,
    offline: modules::offline::Offline,
    ping: modules::ping::Ping,
    privacy: modules::privacy::Privacy,
    private: modules::private::Private,
    register: modules::register::Register = off,
    roster: modules::roster::Roster,
    session_request: modules::session_request::SessionRequest,
    time: modules::time::Time,
    vcard: modules::vcard::Vcard,
    version: modules::version::Version,
    welcome: modules::welcome::Welcome = off,
}

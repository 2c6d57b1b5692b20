//! The scenarios that come with the program.

/// All of them: name and text.
pub(crate) const INCLUDED: &[(&str, &str)] = &[
    (
        "chat-closed",
        include_str!("../../scenarios/chat-closed.ron"),
    ),
    ("chat-open", include_str!("../../scenarios/chat-open.ron")),
    ("contacts", include_str!("../../scenarios/contacts.ron")),
    ("flood", include_str!("../../scenarios/flood.ron")),
    ("idle", include_str!("../../scenarios/idle.ron")),
    (
        "login-storm",
        include_str!("../../scenarios/login-storm.ron"),
    ),
    ("presence", include_str!("../../scenarios/presence.ron")),
    (
        "reconnect-storm",
        include_str!("../../scenarios/reconnect-storm.ron"),
    ),
    ("register", include_str!("../../scenarios/register.ron")),
    ("roster", include_str!("../../scenarios/roster.ron")),
];

/// The text of the one with this name.
pub(crate) fn included(name: &str) -> Option<&'static str> {
    INCLUDED
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

//! An element that is kept and put somewhere else means what it meant.

use xml::Element;

/// The only child of the only child of `xml`, to be put where `default_ns` is the default.
fn kept(xml: &str, default_ns: &str) -> String {
    let outer = Element::parse(xml.as_bytes()).unwrap();
    let within = outer.children().next().unwrap().element().unwrap();
    let child = within.children().next().unwrap().element().unwrap();
    let bytes = child.standing_in(default_ns);
    let put = format!("<put xmlns='{default_ns}'>{}</put>", text(&bytes));
    let put = Element::parse(put.as_bytes()).unwrap();
    assert_eq!(
        put.children().next().unwrap().tree().unwrap(),
        child.tree().unwrap()
    );
    text(&bytes)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn what_declares_all_it_needs_is_kept_byte_for_byte() {
    let child = "<a  xmlns='urn:a'\n k=\"&#x41;\"><![CDATA[<]]><p:b xmlns:p='urn:p' p:k=''/></a >";
    let xml = format!("<iq><q xmlns='urn:q' xmlns:z='urn:z'>{child}</q></iq>");
    assert_eq!(kept(&xml, "urn:elsewhere"), child);
}

#[test]
fn prefixes_of_the_surroundings_are_declared() {
    let xml = "<iq xmlns:e='urn:e'><q xmlns='urn:q' xmlns:f='urn:&amp;'><e:a f:k='1'/></q></iq>";
    assert_eq!(
        kept(xml, "urn:elsewhere"),
        "<e:a xmlns:f='urn:&amp;' xmlns:e='urn:e' f:k='1'/>"
    );
}

#[test]
fn the_default_namespace_is_declared_where_it_is_used_and_differs() {
    let xml = "<iq><q xmlns='urn:q'><a><b/></a></q></iq>";
    assert_eq!(kept(xml, "urn:elsewhere"), "<a xmlns='urn:q'><b/></a>");
    assert_eq!(kept(xml, "urn:q"), "<a><b/></a>");
    let xml = "<iq><q xmlns='urn:q'><p:a xmlns:p='urn:p'><b/></p:a></q></iq>";
    assert_eq!(
        kept(xml, "urn:x"),
        "<p:a xmlns='urn:q' xmlns:p='urn:p'><b/></p:a>"
    );
    let xml = "<iq><q xmlns='urn:q'><p:a xmlns:p='urn:p'/></q></iq>";
    assert_eq!(kept(xml, "urn:x"), "<p:a xmlns:p='urn:p'/>");
    let xml = "<iq><q xmlns=''><a/></q></iq>";
    assert_eq!(kept(xml, "urn:x"), "<a xmlns=''/>");
}

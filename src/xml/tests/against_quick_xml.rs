//! The scanner against another parser: both take the same elements and see the same in them.

mod generate;
mod reading;
mod strict;

use proptest::prelude::*;
use xml::Element;

fn agree(xml: &str) {
    let ours = Element::parse(xml.as_bytes());
    let theirs = strict::read(xml);
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => assert_eq!(ours.tree().unwrap(), theirs, "{xml}"),
        (Err(_), Err(_)) => {}
        (ours, theirs) => panic!("{xml:?}\nours: {ours:?}\ntheirs: {theirs:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_take_the_same(xml in generate::spoiled(generate::element())) {
        agree(&xml);
        agree(&format!("<w xmlns:x='urn:w' xmlns:p='urn:x' xmlns:stream='s'>{xml}</w>"));
    }
}

proptest! {
    #[test]
    fn both_take_the_same_of_few_bytes(xml in "[<>/ab:='\"&;! \\[\\]-]{0,24}") {
        agree(&xml);
        agree(&format!("<a>{xml}</a>"));
        agree(&format!("<a {xml}/>"));
        agree(&format!("<a b='{xml}'/>"));
    }
}

//! What a tag means when it has ended: nesting, namespaces, the index.

use smallvec::SmallVec;

use super::{Around, Decl, Found, Open, Scanner};
use crate::XmlError::{self, BadPrefix, NotWellFormed};
use crate::index::{AttrAt, ChildAt, Name, NsAt, same};
use crate::names::declaration;
use crate::scope::Scope;

impl Scanner {
    /// An attribute's value has ended at `end`.
    pub(super) fn valued(
        &mut self,
        buf: &[u8],
        end: usize,
        around: &Around<'_>,
    ) -> Result<(), XmlError> {
        let attr = AttrAt {
            name: self.attr,
            value: self.value as u32,
            len: (end - self.value) as u32,
            plain: self.plain,
        };
        let name = attr.name.whole(buf);
        if self.attrs.iter().any(|a| same(a.name.whole(buf), name)) {
            return Err(NotWellFormed("an attribute given twice"));
        }
        if attr.declares(buf).is_some() {
            self.declare(attr, buf, around)?;
        } else if self.attrs.len() >= around.limits.attributes as usize + self.declared as usize {
            return Err(XmlError::TooManyAttributes(around.limits.attributes));
        }
        self.prefixed |= attr.name.prefix > 0;
        self.attrs.push(attr);
        Ok(())
    }

    fn declare(&mut self, attr: AttrAt, buf: &[u8], around: &Around<'_>) -> Result<(), XmlError> {
        let most = if self.header {
            around.limits.namespaces.min(Scope::MAX as u16)
        } else {
            around.limits.namespaces
        };
        if self.declared >= most {
            return Err(XmlError::TooManyNamespaces(most));
        }
        self.declared += 1;
        let (ns, prefix) = declaration(attr, buf, &mut self.index.odd)?;
        self.decls.push(Decl {
            start: attr.name.start + u32::from(attr.name.len) - u32::from(prefix),
            len: prefix,
            ns,
        });
        Ok(())
    }

    /// An opening tag has ended before `pos`. True if the scan is over.
    pub(super) fn opened(
        &mut self,
        buf: &[u8],
        pos: usize,
        closed: bool,
        around: &Around<'_>,
    ) -> Result<bool, XmlError> {
        let level = self.open.len();
        if level >= around.limits.depth as usize {
            return Err(XmlError::TooDeep(around.limits.depth));
        }
        let decls = self.decls.len() - self.declared as usize;
        // Deeper down only a prefix has to be looked up: nobody asks for the namespace.
        let ns = if level < 2 || self.name.prefix > 0 {
            self.resolve(self.name.prefix(buf), buf, around.scope)?
        } else {
            NsAt::Nowhere
        };
        if self.prefixed {
            self.check_prefixes(buf, around.scope)?;
        }
        let (start, end) = (self.tag as u32, pos as u32);
        match level {
            0 => {
                self.index.name = self.name;
                self.index.ns = ns;
                self.index.attrs = std::mem::take(&mut self.attrs);
                self.index.open_end = end;
                self.index.content_end = end;
                self.index.closed = closed;
            }
            1 => self.index.children.push(ChildAt {
                name: self.name,
                ns,
                start,
                open_end: end,
                end,
            }),
            _ => {}
        }
        if closed || self.header {
            self.decls.truncate(decls);
            return Ok(level == 0);
        }
        self.open.push(Open {
            name: self.name,
            decls: decls as u32,
        });
        Ok(false)
    }

    /// A closing tag has ended before `pos`.
    pub(super) fn ended(&mut self, pos: usize) -> Option<Found> {
        let Some(open) = self.open.pop() else {
            return Some(Found::Close);
        };
        self.decls.truncate(open.decls as usize);
        match self.open.len() {
            0 => {
                self.index.content_end = self.tag as u32;
                Some(Found::Element)
            }
            1 => {
                if let Some(child) = self.index.children.last_mut() {
                    child.end = pos as u32;
                }
                None
            }
            _ => None,
        }
    }

    /// The namespace of a prefix; the empty prefix is the default namespace.
    fn resolve(&mut self, prefix: &[u8], buf: &[u8], scope: &Scope) -> Result<NsAt, XmlError> {
        if prefix == b"xml" {
            return Ok(NsAt::Xml);
        }
        for decl in self.decls.iter().rev() {
            let start = decl.start as usize;
            if same(&buf[start..start + decl.len as usize], prefix) {
                return Ok(decl.ns);
            }
        }
        match scope.find(prefix) {
            Some(i) => {
                self.index.outer |= 1 << i;
                Ok(NsAt::Outer(i as u16))
            }
            None if prefix.is_empty() => Ok(NsAt::Nowhere),
            None => Err(BadPrefix("a prefix that nobody declared")),
        }
    }

    /// Every prefix of the tag's attributes is declared, and no two of them name the same.
    fn check_prefixes(&mut self, buf: &[u8], scope: &Scope) -> Result<(), XmlError> {
        let mut seen: SmallVec<[(Name, NsAt); 4]> = SmallVec::new();
        for i in 0..self.attrs.len() {
            let attr = self.attrs[i];
            if attr.name.prefix == 0 || attr.declares(buf).is_some() {
                continue;
            }
            let ns = self.resolve(attr.name.prefix(buf), buf, scope)?;
            let text = ns.text(buf, &self.index.odd, scope);
            let twice = seen.iter().any(|&(name, other)| {
                name.local(buf) == attr.name.local(buf)
                    && other.text(buf, &self.index.odd, scope) == text
            });
            if twice {
                return Err(NotWellFormed("an attribute given twice by two prefixes"));
            }
            seen.push((attr.name, ns));
        }
        Ok(())
    }
}

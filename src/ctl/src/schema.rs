//! The admin interface's schema as this program needs it: categories, their
//! commands, their arguments, and the types of what they answer.

use std::collections::HashMap;

use async_graphql_parser::{
    parse_schema,
    types::{
        BaseType, FieldDefinition, InputValueDefinition, Type as SyntaxType, TypeKind,
        TypeSystemDefinition,
    },
};

/// The schema this program was built with.
pub(crate) const TEXT: &str = include_str!("../../admin/schema.graphql");

/// A parsed schema.
#[derive(Debug)]
pub(crate) struct Schema {
    types: HashMap<String, Kind>,
    /// In the order of the schema, queries first.
    pub(crate) commands: Vec<Command>,
    /// Names and documentation of the categories, in the order of the schema.
    pub(crate) categories: Vec<(String, String)>,
}

/// What a named type is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A scalar, built in or of the schema.
    Scalar,
    /// An enum and its values.
    Enum(Vec<String>),
    /// An object and its fields.
    Object(Vec<Field>),
    /// An input object: commands that take one are not made from the schema alone.
    Input,
}

/// A field of an object.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) ty: Type,
}

/// An argument of a field.
#[derive(Clone, Debug)]
pub(crate) struct Argument {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) ty: Type,
    /// The default value as the schema writes it.
    pub(crate) default: Option<String>,
}

impl Argument {
    /// Whether the command means nothing without it.
    pub(crate) fn required(&self) -> bool {
        self.ty.required && self.default.is_none()
    }

    /// Whether it is a password.
    pub(crate) fn secret(&self) -> bool {
        self.ty.name == "Secret"
    }
}

/// The type of a field or argument; lists of lists are not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Type {
    /// The name of the type, of its entries for a list.
    pub(crate) name: String,
    pub(crate) list: bool,
    pub(crate) required: bool,
    /// As GraphQL writes it.
    pub(crate) text: String,
}

/// Which root a command hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Query,
    Mutation,
}

/// A command: a field of a category, or of the root.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) operation: Operation,
    pub(crate) category: Option<String>,
    pub(crate) field: Field,
}

impl Schema {
    /// Parses a schema; the error is for whoever changed it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let document = parse_schema(text).map_err(|e| e.to_string())?;
        let mut types: HashMap<String, Kind> = ["Int", "Float", "String", "Boolean", "ID"]
            .map(|name| (name.to_owned(), Kind::Scalar))
            .into();
        for definition in document.definitions {
            let TypeSystemDefinition::Type(ty) = definition else {
                continue;
            };
            let kind = match &ty.node.kind {
                TypeKind::Scalar => Kind::Scalar,
                TypeKind::Enum(e) => Kind::Enum(
                    e.values
                        .iter()
                        .map(|v| v.node.value.node.to_string())
                        .collect(),
                ),
                TypeKind::Object(o) => {
                    Kind::Object(o.fields.iter().map(|f| field(&f.node)).collect())
                }
                TypeKind::InputObject(_) => Kind::Input,
                TypeKind::Interface(_) | TypeKind::Union(_) => {
                    return Err(format!("{}: neither object nor scalar", ty.node.name));
                }
            };
            types.insert(ty.node.name.node.to_string(), kind);
        }
        let mut schema = Schema {
            types,
            commands: Vec::new(),
            categories: Vec::new(),
        };
        schema.collect(Operation::Query, "Query")?;
        schema.collect(Operation::Mutation, "Mutation")?;
        schema.check()?;
        Ok(schema)
    }

    /// Takes the categories and commands from a root.
    fn collect(&mut self, operation: Operation, root: &str) -> Result<(), String> {
        let roots = self
            .fields(root)
            .ok_or_else(|| format!("there is no type {root}"))?
            .to_vec();
        for top in roots {
            if !top.ty.name.ends_with(root) {
                self.commands.push(Command {
                    operation,
                    category: None,
                    field: top,
                });
                continue;
            }
            let fields = self.fields(&top.ty.name).unwrap_or_default().to_vec();
            self.commands
                .extend(fields.into_iter().map(|field| Command {
                    operation,
                    category: Some(top.name.clone()),
                    field,
                }));
            if !self.categories.iter().any(|(name, _)| *name == top.name) {
                self.categories.push((top.name, top.doc));
            }
        }
        Ok(())
    }

    /// Every type that is named is there.
    fn check(&self) -> Result<(), String> {
        let objects = self.types.values().filter_map(|kind| match kind {
            Kind::Object(fields) => Some(fields),
            _ => None,
        });
        for field in objects.flatten() {
            let arguments = field.arguments.iter().map(|a| &a.ty);
            for ty in arguments.chain([&field.ty]) {
                if !self.types.contains_key(&ty.name) {
                    return Err(format!("{}: there is no type {}", field.name, ty.name));
                }
            }
        }
        Ok(())
    }

    /// What a type is.
    pub(crate) fn kind(&self, name: &str) -> &Kind {
        self.types.get(name).unwrap_or(&Kind::Scalar)
    }

    /// The fields of an object; `None` for every other type.
    pub(crate) fn fields(&self, name: &str) -> Option<&[Field]> {
        match self.types.get(name) {
            Some(Kind::Object(fields)) => Some(fields),
            _ => None,
        }
    }

    /// The command of that category and field.
    pub(crate) fn command(&self, category: Option<&str>, field: &str) -> Option<&Command> {
        self.commands
            .iter()
            .find(|c| c.category.as_deref() == category && c.field.name == field)
    }

    /// The list that a command's pages carry, when it answers in pages.
    pub(crate) fn paged<'s>(&'s self, command: &Command) -> Option<&'s Field> {
        let has = |name| command.field.arguments.iter().any(|a| a.name == name);
        let fields = self.fields(&command.field.ty.name)?;
        (has("after") && has("limit") && fields.iter().any(|f| f.name == "next"))
            .then(|| self.only_list(&command.field.ty.name))
            .flatten()
    }

    /// The one list of objects that an object carries, when it carries nothing
    /// else but what pages need.
    pub(crate) fn only_list(&self, name: &str) -> Option<&Field> {
        let mut rest = self
            .fields(name)?
            .iter()
            .filter(|f| f.name != "next" && f.name != "total");
        let list = rest
            .next()
            .filter(|f| f.ty.list && self.fields(&f.ty.name).is_some())?;
        rest.next().is_none().then_some(list)
    }
}

fn field(syntax: &FieldDefinition) -> Field {
    Field {
        name: syntax.name.node.to_string(),
        doc: doc(syntax.description.as_ref().map(|d| d.node.as_str())),
        arguments: syntax.arguments.iter().map(|a| argument(&a.node)).collect(),
        ty: ty(&syntax.ty.node),
    }
}

fn argument(syntax: &InputValueDefinition) -> Argument {
    Argument {
        name: syntax.name.node.to_string(),
        doc: doc(syntax.description.as_ref().map(|d| d.node.as_str())),
        ty: ty(&syntax.ty.node),
        default: syntax.default_value.as_ref().map(|v| v.node.to_string()),
    }
}

fn ty(syntax: &SyntaxType) -> Type {
    let (name, list) = match &syntax.base {
        BaseType::Named(name) => (name.to_string(), false),
        BaseType::List(entry) => (ty(entry).name, true),
    };
    Type {
        name,
        list,
        required: !syntax.nullable,
        text: syntax.to_string(),
    }
}

/// Documentation without its indentation in the schema.
fn doc(text: Option<&str>) -> String {
    let lines: Vec<&str> = text
        .unwrap_or_default()
        .trim()
        .lines()
        .map(str::trim)
        .collect();
    lines.join("\n")
}

/// `changePassword` and `START_TLS` as a command line writes them.
pub(crate) fn kebab(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut lower = false;
    for c in name.chars() {
        if c == '_' {
            out.push('-');
            lower = false;
            continue;
        }
        if c.is_ascii_uppercase() && lower {
            out.push('-');
        }
        lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(c.to_ascii_lowercase());
    }
    out
}

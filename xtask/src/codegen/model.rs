//! The model of a description, without YAML and references.

use std::collections::BTreeMap;

use super::limits::Limits;

/// The methods that a path may have, in the order in which they are read.
pub(crate) const METHODS: [&str; 7] = ["get", "head", "post", "put", "patch", "delete", "options"];

/// One description: the operations and types of one server.
pub(crate) struct Api {
    /// The prefix of the ids of operations, such as `gafaelfawr`: the file's name.
    pub(crate) id: String,
    /// The description's path from the root of the workspace.
    pub(crate) file: String,
    pub(crate) title: String,
    pub(crate) version: String,
    pub(crate) description: Option<String>,
    pub(crate) base: String,
    /// The path of the client that gets the methods.
    pub(crate) client: String,
    /// The path of the credential that each call is given, if the client holds none.
    pub(crate) credential: Option<String>,
    /// Whether examples run against the emulator.
    pub(crate) emulator: bool,
    /// The lines that make what the calls of examples use: `client` and, if it is given with each
    /// call, `credential`. Without them, readers are to have both.
    pub(crate) setup: Vec<String>,
    /// Expressions for values of hand-written types, by the paths of the types.
    pub(crate) values: BTreeMap<String, String>,
    /// Whether operations can be called by name.
    pub(crate) by_name: bool,
    /// The meanings of statuses, unless an operation overrides them.
    pub(crate) status_rules: Vec<StatusRule>,
    /// Statuses, some with a code, after which operations that may be repeated are sent again.
    /// Empty for the default.
    pub(crate) repeat_rules: Vec<(u16, Option<String>)>,
    /// The subject of a group's operations, in words, if the tag states it.
    pub(crate) groups: BTreeMap<String, String>,
    pub(crate) operations: Vec<Operation>,
    /// The types that operations use, in the order of the file.
    pub(crate) types: Vec<TypeDef>,
}

/// One operation.
pub(crate) struct Operation {
    /// The `operationId`.
    pub(crate) id: String,
    /// The name of its call function.
    pub(crate) rust: String,
    /// The name of its method.
    pub(crate) method_name: String,
    /// The tag that groups its method, if methods are grouped.
    pub(crate) group: Option<String>,
    /// Whether it takes no credential.
    pub(crate) is_open: bool,
    /// The property of the answer that the method returns, if not the whole answer.
    pub(crate) part: Option<String>,
    pub(crate) reply: Reply,
    /// Lines that make what its example needs, after those of all examples.
    pub(crate) setup: Vec<String>,
    /// Expressions for arguments of its example, by the names of parameters or `body`.
    pub(crate) arguments: BTreeMap<String, String>,
    /// The refusal, by status and code, that means "absent".
    pub(crate) absent: Option<(u16, Option<String>)>,
    /// The path of the function that refuses answers which do not match the request.
    pub(crate) check: Option<String>,
    pub(crate) page: Option<Page>,
    /// `GET` and so on.
    pub(crate) method: String,
    /// The path as the server sees it.
    pub(crate) path: String,
    /// The path after the client's base; the whole path for operations that only the emulator
    /// serves.
    pub(crate) target: String,
    pub(crate) audience: Audience,
    pub(crate) by_hand: ByHand,
    pub(crate) is_safe: bool,
    pub(crate) response_limit: Option<u64>,
    pub(crate) status_rules: Vec<StatusRule>,
    /// The names of kinds of error in the service's crate, by status. Empty if it uses the kinds of
    /// core.
    pub(crate) kinds: BTreeMap<u16, String>,
    pub(crate) params: Vec<Param>,
    /// Headers that are among the options of a call, not among its arguments.
    pub(crate) options: Vec<Param>,
    pub(crate) body: Option<Body>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) summary: String,
    pub(crate) description: Option<String>,
    /// Sentences about the servers that have it and the access that it needs.
    pub(crate) notes: Vec<String>,
    pub(crate) aliases: Vec<String>,
    /// Which servers have it, if not all do.
    pub(crate) dialect: Option<String>,
}

/// Who uses an operation or a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Audience {
    Emulator,
    Client,
}

/// What a method returns.
pub(crate) enum Reply {
    Nothing,
    Text,
    /// The answer itself, to be read by the caller.
    Other,
    Json {
        ty: Type,
        /// Whether an answer without a body is read as the default.
        may_be_empty: bool,
        /// The one property of the answer that is returned, and its type.
        part: Option<(String, Type)>,
    },
}

/// A list that comes in pages.
pub(crate) struct Page {
    pub(crate) style: PageStyle,
    pub(crate) item: Type,
    pub(crate) items: PageField,
    pub(crate) total: Option<PageField>,
    pub(crate) next: Option<PageField>,
    /// The fields that identify an item; several if only their combination is unique.
    pub(crate) key: Vec<PageField>,
}

/// How a list is divided into pages: the names of parameters.
pub(crate) enum PageStyle {
    Offset {
        offset: String,
        limit: String,
        size: u64,
    },
    Token {
        param: String,
    },
}

/// A field that a page is read by.
pub(crate) struct PageField {
    pub(crate) rust: String,
    pub(crate) optional: bool,
}

/// How much of an operation's client is written by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByHand {
    Nothing,
    /// The method that users call.
    Method,
    /// The call itself too.
    Call,
}

/// The meaning of a status that differs from the default.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StatusRule {
    pub(crate) status: u16,
    pub(crate) code: Option<String>,
    pub(crate) kind: String,
}

/// One parameter.
pub(crate) struct Param {
    pub(crate) name: String,
    pub(crate) rust: String,
    pub(crate) place: Place,
    pub(crate) required: bool,
    pub(crate) ty: Type,
    /// Whether a list is written as `a=1&a=2` rather than `a=1,2`.
    pub(crate) explode: bool,
    /// Whether an empty list is sent, as it differs from a missing list.
    pub(crate) sends_empty: bool,
    pub(crate) description: Option<String>,
    pub(crate) limits: Limits,
    /// Characters that it cannot have.
    pub(crate) refused: Option<String>,
    pub(crate) example: Option<String>,
}

/// The place of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    /// The one key of a body that is an object with one entry.
    Key,
    /// The value of that key.
    Entry,
}

/// A request's body.
pub(crate) enum Body {
    Json {
        ty: Type,
        required: bool,
    },
    /// `application/x-www-form-urlencoded`: a struct of texts, or a map to texts.
    Form {
        ty: Type,
        required: bool,
    },
    /// Written by hand: the media types it may have.
    Other(Vec<String>),
}

/// One answer.
pub(crate) struct Answer {
    pub(crate) status: String,
    pub(crate) description: String,
    pub(crate) media: Option<String>,
    pub(crate) ty: Option<Type>,
    /// As pretty JSON.
    pub(crate) example: Option<String>,
    pub(crate) headers: Vec<String>,
}

/// A type by use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Text,
    Secret,
    Integer,
    /// An integer of 32 bits.
    Integer32,
    /// An integer from zero up to the largest of 64 bits.
    Unsigned,
    /// An integer from zero up to the largest of 32 bits.
    Unsigned32,
    Number,
    Boolean,
    Json,
    List(Box<Self>),
    Map(Box<Self>),
    Optional(Box<Self>),
    /// Breaks a circle.
    Boxed(Box<Self>),
    Named(String),
    /// A hand-written type for a text: its path, such as `crate::HttpUrl`.
    Hand(String),
    /// A hand-written type for a number, or for a number or a text, in a parameter: its path.
    Shown(String),
}

impl Api {
    /// Returns a type by its name.
    pub(crate) fn definition(&self, name: &str) -> Option<&TypeDef> {
        self.types.iter().find(|def| def.name == name)
    }

    /// Returns whether a successful answer contains a secret.
    pub(crate) fn answers_secret(&self, operation: &Operation) -> bool {
        let success = |answer: &&Answer| answer.status.starts_with('2');
        let mut answers = operation.answers.iter().filter(success);
        answers.any(|answer| {
            let ty = answer.ty.as_ref();
            let def = ty
                .and_then(Type::name)
                .and_then(|name| self.definition(name));
            ty.is_some_and(Type::is_secret) || def.is_some_and(|def| def.has_secret)
        })
    }
}

impl Operation {
    /// Returns whether a method is written for it.
    pub(crate) fn has_method(&self) -> bool {
        self.audience == Audience::Client && self.by_hand == ByHand::Nothing
    }

    /// Returns whether nothing is optional, so that a method can send directly.
    pub(crate) fn is_plain(&self) -> bool {
        let is_whole = match &self.body {
            Some(Body::Json { required, .. } | Body::Form { required, .. }) => *required,
            _ => true,
        };
        is_whole && self.page.is_none() && self.params.iter().all(|param| param.required)
    }

    /// Returns the kinds of error of refusals, and their conditions.
    pub(crate) fn refusals(&self) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = Vec::new();
        let mut add = |kind: &str, when: &str| match all.iter_mut().find(|(known, _)| known == kind)
        {
            Some((_, text)) if text.contains(when) => {}
            Some((_, text)) => {
                text.push_str("; or: ");
                text.push_str(when);
            }
            None => all.push((kind.to_owned(), when.to_owned())),
        };
        for answer in &self.answers {
            let Ok(status) = answer.status.parse::<u16>() else {
                continue;
            };
            let is_absent = self.absent.as_ref().is_some_and(|(of, _)| *of == status);
            if status < 400 || is_absent {
                continue;
            }
            let rules = self
                .status_rules
                .iter()
                .filter(|rule| rule.status == status);
            if let Some(kind) = self.kinds.get(&status) {
                let when = answer.description.trim_end_matches('.');
                add(kind, &format!("{when} ({status})"));
                continue;
            }
            let mut is_told = false;
            for rule in rules {
                let when = match &rule.code {
                    Some(_) if rule.kind == usual(status) => continue,
                    Some(code) => format!("the service's code is `{code}` ({status})"),
                    None => {
                        is_told = true;
                        format!("{} ({status})", answer.description.trim_end_matches('.'))
                    }
                };
                add(&rule.kind, &when);
            }
            if !is_told {
                let when = format!("{} ({status})", answer.description.trim_end_matches('.'));
                add(usual(status), &when);
            }
        }
        all
    }

    /// Returns whether a function creates its call.
    pub(crate) fn has_call(&self) -> bool {
        self.audience == Audience::Client && self.by_hand != ByHand::Call
    }

    /// Returns the statuses that are answers although they are not a success: redirections in the
    /// description.
    pub(crate) fn other_answers(&self) -> Vec<u16> {
        let statuses = self.answers.iter().map(|answer| answer.status.parse());
        statuses
            .flatten()
            .filter(|status| (300..400).contains(status))
            .collect()
    }
}

impl Param {
    /// Returns whether an unset argument differs from an empty one.
    pub(crate) fn is_kept_as_list(&self) -> bool {
        matches!(self.ty, Type::List(_)) && !self.sends_empty
    }
}

impl Type {
    /// Returns whether this is an integer of any width.
    pub(crate) fn is_integer(&self) -> bool {
        matches!(
            self,
            Self::Integer | Self::Integer32 | Self::Unsigned | Self::Unsigned32
        )
    }

    /// Returns the name of the type that this one is made of, if it has one.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::List(inner) | Self::Map(inner) | Self::Optional(inner) | Self::Boxed(inner) => {
                inner.name()
            }
            _ => None,
        }
    }

    /// Returns whether this is a secret itself, rather than the name of a type with one.
    pub(crate) fn is_secret(&self) -> bool {
        match self {
            Self::Secret => true,
            Self::List(inner) | Self::Map(inner) | Self::Optional(inner) | Self::Boxed(inner) => {
                inner.is_secret()
            }
            _ => false,
        }
    }

    /// Returns the type within an `Optional`, and whether there was one.
    pub(crate) fn split_null(self) -> (Self, bool) {
        match self {
            Self::Optional(inner) => (*inner, true),
            other => (other, false),
        }
    }

    /// Wraps the type unless it may be null already.
    pub(crate) fn or_null(self) -> Self {
        match self {
            Self::Optional(_) => self,
            other => Self::Optional(Box::new(other)),
        }
    }
}

/// A type that is written out.
pub(crate) struct TypeDef {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) aliases: Vec<String>,
    pub(crate) shape: Shape,
    pub(crate) is_public: bool,
    /// The path of the hand-written type that users see instead.
    pub(crate) model: Option<String>,
    /// Whether it is read and written by hand, so that no type is needed.
    pub(crate) is_by_hand: bool,
    pub(crate) audience: Audience,
    /// Whether it is used only for constants, which are neither passed nor read.
    pub(crate) is_constant: bool,
    /// Whether an operation uses it other than through hand-written code.
    pub(crate) is_used: bool,
    /// Whether it is part of a request's JSON body.
    pub(crate) in_request: bool,
    /// Whether it is part of a request, in any form.
    pub(crate) is_sent: bool,
    /// Whether it contains a secret, directly or indirectly.
    pub(crate) has_secret: bool,
}

/// How a type is built.
pub(crate) enum Shape {
    Struct {
        fields: Vec<Field>,
        /// The type of additional keys, if the description has one besides properties.
        rest: Option<Type>,
    },
    /// One of several words.
    Words { words: Vec<Word>, closed: bool },
    /// A text that identifies something: a separate type, so that two kinds cannot be mixed up.
    Id { limits: Limits },
    /// Distinguished by their form, tried in this order.
    Union(Vec<(String, Type)>),
}

/// One word of an enum.
pub(crate) struct Word {
    /// As written.
    pub(crate) text: String,
    /// As named in Rust.
    pub(crate) variant: String,
    pub(crate) description: Option<String>,
}

/// One property.
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) rust: String,
    pub(crate) description: Option<String>,
    pub(crate) ty: Type,
    pub(crate) presence: Presence,
    /// The name on older servers.
    pub(crate) older_name: Option<String>,
    pub(crate) limits: Limits,
    pub(crate) example: Option<String>,
}

/// The meaning of an absent value, and whether it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    /// Required, may be null.
    RequiredOrNull,
    /// Required with this variant of an enum, so the caller has no choice.
    Constant(String),
    /// Left out if unset.
    Optional,
    /// Sent as null if unset.
    SentNull,
    /// Empty, zero or false when absent.
    Empty,
    /// This value when absent.
    Default(DefaultValue),
}

/// A non-empty default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DefaultValue {
    True,
    Integer(i64),
    Number(String),
    Text(String),
    /// The variant of a named enum.
    Word(String),
}

/// Returns the kind of a status without a rule, as `Operation::kind_of` in core does.
fn usual(status: u16) -> &'static str {
    match status {
        400 | 422 => "Invalid",
        401 => "Credential",
        403 => "Forbidden",
        404 | 410 => "NotFound",
        409 => "Conflict",
        429 => "Throttled",
        _ => "Status",
    }
}

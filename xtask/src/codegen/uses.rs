//! Determines the uses of the types made from schemas.

use std::collections::BTreeSet;

use super::model::{Answer, Audience, Body, Operation, Place, Presence, Shape, Type, TypeDef};
use super::schema::Types;
use super::source::Mistake;

impl Types<'_> {
    /// Determines the uses of each type, and returns the types in the order of the file.
    pub(crate) fn finish(mut self, operations: &[Operation]) -> Result<Vec<TypeDef>, Mistake> {
        for operation in operations {
            for param in &operation.params {
                let as_what = match param.place {
                    Place::Entry => Use::Json,
                    _ => Use::Sent,
                };
                self.mark(&param.ty, operation.audience, as_what);
            }
            match &operation.body {
                Some(Body::Json { ty, .. }) => self.mark(ty, operation.audience, Use::Json),
                // Its fields are written one by one, so no secret needs to be serialized.
                Some(Body::Form { ty, .. }) => self.mark(ty, operation.audience, Use::Sent),
                Some(Body::Other(_)) | None => {}
            }
            // Refusals are read by hand-written code.
            let is_read = |answer: &&Answer| answer.status.starts_with(['2', '3']);
            for answer in operation.answers.iter().filter(is_read) {
                if let Some(ty) = &answer.ty {
                    self.mark(ty, operation.audience, Use::Read);
                }
            }
        }
        self.find_constants(operations);
        // Callers can name the types that a generated method takes or returns.
        for operation in operations.iter().filter(|operation| operation.has_method()) {
            let success = |answer: &&Answer| answer.status.starts_with('2');
            let answers = operation.answers.iter().filter(success);
            let body = match &operation.body {
                Some(Body::Json { ty, .. } | Body::Form { ty, .. }) => Some(ty),
                _ => None,
            };
            let answers = answers.filter_map(|answer| answer.ty.as_ref());
            let answers = answers.map(|ty| match &operation.part {
                Some(part) => self.property(ty, part).unwrap_or_else(|| ty.clone()),
                None => ty.clone(),
            });
            let params = operation.params.iter().map(|param| &param.ty);
            let shown = params.chain(body).cloned().chain(answers);
            let with_model = |name: &str| {
                self.defs
                    .iter()
                    .any(|def| def.name == name && def.model.is_some())
            };
            let shown: Vec<String> = shown
                .filter_map(|ty| ty.name().map(str::to_owned))
                .filter(|name| !with_model(name))
                .collect();
            for name in shown {
                for name in self.reach(&name) {
                    let mut defs = self.defs.iter_mut();
                    if let Some(def) = defs.find(|def| def.name == name && !def.is_constant) {
                        def.is_public = true;
                    }
                }
            }
        }
        let secret: BTreeSet<String> = self
            .defs
            .iter()
            .map(|def| def.name.clone())
            .filter(|name| self.reach(name).iter().any(|name| self.holds_secret(name)))
            .collect();
        self.box_circles();
        let made = std::mem::take(&mut self.made);
        let mut defs = self.defs;
        for def in &mut defs {
            def.has_secret = secret.contains(&def.name);
            let twice = |ty: &Type| matches!(ty, Type::List(_) | Type::Map(_)) && ty.is_secret();
            if let Shape::Struct { fields, .. } = &def.shape
                && let Some(field) = fields.iter().find(|field| twice(&field.ty))
            {
                let mut fault = self.root.mistake(
                    format!("{}.{} is a list of secrets", def.name, field.name),
                    "a schema of its own for the secret, with `x-sensitive` at a property",
                );
                fault.line = made.get(&def.name).copied().unwrap_or(fault.line);
                return Err(fault);
            }
        }
        for def in defs.iter().filter(|def| def.is_public) {
            let hidden = |ty: &Type| {
                let part = defs
                    .iter()
                    .find(|part| Some(part.name.as_str()) == ty.name());
                part.filter(|part| !part.is_public && !part.is_constant)
            };
            if let Some(part) = parts_of(&def.shape).iter().find_map(hidden) {
                let mut fault = self.root.mistake(
                    format!(
                        "{} is public and holds {}, which is not",
                        def.name, part.name
                    ),
                    format!("`x-public: true` at {} too", part.name),
                );
                fault.line = made.get(&def.name).copied().unwrap_or(fault.line);
                return Err(fault);
            }
        }
        defs.sort_by_key(|def| made.get(&def.name).copied());
        Ok(defs)
    }

    fn find_constants(&mut self, operations: &[Operation]) {
        let params = operations.iter().flat_map(|operation| &operation.params);
        let mut given: BTreeSet<String> = params
            .filter_map(|param| param.ty.name().map(str::to_owned))
            .collect();
        let mut constants = BTreeSet::new();
        for def in &self.defs {
            let Shape::Struct { fields, .. } = &def.shape else {
                given.extend(
                    parts_of(&def.shape)
                        .iter()
                        .filter_map(|ty| ty.name().map(str::to_owned)),
                );
                continue;
            };
            for field in fields {
                let names = match field.presence {
                    Presence::Constant(_) => &mut constants,
                    _ => &mut given,
                };
                names.extend(field.ty.name().map(str::to_owned));
            }
        }
        for def in &mut self.defs {
            def.is_constant = constants.contains(&def.name) && !given.contains(&def.name);
        }
    }

    fn mark(&mut self, ty: &Type, audience: Audience, as_what: Use) {
        let Some(name) = ty.name() else { return };
        for name in self.reach(name) {
            if let Some(def) = self.defs.iter_mut().find(|def| def.name == name) {
                def.audience = def.audience.max(audience);
                def.is_used = true;
                def.in_request |= as_what == Use::Json;
                def.is_sent |= as_what != Use::Read;
            }
        }
    }

    /// Returns a type and all its parts, except for those read by hand-written code.
    fn reach(&self, name: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut next = vec![name.to_owned()];
        let by_hand = |name: &str| self.defs.iter().any(|d| d.name == name && d.is_by_hand);
        while let Some(name) = next.pop() {
            let parts = self.parts(&name);
            if !by_hand(&name) && seen.insert(name) {
                next.extend(parts.iter().filter_map(|ty| ty.name().map(str::to_owned)));
            }
        }
        seen
    }

    /// Returns the type of a property.
    fn property(&self, of: &Type, name: &str) -> Option<Type> {
        let def = self
            .defs
            .iter()
            .find(|def| Some(def.name.as_str()) == of.name())?;
        let Shape::Struct { fields, .. } = &def.shape else {
            return None;
        };
        let field = fields.iter().find(|field| field.name == name)?;
        Some(field.ty.clone())
    }

    fn parts(&self, name: &str) -> Vec<Type> {
        let def = self.defs.iter().find(|def| def.name == name);
        def.map(|def| parts_of(&def.shape)).unwrap_or_default()
    }

    fn holds_secret(&self, name: &str) -> bool {
        self.parts(name).iter().any(Type::is_secret)
    }

    /// Boxes the fields through which a type contains itself by value.
    fn box_circles(&mut self) {
        let names: Vec<String> = self.defs.iter().map(|def| def.name.clone()).collect();
        for name in names {
            let circular: BTreeSet<String> = self
                .parts(&name)
                .iter()
                .filter_map(by_value)
                .filter(|part| self.reach_by_value(part).contains(&name))
                .collect();
            let Some(def) = self.defs.iter_mut().find(|def| def.name == name) else {
                continue;
            };
            let types: Vec<&mut Type> = match &mut def.shape {
                Shape::Struct { fields, .. } => fields.iter_mut().map(|f| &mut f.ty).collect(),
                Shape::Union(variants) => variants.iter_mut().map(|(_, ty)| ty).collect(),
                Shape::Words { .. } | Shape::Id { .. } => Vec::new(),
            };
            for ty in types {
                if by_value(ty).is_some_and(|part| circular.contains(&part)) {
                    let (inner, null) = ty.clone().split_null();
                    let boxed = Type::Boxed(Box::new(inner));
                    *ty = if null { boxed.or_null() } else { boxed };
                }
            }
        }
    }

    fn reach_by_value(&self, name: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut next = vec![name.to_owned()];
        while let Some(name) = next.pop() {
            let parts = self.parts(&name);
            if seen.insert(name) {
                next.extend(parts.iter().filter_map(by_value));
            }
        }
        seen
    }
}

/// Returns the types in a shape.
fn parts_of(shape: &Shape) -> Vec<Type> {
    match shape {
        Shape::Struct { fields, rest } => fields
            .iter()
            .map(|field| field.ty.clone())
            .chain(rest.clone())
            .collect(),
        Shape::Union(variants) => variants.iter().map(|(_, ty)| ty.clone()).collect(),
        Shape::Words { .. } | Shape::Id { .. } => Vec::new(),
    }
}

/// How an operation uses a type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Json,
    Sent,
    Read,
}

/// Returns the name of a type that is contained by value, not behind a list, a map or a box.
fn by_value(ty: &Type) -> Option<String> {
    match ty {
        Type::Named(name) => Some(name.clone()),
        Type::Optional(inner) => by_value(inner),
        _ => None,
    }
}

//! No file uses one that uses it. Names are followed through re-exports to where they are defined.
//! A module may use the module it is in, as where the methods of a type are in several files, and
//! generated files do not count: a description names types that are converted from generated ones.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Item, ItemConst, ItemEnum, ItemStatic, ItemStruct, ItemTrait, ItemType, UseTree,
};

#[test]
fn no_files_of_the_workspace_use_each_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut roots = Vec::new();
    collect(root, &mut roots);
    assert!(roots.len() > 20, "{roots:?}");
    let found: Vec<_> = roots.iter().flat_map(|file| circles(file)).collect();
    assert!(
        found.is_empty(),
        "files that use each other:\n{}",
        found.join("\n")
    );
}

#[test]
fn a_circle_is_found_through_re_exports_and_macros_but_not_through_the_module_above() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let root = folder.path().join("lib.rs");
    write(
        "lib.rs",
        "mod a; mod b; mod face; pub use a::A; pub use b::*;",
    );
    write("a.rs", "pub struct A;");
    write(
        "b.rs",
        "use crate::A; pub struct B; #[cfg(test)] mod tests { use crate::face::Part; }",
    );
    write(
        "face/mod.rs",
        "mod part; pub use part::Part; pub struct Face;",
    );
    write(
        "face/part.rs",
        "use super::Face; use crate::b; pub struct Part; fn f(_: b::B) {}",
    );
    assert!(circles(&root).is_empty(), "{:?}", circles(&root));
    write(
        "a.rs",
        "pub struct A; fn f() { println!(\"{:?}\", crate::B) }",
    );
    let found = circles(&root);
    let only = found.first().filter(|_| found.len() == 1);
    assert!(
        only.is_some_and(|text| text.contains("a.rs uses crate::B, ")),
        "{found:?}"
    );
}

/// Finds the roots of libraries, programs, and tests of several files.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !name.starts_with('.') && !["target", "templates"].contains(&name) {
            collect(&path, found);
        } else if ["src/lib.rs", "src/main.rs"]
            .iter()
            .any(|end| path.ends_with(end))
            || name == "main.rs" && path.iter().any(|part| part == "tests")
        {
            found.push(path);
        }
    }
}

/// Returns the shortest circle of each file, as text.
fn circles(root: &Path) -> BTreeSet<String> {
    let mut modules = Modules::default();
    modules.read(root, &[], true);
    let mut uses: BTreeMap<&Path, BTreeMap<&Path, String>> = BTreeMap::new();
    for (at, module) in &modules.0 {
        let is_generated = module.file.iter().any(|part| part == "generated");
        for path in module.paths.iter().filter(|_| !is_generated) {
            let Some(to) = modules.resolve(at, path, 0) else {
                continue;
            };
            let target = &modules.0[&to].file;
            if !at.starts_with(&to) && *target != module.file {
                let of = uses.entry(&module.file).or_default();
                of.entry(target).or_insert_with(|| path.join("::"));
            }
        }
    }
    uses.keys().filter_map(|file| circle(&uses, file)).collect()
}

/// Returns the shortest way from a file back to it, beginning with the one that sorts first.
fn circle(uses: &BTreeMap<&Path, BTreeMap<&Path, String>>, file: &Path) -> Option<String> {
    let mut came_from: BTreeMap<&Path, &Path> = BTreeMap::new();
    let mut next = VecDeque::from([file]);
    while let Some(at) = next.pop_front() {
        for to in uses.get(at).into_iter().flat_map(BTreeMap::keys) {
            came_from.entry(to).or_insert_with(|| {
                next.push_back(to);
                at
            });
        }
    }
    let mut way = vec![*came_from.get(file)?];
    while way.last() != Some(&file) {
        way.push(came_from[way.last()?]);
    }
    way.reverse();
    let first = (0..way.len()).min_by_key(|at| way[*at])?;
    way.rotate_left(first);
    way.push(way[0]);
    let steps = way
        .windows(2)
        .map(|pair| (pair[0].display(), &uses[pair[0]][pair[1]]));
    let steps: Vec<_> = steps
        .map(|(file, name)| format!("{file} uses {name}"))
        .collect();
    Some(steps.join(", "))
}

/// The modules of a crate, by their paths from its root.
#[derive(Default)]
struct Modules(BTreeMap<Vec<String>, Module>);

#[derive(Default)]
struct Module {
    file: PathBuf,
    /// The names that are defined here, without those of modules.
    items: BTreeSet<String>,
    /// What other names stand for.
    imports: Vec<(String, Vec<String>)>,
    globs: Vec<Vec<String>>,
    /// Every path in the code.
    paths: BTreeSet<Vec<String>>,
}

impl Modules {
    /// Reads a module and those in it, which are beside it if it is the `owner` of its folder.
    fn read(&mut self, file: &Path, at: &[String], owner: bool) {
        let items = syn::parse_file(&fs::read_to_string(file).unwrap())
            .unwrap()
            .items;
        let folder = if owner {
            file.parent().unwrap().to_owned()
        } else {
            file.with_extension("")
        };
        self.add(file, &folder, at, items);
    }

    fn add(&mut self, file: &Path, folder: &Path, at: &[String], items: Vec<Item>) {
        let mut module = Module {
            file: file.to_owned(),
            ..Module::default()
        };
        for item in items {
            match item {
                Item::Mod(inner) if is_test(&inner.attrs) => {}
                Item::Mod(inner) => {
                    let name = inner.ident.to_string();
                    let below = [at, std::slice::from_ref(&name)].concat();
                    let flat = folder.join(format!("{name}.rs"));
                    if let Some((_, items)) = inner.content {
                        self.add(file, &folder.join(&name), &below, items);
                    } else if let Some(path) = placed(&inner.attrs) {
                        self.read(&file.parent().unwrap().join(path), &below, true);
                    } else if flat.exists() {
                        self.read(&flat, &below, false);
                    } else {
                        self.read(&folder.join(name).join("mod.rs"), &below, true);
                    }
                }
                Item::Use(import) => module.import(&import.tree, &mut Vec::new()),
                item => {
                    module.items.extend(name(&item));
                    module.scan(item.to_token_stream());
                }
            }
        }
        self.0.insert(at.to_vec(), module);
    }

    /// Finds the module that defines what a path names; `None` if that is in another crate.
    fn resolve(&self, at: &[String], path: &[String], depth: usize) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        let module = self.0.get(at).filter(|_| depth < 20)?;
        let below = [at, std::slice::from_ref(first)].concat();
        let onward = |at: &[String]| match rest {
            [] => Some(at.to_vec()),
            rest => self.resolve(at, rest, depth),
        };
        match first.as_str() {
            "crate" => onward(&[]),
            "self" => onward(at),
            "super" => onward(at.split_last()?.1),
            _ if self.0.contains_key(&below) => onward(&below),
            _ if module.items.contains(first) => Some(at.to_vec()),
            _ => {
                let named = module.imports.iter().filter(|(name, _)| name == first);
                let named = named.map(|(_, path)| [path, rest].concat());
                let globs = module.globs.iter().map(|glob| [glob, path].concat());
                let mut all = named.chain(globs).filter(|found| found != path);
                all.find_map(|path| self.resolve(at, &path, depth + 1))
            }
        }
    }
}

impl Module {
    fn import(&mut self, tree: &UseTree, before: &mut Vec<String>) {
        let (name, last) = match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(&path.tree, before);
                before.pop();
                return;
            }
            UseTree::Group(group) => {
                return group
                    .items
                    .iter()
                    .for_each(|tree| self.import(tree, before));
            }
            UseTree::Glob(_) => return self.globs.push(before.clone()),
            UseTree::Name(name) => (&name.ident, &name.ident),
            UseTree::Rename(name) => (&name.rename, &name.ident),
        };
        let mut path = before.clone();
        if last != "self" {
            path.push(last.to_string());
        }
        let name = if name == "self" {
            path.last().cloned()
        } else {
            Some(name.to_string())
        };
        self.imports.push((name.unwrap_or_default(), path.clone()));
        self.paths.insert(path);
    }

    /// Finds paths, in macros too. Single names are imported or defined here.
    fn scan(&mut self, tokens: TokenStream) {
        let (mut path, mut colons) = (Vec::new(), 0);
        for token in tokens {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(name) if colons == 2 => path.push(name.to_string()),
                TokenTree::Ident(name) => {
                    self.note(std::mem::replace(&mut path, vec![name.to_string()]));
                }
                TokenTree::Group(group) => {
                    self.note(std::mem::take(&mut path));
                    self.scan(group.stream());
                }
                _ => self.note(std::mem::take(&mut path)),
            }
            colons = 0;
        }
        self.note(path);
    }

    fn note(&mut self, path: Vec<String>) {
        if path.len() > 1 {
            self.paths.insert(path);
        }
    }
}

fn name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(ItemConst { ident, .. })
        | Item::Enum(ItemEnum { ident, .. })
        | Item::Static(ItemStatic { ident, .. })
        | Item::Struct(ItemStruct { ident, .. })
        | Item::Trait(ItemTrait { ident, .. })
        | Item::Type(ItemType { ident, .. }) => ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        _ => return None,
    };
    Some(name.to_string())
}

fn is_test(attrs: &[Attribute]) -> bool {
    let mut texts = attrs.iter().map(|attr| attr.to_token_stream().to_string());
    texts.any(|text| text.starts_with("# [cfg (test") || text.starts_with("# [cfg (all (test"))
}

/// Returns the file that an attribute names.
fn placed(attrs: &[Attribute]) -> Option<String> {
    let path = attrs.iter().find(|attr| attr.path().is_ident("path"))?;
    Some(
        path.to_token_stream()
            .to_string()
            .split('"')
            .nth(1)?
            .to_owned(),
    )
}

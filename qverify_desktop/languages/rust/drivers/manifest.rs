//! A package's manifest, changed in the sandbox so that its tests can be built (The Cargo Book, "The Manifest Format"). Works on lines:
//! what it does not recognise stays as it is, and cargo has the last word.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Name the generated tests where cargo would not find them itself, and where they would be of another edition than they are
/// written in.
pub fn declare(manifest: &Path) {
    let text = fs::read_to_string(manifest).unwrap_or_default();
    let old = !text.lines().any(|line| line.trim_start().starts_with("edition")) || text.contains("edition = \"2015\"");
    if text.contains("path = \"tests/qv_all/main.rs\"") || !(old || text.contains("autotests")) {
        return;
    }
    let mut changed = text.clone();
    if old && !text.contains("autotests") {
        // Without it a test that is named keeps the others of an old edition from being found.
        changed = changed.replacen("[package]", "[package]\nautotests = true", 1);
    }
    changed.push_str("\n[[test]]\nname = \"qv_all\"\npath = \"tests/qv_all/main.rs\"\nedition = \"2021\"\n");
    write(manifest, &changed);
}

/// Leave out what a build of the package with its default features can do without: what only its own tests and measurements
/// need, optional dependencies, those of other systems. Answers whether there was any.
pub fn lean(manifest: &Path) -> bool {
    let text = fs::read_to_string(manifest).unwrap_or_default();
    let mut gone = BTreeSet::new();
    let kept: Vec<Section> = sections(&text).into_iter().filter_map(|section| trimmed(section, &mut gone)).collect();
    let lean: String = kept.into_iter().map(|section| without_features(section, &gone)).collect();
    let changed = lean.trim() != text.trim();
    if changed {
        write(manifest, &lean);
    }
    changed
}

/// A table: its header's name (empty for what stands before the first), and its text with the header.
struct Section {
    name: String,
    text: String,
}

fn sections(text: &str) -> Vec<Section> {
    let mut found = vec![Section { name: String::new(), text: String::new() }];
    for line in text.lines() {
        let bare = line.trim();
        // A line of an array may begin with a bracket too, but does not end with one alone.
        if bare.starts_with('[') && bare.ends_with(']') && !line.starts_with(' ') {
            let name = bare.trim_matches(|c| c == '[' || c == ']' || c == ' ').to_string();
            found.push(Section { name, text: String::new() });
        }
        if let Some(last) = found.last_mut() {
            last.text.push_str(line);
            last.text.push('\n');
        }
    }
    found
}

fn trimmed(section: Section, gone: &mut BTreeSet<String>) -> Option<Section> {
    let parts: Vec<String> = section.name.split('.').map(|part| part.trim().trim_matches('"').to_string()).collect();
    let elsewhere = ["windows", "wasm", "wasi", "redox", "hermit", "macos"].iter().any(|os| section.name.contains(os));
    if parts.iter().any(|part| part == "dev-dependencies") || section.name == "bench" {
        return None;
    }
    if !parts.iter().any(|part| part == "dependencies") {
        return Some(section);
    }
    let optional = |line: &str| line.replace(' ', "").contains("optional=true");
    if parts.last().is_some_and(|last| last != "dependencies") {
        if elsewhere || section.text.lines().any(optional) {
            gone.extend(parts.last().cloned());
            return None;
        }
        return Some(section);
    }
    if elsewhere {
        return None;
    }
    let mut text = String::new();
    for line in section.text.lines() {
        match line.split_once('=') {
            Some((name, _)) if optional(line) => {
                gone.insert(name.trim().trim_matches('"').to_string());
            }
            _ => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    Some(Section { text, ..section })
}

/// The section's text; in the one of features without those that need what is gone.
fn without_features(section: Section, gone: &BTreeSet<String>) -> String {
    if section.name != "features" || gone.is_empty() {
        return section.text;
    }
    let mut out = String::from("[features]\n");
    let body = section.text.lines().skip(1).collect::<Vec<_>>().join("\n");
    for entry in body.split(']') {
        let Some((name, list)) = entry.split_once('=') else { continue };
        let items = list.split('"').skip(1).step_by(2).filter(|item| {
            let package = item.trim_start_matches("dep:").split(['/', '?']).next().unwrap_or_default();
            !gone.contains(package)
        });
        let items: Vec<String> = items.map(|item| format!("\"{item}\"")).collect();
        let name = name.lines().last().unwrap_or_default().trim();
        out.push_str(&format!("{name} = [{}]\n", items.join(", ")));
    }
    out
}

/// Replace a file, also where it is write-protected, and never through a link.
fn write(path: &Path, text: &str) {
    let _ = fs::remove_file(path);
    let _ = fs::write(path, text);
}

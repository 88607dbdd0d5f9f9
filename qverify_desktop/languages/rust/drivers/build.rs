//! Building with cargo: which test programs come out, and which errors stand where (The Cargo Book, "JSON messages").

use crate::json::{self, Json};
use crate::process::{self, End};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A test program: its root file relative to the work folder, whether it is linked with libtest, the package's folder.
#[derive(Clone)]
pub struct Program {
    pub path: PathBuf,
    pub root: String,
    pub harness: bool,
    pub folder: PathBuf,
}

/// Where an error is: the file as the compiler names it, first and last line, first and last byte.
#[derive(Clone)]
pub struct Error {
    pub file: String,
    pub lines: (usize, usize),
    pub bytes: (usize, usize),
    pub text: String,
    /// Root file of what was compiled, relative to the work folder.
    pub root: String,
}

pub struct Built {
    pub programs: Vec<Program>,
    pub errors: Vec<Error>,
    /// What cargo said where it did not come to compile anything.
    pub problem: String,
    /// Whether anything was compiled.
    pub begun: bool,
}

/// How everything is built: with coverage or without.
pub struct Builder {
    pub work: PathBuf,
    pub coverage: bool,
    pub incremental: bool,
}

impl Builder {
    /// Build a package's tests: `all`, or only the generated ones.
    ///
    /// Where cargo can't even begin, as when a crate that only the project's own tests need is not there, it is asked again
    /// without what such tests need.
    pub fn build(&self, folder: &str, all: bool, limit: Duration) -> Built {
        let built = self.attempt(folder, all, limit);
        if !built.begun && lean(&self.work.join(folder).join("Cargo.toml")) {
            let again = self.attempt(folder, all, limit);
            return Built { problem: if again.begun { again.problem } else { built.problem }, ..again };
        }
        built
    }

    fn attempt(&self, folder: &str, all: bool, limit: Duration) -> Built {
        let mut command = self.cargo();
        command.args(["build", "--offline", "--message-format=json", "--keep-going"]);
        command.arg("--manifest-path").arg(self.work.join(folder).join("Cargo.toml"));
        command.args(if all { vec!["--tests"] } else { vec!["--test", "qv_all"] });
        let errors = self.work.join(".qverify/cargo.txt");
        let end = with_errors(&mut command, &errors, limit);
        let said = std::fs::read_to_string(&errors).unwrap_or_default();
        self.read(&end, &said, folder)
    }

    fn cargo(&self) -> Command {
        let mut command = Command::new("cargo");
        let own = std::env::current_exe().unwrap_or_default();
        command.current_dir(&self.work).env("RUSTC_WORKSPACE_WRAPPER", own).env("RUSTC_WRAPPER", "");
        command.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
        command.env("CARGO_INCREMENTAL", if self.incremental { "1" } else { "0" });
        let flags = if self.coverage { "-C instrument-coverage -Z coverage-options=branch --cfg qv_coverage" } else { "" };
        command.env("QV_RUSTC_FLAGS", format!("{flags} --cap-lints warn"));
        command
    }

    fn read(&self, end: &End, said: &str, folder: &str) -> Built {
        let mut built = Built { programs: Vec::new(), errors: Vec::new(), problem: String::new(), begun: false };
        for document in end.output.lines().filter_map(json::parse) {
            let target = document.get("target");
            let root = self.below(target.get("src_path").text());
            match document.get("reason").text() {
                "compiler-artifact" => {
                    built.begun = true;
                    let path = document.get("executable").text();
                    if !path.is_empty() && document.get("profile").get("test").is_true() {
                        let manifest = PathBuf::from(document.get("manifest_path").text());
                        let folder = manifest.parent().map(Path::to_path_buf).unwrap_or_default();
                        let harness = *target.get("test") != Json::Bool(false);
                        built.programs.push(Program { path: path.into(), root, harness, folder });
                    }
                }
                "compiler-message" => {
                    built.begun = true;
                    let message = document.get("message");
                    if message.get("level").text() == "error" {
                        built.errors.extend(self.errors(message, root, folder));
                    }
                }
                _ => {}
            }
        }
        if end.expired {
            built.problem = "The build did not end in time.".to_string();
        } else if !end.success() && built.errors.is_empty() && (!built.begun || built.programs.is_empty()) {
            let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
            built.problem = lines[lines.len().saturating_sub(12)..].join("\n");
        }
        built
    }

    /// An error's places: each primary span, where a macro made it the place of the macro's call.
    fn errors(&self, message: &Json, root: String, folder: &str) -> Vec<Error> {
        let code = message.get("code").get("code").text();
        let text = format!("error[{code}]: {}", message.get("message").text()).replace("[]", "");
        let mut found = Vec::new();
        for span in message.get("spans").list().iter().filter(|span| span.get("is_primary").is_true()) {
            let mut place = span;
            while *place.get("expansion") != Json::Null {
                place = place.get("expansion").get("span");
            }
            found.push(Error {
                file: self.file(place.get("file_name").text(), folder),
                lines: (place.get("line_start").number(), place.get("line_end").number()),
                bytes: (place.get("byte_start").number(), place.get("byte_end").number()),
                text: text.clone(),
                root: root.clone(),
            });
        }
        if found.is_empty() && !text.contains("aborting due to") {
            found.push(Error { file: String::new(), lines: (0, 0), bytes: (0, 0), text, root });
        }
        found
    }

    /// A file as the compiler names it, relative to the work folder: it runs in the root of the workspace.
    pub fn file(&self, name: &str, folder: &str) -> String {
        let path = Path::new(name);
        if path.is_absolute() {
            return self.below(name);
        }
        let above = Path::new(folder).ancestors().map(|folder| folder.join(path));
        if let Some(found) = above.into_iter().find(|path| self.work.join(path).is_file()) {
            return found.to_string_lossy().into_owned();
        }
        name.to_string()
    }

    pub fn below(&self, path: &str) -> String {
        Path::new(path).strip_prefix(&self.work).map(|p| p.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// Run cargo with its own words kept in a file. Its output is larger than that of a test, so it is kept in a file too.
fn with_errors(command: &mut Command, errors: &Path, limit: Duration) -> End {
    let messages = errors.with_extension("json");
    let inner = format!("exec \"$0\" \"$@\" >'{}' 2>'{}'", messages.display(), errors.display());
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(inner).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    let mut end = process::run(&mut shell, limit);
    end.output = String::from_utf8_lossy(&std::fs::read(&messages).unwrap_or_default()).into_owned();
    end
}

/// cargo hands the compiler's command line to this program for the workspace's own packages: it adds to it.
pub fn wrap(arguments: &[String]) -> ! {
    use std::os::unix::process::CommandExt;
    let flags = std::env::var("QV_RUSTC_FLAGS").unwrap_or_default();
    let mut command = Command::new(&arguments[0]);
    command.args(&arguments[1..]).args(flags.split_whitespace());
    if flags.contains("-Z") {
        command.env("RUSTC_BOOTSTRAP", "1");
    }
    let error = command.exec();
    eprintln!("{error}");
    std::process::exit(70)
}

/// Leave out of a manifest what only the package's own tests and measurements need. Answers whether there was any.
fn lean(manifest: &Path) -> bool {
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    let mut kept = String::new();
    let mut out = false;
    for line in text.lines() {
        let bare = line.trim();
        if bare.starts_with('[') {
            let name = bare.trim_matches(|c| c == '[' || c == ']' || c == ' ');
            out = name.split('.').any(|part| part.trim() == "dev-dependencies") || name == "bench";
        }
        if !out {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    let changed = kept.lines().count() != text.lines().count();
    if changed {
        let _ = std::fs::remove_file(manifest);
        let _ = std::fs::write(manifest, kept);
    }
    changed
}

/// Packages of the request by folder, each with the files that were generated for it.
pub fn by_folder<'a>(folders: &[String], files: impl Iterator<Item = &'a String>) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files {
        let above = folders.iter().filter(|f| f.is_empty() || file.starts_with(&format!("{f}/")));
        let folder = above.max_by_key(|f| f.len()).cloned().unwrap_or_default();
        found.entry(folder).or_default().push(file.clone());
    }
    found
}

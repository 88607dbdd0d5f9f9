//! All mutants in one build: each changed expression becomes a choice that the number in `QV_MUTANT` makes (Untch et al. 1993,
//! "Mutation analysis using mutant schemata").

use crate::json::Json;

/// A change of bytes `start` to `end` of a file; `number` is its own from 1 on.
#[derive(Clone)]
pub struct Change {
    pub number: usize,
    pub id: String,
    pub file: String,
    pub start: usize,
    pub end: usize,
    pub original: String,
    pub replacement: String,
    pub tests: Vec<String>,
}

/// Bytes of a rewritten file that belong to a change.
pub struct Span {
    pub number: usize,
    pub start: usize,
    pub end: usize,
}

pub fn changes(request: &Json) -> Vec<Change> {
    let read = |(index, one): (usize, &Json)| Change {
        number: index + 1,
        id: one.get("id").text().to_string(),
        file: one.get("file").text().to_string(),
        start: one.get("start").number(),
        end: one.get("end").number(),
        original: one.get("original").text().to_string(),
        replacement: one.get("replacement").text().to_string(),
        tests: one.get("tests").texts(),
    };
    request.get("mutants").list().iter().enumerate().map(read).collect()
}

/// `source` with all changes in it, and where each stands in the result.
pub fn woven(source: &str, changes: &[Change]) -> (String, Vec<Span>) {
    let mut places: Vec<(usize, usize)> = changes.iter().map(|one| (one.start, one.end)).collect();
    places.sort_by_key(|(start, end)| (*start, usize::MAX - end));
    places.dedup();
    let mut out = String::new();
    let mut spans = Vec::new();
    let mut weaver = Weaver { source, changes, places: &places, spans: &mut spans };
    weaver.weave(0, source.len(), 0, places.len(), &mut out);
    (out, spans)
}

struct Weaver<'a> {
    source: &'a str,
    changes: &'a [Change],
    places: &'a [(usize, usize)],
    spans: &'a mut Vec<Span>,
}

impl Weaver<'_> {
    /// Write the source from `from` to `to`, the places `first` to `last` in it as choices. Places nest, they never cross.
    fn weave(&mut self, from: usize, to: usize, first: usize, last: usize, out: &mut String) {
        let mut at = from;
        let mut index = first;
        while index < last {
            let (start, end) = self.places[index];
            let inner = index + 1;
            let mut next = inner;
            while next < last && self.places[next].0 < end {
                next += 1;
            }
            if start >= at && end <= to {
                out.push_str(&self.source[at..start]);
                self.choice(start, end, inner, next, out);
                at = end;
            }
            index = next;
        }
        out.push_str(&self.source[at..to]);
    }

    fn choice(&mut self, start: usize, end: usize, inner: usize, next: usize, out: &mut String) {
        let statement = self.source[start..end].ends_with(';');
        let begins = out.len();
        out.push_str(if statement { "" } else { "(" });
        let here: Vec<Change> =
            self.changes.iter().filter(|one| (one.start, one.end) == (start, end)).cloned().collect();
        let mut opened = Vec::new();
        for one in &here {
            let from = out.len();
            out.push_str(&format!("if crate::qv_mutant({}) {{ {} }} else ", one.number, one.replacement));
            opened.push((one.number, from, out.len()));
        }
        out.push_str("{ ");
        self.weave(start, end, inner, next, out);
        out.push_str(if statement { " }" } else { " })" });
        for (number, from, until) in opened {
            self.spans.push(Span { number, start: from, end: until });
        }
        // An error about the choice as a whole belongs to each that is offered.
        for one in &here {
            self.spans.push(Span { number: one.number, start: begins, end: out.len() });
        }
    }
}

/// The choice itself, to be added to a crate's root.
pub const CHOOSER: &str = "
#[allow(unused_extern_crates)]
extern crate std as qv_std;
#[doc(hidden)]
#[allow(dead_code)]
pub fn qv_mutant(number: usize) -> bool {
    static CHOSEN: crate::qv_std::sync::OnceLock<usize> = crate::qv_std::sync::OnceLock::new();
    *CHOSEN.get_or_init(|| {
        crate::qv_std::env::var(\"QV_MUTANT\").ok().and_then(|text| text.parse().ok()).unwrap_or(0)
    }) == number
}
";

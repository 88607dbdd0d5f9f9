use crate::Span;

/// Spans that overlap or touch become one; the answer is sorted.
///
/// ```
/// use intervals::{merged, Span};
///
/// let spans = vec![Span::new(5, 8), Span::new(1, 3), Span::new(3, 4)];
/// assert_eq!(merged(spans), vec![Span::new(1, 4), Span::new(5, 8)]);
/// ```
pub fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort();
    let mut found: Vec<Span> = Vec::new();
    for span in spans {
        match found.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => found.push(span),
        }
    }
    found
}

//! Ways through a net of places.

use std::collections::{BTreeMap, HashMap, VecDeque};

pub type Net = HashMap<String, Vec<String>>;

/// A net from pairs of neighbours, each of which can be gone in both directions.
///
/// ```
/// let net = routes::net(&[("a", "b"), ("b", "c")]);
/// assert_eq!(net["b"], ["a", "c"]);
/// ```
pub fn net(pairs: &[(&str, &str)]) -> Net {
    let mut net = Net::new();
    for (from, to) in pairs {
        net.entry(from.to_string()).or_default().push(to.to_string());
        net.entry(to.to_string()).or_default().push(from.to_string());
    }
    net
}

/// The fewest steps between two places, `None` where no way leads.
///
/// ```
/// use routes::{net, steps};
///
/// let net = net(&[("quay", "market"), ("market", "mill"), ("inn", "well")]);
/// assert_eq!(steps(&net, "quay", "mill"), Some(2));
/// assert_eq!(steps(&net, "quay", "inn"), None);
/// assert_eq!(steps(&net, "quay", "quay"), Some(0));
/// ```
pub fn steps(net: &Net, from: &str, to: &str) -> Option<usize> {
    let mut seen = BTreeMap::from([(from.to_string(), 0)]);
    let mut queue = VecDeque::from([from.to_string()]);
    while let Some(place) = queue.pop_front() {
        let far = seen[&place];
        if place == to {
            return Some(far);
        }
        for next in net.get(&place).into_iter().flatten() {
            if !seen.contains_key(next) {
                seen.insert(next.clone(), far + 1);
                queue.push_back(next.clone());
            }
        }
    }
    None
}

//! Polygons in the plane.

/// A corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

impl Point {
    pub const fn at(x: f64, y: f64) -> Self {
        Point { x, y }
    }

    /// Distance to another point.
    ///
    /// ```
    /// # use polygon::Point;
    /// let origin = Point::at(0.0, 0.0);
    /// assert_eq!(origin.distance(Point::at(3.0, 4.0)), 5.0);
    /// assert!((origin.distance(Point::at(1.0, 1.0)) - 1.41421).abs() < 1e-5);
    /// ```
    pub fn distance(self, other: Point) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// The area inside of the corners, after the shoelace formula; 0 for fewer than three.
///
/// ```
/// use polygon::{area, Point};
///
/// let square = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)].map(|(x, y)| Point::at(x, y));
/// assert_eq!(area(&square), 4.0);
/// assert_eq!(area(&square[..2]), 0.0);
/// ```
///
/// A circle is approximately `area(&[]) == 3.14`, which no polygon is.
pub fn area(corners: &[Point]) -> f64 {
    if corners.len() < 3 {
        return 0.0;
    }
    let next = corners.iter().cycle().skip(1);
    corners.iter().zip(next).map(|(a, b)| a.x * b.y - b.x * a.y).sum::<f64>().abs() / 2.0
}

/// Degrees as radians: `radians(180.0) == 3.14159`, `radians(90.0) = 1.57`.
pub fn radians(degrees: f64) -> f64 {
    degrees * std::f64::consts::PI / 180.0
}

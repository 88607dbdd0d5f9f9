//! Small matrices of whole numbers.

use std::ops::Mul;

/// Rows of equal length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    width: usize,
    cells: Vec<i64>,
}

impl Grid {
    /// From rows; `None` where they differ in length or there is none.
    ///
    /// ```
    /// use grid_math::Grid;
    /// assert!(Grid::from_rows(&[&[1, 2], &[3]]).is_none());
    /// ```
    pub fn from_rows(rows: &[&[i64]]) -> Option<Grid> {
        let width = rows.first()?.len();
        if width == 0 || rows.iter().any(|row| row.len() != width) {
            return None;
        }
        Some(Grid { width, cells: rows.concat() })
    }

    /// Width and height.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.cells.len() / self.width)
    }

    /// Columns as rows.
    ///
    /// ```
    /// use grid_math::Grid;
    ///
    /// let grid = Grid::from_rows(&[&[1, 2, 3], &[4, 5, 6]]).unwrap();
    /// assert_eq!(grid.transposed(), Grid::from_rows(&[&[1, 4], &[2, 5], &[3, 6]]).unwrap());
    /// ```
    pub fn transposed(&self) -> Grid {
        let (width, height) = self.size();
        let mut cells = Vec::with_capacity(self.cells.len());
        for column in 0..width {
            for row in 0..height {
                cells.push(self.cells[row * width + column]);
            }
        }
        Grid { width, cells }
    }
}

/// Each cell times a number:
///
/// ```
/// # use grid_math::Grid;
/// let grid = Grid::from_rows(&[&[1, -2]]).unwrap();
/// assert_eq!(grid * 3, Grid::from_rows(&[&[3, -6]]).unwrap());
/// ```
impl Mul<i64> for Grid {
    type Output = Grid;

    fn mul(self, factor: i64) -> Grid {
        Grid { width: self.width, cells: self.cells.iter().map(|cell| cell * factor).collect() }
    }
}

//! Tables without lines: the first column to the left, numbers to the right, 80 columns at most.

use comfy_table::{CellAlignment, Row, Table as Layout, presets};

use super::WIDTH;
use super::numbers::cut;
use super::style::Style;

/// Names are cut to this width first.
const NAME_WIDTH: usize = 16;

/// And to this one where the table would be too wide.
const NAME_WIDTH_MIN: usize = 8;

/// A table in the making.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    words_last: bool,
}

impl Table {
    pub(super) fn new(header: &[&str]) -> Self {
        Self { rows: vec![header.iter().map(|&cell| cell.to_owned()).collect()], words_last: false }
    }

    /// The last column holds words and stands to the left.
    pub(super) fn words_last(mut self) -> Self {
        self.words_last = true;
        self
    }

    /// A row of a name and its cells.
    pub(super) fn row(&mut self, name: &str, cells: impl IntoIterator<Item = String>) {
        let mut row = vec![cut(name, NAME_WIDTH)];
        row.extend(cells);
        self.rows.push(row);
    }

    /// The lines of the table, the header marked.
    pub(super) fn render(mut self, style: Style) -> String {
        let gap = self.fit();
        let last = self.rows[0].len() - 1;
        let mut layout = Layout::new();
        layout.load_style(presets::NOTHING);
        let mut rows = self.rows.into_iter().map(Row::from);
        layout.set_header(rows.next().expect("there is a header"));
        layout.add_rows(rows);
        for (place, column) in layout.column_iter_mut().enumerate() {
            let left = place == 0 || place == last && self.words_last;
            column.set_padding((0, if place == last { 0 } else { gap }));
            column.set_cell_alignment(if left { CellAlignment::Left } else { CellAlignment::Right });
        }
        let mut text = String::new();
        for (place, line) in layout.lines().enumerate() {
            let line = line.trim_end();
            text += &if place == 0 { style.heading(line) } else { line.to_owned() };
            text.push('\n');
        }
        text
    }

    /// Makes it fit: closer columns first, then shorter names. Returns the space between columns.
    fn fit(&mut self) -> u16 {
        let columns = self.rows[0].len();
        let width = |place: usize| self.rows.iter().map(|row| row[place].chars().count()).max().unwrap_or(0);
        let widths: usize = (0..columns).map(width).sum();
        if widths + 2 * (columns - 1) <= WIDTH {
            return 2;
        }
        let over = (widths + columns - 1).saturating_sub(WIDTH);
        let name_width = width(0).saturating_sub(over).max(NAME_WIDTH_MIN);
        for row in &mut self.rows {
            row[0] = cut(&row[0], name_width);
        }
        1
    }
}

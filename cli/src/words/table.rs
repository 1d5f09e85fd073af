//! Columns that line up. The widths are those of the cells; a terminal's width is not asked.

use super::Style;

/// A table: a head, rows of the same length, cells that may stand to the right.
#[derive(Debug, Default)]
pub struct Table {
    head: Vec<&'static str>,
    right: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns; a name that starts with `>` aligns its column to the right.
    pub fn new(columns: &[&'static str]) -> Table {
        Table {
            head: columns.iter().map(|name| name.trim_start_matches('>')).collect(),
            right: columns.iter().map(|name| name.starts_with('>')).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row with one cell per column.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.head.len());
        self.rows.push(cells.into());
    }

    /// The table as lines, without spaces at their ends and without a line end at the end.
    pub fn text(&self, style: Style) -> String {
        let widths: Vec<usize> = (0..self.head.len())
            .map(|column| {
                let cells = self.rows.iter().map(|row| row[column].chars().count());
                cells.chain([self.head[column].len()]).max().unwrap_or(0)
            })
            .collect();
        let head: Vec<String> = self.head.iter().map(|&name| name.to_owned()).collect();
        let lines = [style.head(&self.line(&head, &widths))];
        let rows = self.rows.iter().map(|row| self.line(row, &widths));
        lines.into_iter().chain(rows).collect::<Vec<_>>().join("\n")
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (column, cell) in cells.iter().enumerate() {
            let width = widths[column];
            let gap = if column == 0 { "" } else { "  " };
            line += &match self.right[column] {
                true => format!("{gap}{cell:>width$}"),
                false => format!("{gap}{cell:<width$}"),
            };
        }
        line.truncate(line.trim_end().len());
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_end_without_spaces() {
        let mut table = Table::new(&["id", ">load", "state"]);
        table.row(["a".into(), "12 %".into(), "idle".into()]);
        table.row(["long".into(), "1 %".into(), String::new()]);
        assert_eq!(table.text(Style::PLAIN), "id    load  state\na     12 %  idle\nlong   1 %");
    }
}

//! The table of all results, for people.

use std::fmt::Write as _;

use crate::results::Results;
use crate::row::{Goal, Row, Spread};

/// Writes all groups as one table of Markdown, in this order.
pub fn markdown(results: &Results, order: &[&str]) -> String {
    let mut text = "| run | started (UTC) | commit | compiler | machine |\n\
                    | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for (letter, run) in results.runs() {
        let _ = writeln!(
            text,
            "| {letter} | {} | {} | {} | {} cores of {} |",
            run.started, run.commit, run.compiler, run.cores, run.processor
        );
    }
    text += "\n| group | run | load | case | unit | ours | peer | peer's | ratio | goal |\n\
             | --- | --- | --- | --- | --- | ---: | --- | ---: | ---: | --- |\n";
    for name in order {
        let Some(group) = results.groups.get(*name) else {
            continue;
        };
        let letter = results.letter(group);
        let [before, after] = group.load;
        for row in &group.rows {
            let _ = writeln!(
                text,
                "| {name} | {letter} | {before:.0}–{after:.0} | {} | {} | {} | {} | {} |",
                row.case.replace('|', "\\|"),
                row.unit,
                figure(row.ours),
                beside(row).join(" | "),
                goal(row),
            );
        }
    }
    text
}

/// Writes the rows of a group for a terminal.
pub fn plain(rows: &[Row]) -> String {
    let mut lines: Vec<[String; 7]> =
        vec![["case", "unit", "ours", "peer", "peer's", "ratio", "goal"].map(str::to_owned)];
    for row in rows {
        let (case, unit) = (row.case.clone(), row.unit.clone());
        let [name, peers, ratio] = beside(row);
        lines.push([case, unit, figure(row.ours), name, peers, ratio, goal(row)]);
    }
    let mut widths = [0; 7];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text
}

/// The name of the peer, its figure, and the ratio.
fn beside(row: &Row) -> [String; 3] {
    let Some(peer) = &row.peer else {
        return Default::default();
    };
    let ratio = peer.ratio;
    let mut shown = number(ratio.median);
    if ratio.parts > 1 {
        let _ = write!(shown, " ({}–{})", number(ratio.min), number(ratio.max));
    }
    [peer.name.clone(), figure(peer.figure), shown]
}

fn figure(spread: Spread) -> String {
    number(spread.median)
}

fn goal(row: &Row) -> String {
    let Some((goal, is_met)) = row.goal.zip(row.is_met()) else {
        return String::new();
    };
    let limit = match goal {
        Goal::AtLeast(limit) => format!("≥ {}", number(limit)),
        Goal::AtMost(limit) => format!("≤ {}", number(limit)),
    };
    match is_met {
        true => format!("{limit}: met"),
        false => format!("{limit}: **missed**"),
    }
}

/// Shows three digits, and thousands apart.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if value == value.round() && size < 1000.0 {
        return format!("{value:.0}");
    }
    let digits = match size {
        ..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    if size < 1000.0 {
        return text;
    }
    let (sign, whole) = text
        .strip_prefix('-')
        .map_or(("", &*text), |whole| ("-", whole));
    let mut shown = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Group, Run};
    use crate::row::Figure;

    fn group(started: &str, rows: Vec<Row>) -> Group {
        Group {
            run: Run {
                started: started.to_owned(),
                commit: "abc".to_owned(),
                compiler: "1.0".to_owned(),
                processor: "a processor".to_owned(),
                cores: 2,
            },
            load: [1.2, 3.4],
            rows,
        }
    }

    #[test]
    fn each_row_says_its_run_its_ratio_and_whether_the_goal_is_met() {
        let one = Figure::once(1.0);
        let parts = Figure::of_parts(vec![2.0, 4.0, 3.0]);
        let mut results = Results::default();
        let of_core = Row::beside("a|b", "ns", &one, "a peer", &parts).at_least(3.5);
        results.put("core", group("2026-01-02", vec![of_core]));
        let of_ticket = Row::alone("c", "crates", &Figure::once(12_345.0)).at_most(20_000.0);
        results.put("ticket", group("2026-01-01", vec![of_ticket]));
        let text = markdown(&results, &["core", "ticket", "userinfo"]);
        let lines: Vec<_> = text.lines().filter(|line| line.starts_with("| ")).collect();
        assert_eq!(
            lines[2],
            "| A | 2026-01-01 | abc | 1.0 | 2 cores of a processor |"
        );
        assert!(lines[3].starts_with("| B | 2026-01-02 |"), "{text}");
        assert_eq!(
            lines[6],
            "| core | B | 1–3 | a\\|b | ns | 1 | a peer | 3 | 3 (2–4) | ≥ 3.50: **missed** |"
        );
        assert_eq!(
            lines[7],
            "| ticket | A | 1–3 | c | crates | 12,345 |  |  |  | ≤ 20,000: met |"
        );
        assert_eq!(lines.len(), 8);
    }

    #[test]
    fn on_a_terminal_columns_begin_below_each_other() {
        let one = Figure::once(1.0);
        let rows = [
            Row::beside("a long case", "ns", &one, "a peer", &Figure::once(2.0)).at_least(1.0),
            Row::alone("short", "crates", &one),
        ];
        assert_eq!(
            plain(&rows),
            "case         unit    ours  peer    peer's  ratio  goal\n\
             a long case  ns      1     a peer  2       2      ≥ 1: met\n\
             short        crates  1\n"
        );
    }

    #[test]
    fn numbers_have_three_digits_and_their_thousands_apart() {
        let shown = [
            0.0,
            1.004,
            9.876,
            12.34,
            123.4,
            1234.4,
            1_234_567.0,
            -1234.0,
            80.0,
        ];
        let shown: Vec<_> = shown.into_iter().map(number).collect();
        let wanted = [
            "0",
            "1.00",
            "9.88",
            "12.3",
            "123",
            "1,234",
            "1,234,567",
            "-1,234",
            "80",
        ];
        assert_eq!(shown, wanted);
    }
}

//! A plot of the ratios of a group, as SVG.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::results::Group;
use crate::row::{Peer, Row};
use crate::table::number;

const WIDTH: u32 = 960;
const LABELS: u32 = 520;
const LINE: u32 = 18;
/// For the title, and for the numbers below.
const AROUND: u32 = 90;

const BETTER: RGBColor = RGBColor(0x1b, 0x7f, 0x4d);
const WORSE: RGBColor = RGBColor(0xb0, 0x3a, 0x2e);
const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);

/// Draws peer / ours for each row with a peer, and how far the parts of the run are apart. Returns
/// `None` if no row has a peer.
pub fn ratios(name: &str, group: &Group) -> Option<String> {
    let rows: Vec<(&Row, &Peer)> = group
        .rows
        .iter()
        .filter_map(|row| row.peer.as_ref().map(|peer| (row, peer)))
        .filter(|(_, peer)| peer.ratio.min > 0.0 && peer.ratio.max.is_finite())
        .collect();
    if rows.is_empty() {
        return None;
    }
    let mut text = String::new();
    let height = AROUND + LINE * rows.len() as u32;
    let root = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
    draw(&root, name, group, &rows).expect("a text takes all that is written");
    drop(root);
    Some(text)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<<SVGBackend<'static> as DrawingBackend>::ErrorType>>;

fn draw(root: &Area<'_>, name: &str, group: &Group, rows: &[(&Row, &Peer)]) -> Drawn {
    root.fill(&WHITE)?;
    let lowest = rows.iter().map(|(_, peer)| peer.ratio.min);
    let highest = rows.iter().map(|(_, peer)| peer.ratio.max);
    let lowest = lowest.fold(1.0, f64::min) / 1.15;
    let highest = highest.fold(1.0, f64::max) * 1.15;

    let title = format!(
        "{name}: peer / ours, above 1 ours is better ({}, {})",
        group.run.started, group.run.commit
    );
    root.draw(&Text::new(title, (12, 12), font(15)))?;
    let mut chart = ChartBuilder::on(root)
        .margin_top(36)
        .margin_right(24)
        .margin_bottom(12)
        .x_label_area_size(28)
        .y_label_area_size(LABELS)
        .build_cartesian_2d((lowest..highest).log_scale(), 0.0..rows.len() as f64)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(0)
        .x_max_light_lines(0)
        .bold_line_style(GRID)
        .x_label_formatter(&|value| number(*value))
        .label_style(font(12))
        .draw()?;
    let one = vec![(1.0, 0.0), (1.0, rows.len() as f64)];
    chart.draw_series([PathElement::new(one, BLACK.stroke_width(1))])?;

    let right = Pos::new(HPos::Right, VPos::Center);
    for (at, (row, peer)) in rows.iter().enumerate() {
        // The first on top.
        let y = (rows.len() - at) as f64 - 0.5;
        let color = if peer.ratio.median >= 1.0 {
            BETTER
        } else {
            WORSE
        };
        let spread = vec![(peer.ratio.min, y), (peer.ratio.max, y)];
        chart.draw_series([PathElement::new(spread, color.stroke_width(2))])?;
        let dot = (peer.ratio.median, y);
        chart.draw_series([Circle::new(dot, 4, color.filled())])?;
        let (_, pixel) = chart.backend_coord(&dot);
        let label = format!("{} · {}", row.case, peer.name);
        let place = ((LABELS - 8) as i32, pixel);
        root.draw(&Text::new(label, place, font(12).pos(right)))?;
    }
    root.present()
}

fn font(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&BLACK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Run;
    use crate::row::Figure;

    fn group(rows: Vec<Row>) -> Group {
        Group {
            run: Run {
                started: "2026-01-01".to_owned(),
                commit: "abc".to_owned(),
                compiler: "rustc".to_owned(),
                processor: "a processor".to_owned(),
                cores: 2,
            },
            load: [0.0, 0.0],
            rows,
        }
    }

    /// The values of an attribute in the elements of a kind.
    fn values<'t>(text: &'t str, element: &str, attribute: &str) -> Vec<&'t str> {
        let start = format!("<{element} ");
        let name = format!(" {attribute}=\"");
        text.lines()
            .filter(|line| line.starts_with(&start))
            .filter_map(|line| line.split_once(&name)?.1.split('"').next())
            .collect()
    }

    #[test]
    fn each_ratio_is_a_dot_right_of_one_if_ours_is_better() {
        let ours = Figure::once(10.0);
        let better = Figure::of_parts(vec![15.0, 20.0, 40.0]);
        let worse = Figure::once(5.0);
        let rows = vec![
            Row::beside("faster <case>", "ns", &ours, "a peer", &better),
            Row::beside("slower case", "ns", &ours, "another", &worse),
            Row::alone("without a peer", "ns", &ours),
        ];
        let text = ratios("core", &group(rows)).unwrap();
        let dots: Vec<i32> = values(&text, "circle", "cx")
            .into_iter()
            .map(|x| x.parse().unwrap())
            .collect();
        assert_eq!(dots.len(), 2);
        let colors = values(&text, "circle", "fill");
        assert_eq!(colors, ["#1B7F4D", "#B03A2E"]);
        // The line at 1 is the last that goes straight down: axes come before.
        let lines = values(&text, "polyline", "points");
        let at_one = lines.iter().rev().find_map(|line| {
            let mut points = line
                .split_whitespace()
                .map(|point| point.split_once(',').unwrap());
            let (first, second) = (points.next()?, points.next()?);
            let is_whole = first.1 != second.1 && first.0 == second.0;
            is_whole.then(|| first.0.parse::<i32>().unwrap())
        });
        let at_one = at_one.expect("a line at 1");
        assert!(
            dots[0] > at_one && dots[1] < at_one,
            "{dots:?} beside {at_one}"
        );
        // As far as from 1 to 2, on a scale of ratios.
        assert!(
            ((dots[0] - at_one) - (at_one - dots[1])).abs() <= 1,
            "{dots:?}, {at_one}"
        );
        assert!(text.contains("faster &lt;case&gt; · a peer"), "{text}");
        assert!(!text.contains("without a peer"));
    }

    #[test]
    fn without_a_peer_there_is_no_plot() {
        let row = Row::alone("a case", "ns", &Figure::once(1.0));
        assert_eq!(ratios("core", &group(vec![row])), None);
    }
}

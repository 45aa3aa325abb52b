//! Times, and tables of them.

use std::fmt;

/// How often slower one line may be.
const WORST: f64 = 1.5;

/// Names of benchmarks with their milliseconds, in the order in which they ran.
#[derive(Clone, Default, Debug, PartialEq)]
pub struct Figures(Vec<(String, f64)>);

impl Figures {
    /// Reads lines `name milliseconds`; anything else is not for us.
    pub fn parse(text: &str) -> Figures {
        let lines = text.lines().filter_map(|line| {
            let (name, time) = line.trim().rsplit_once(' ')?;
            Some((name.to_string(), time.parse().ok()?))
        });
        Figures(lines.collect())
    }

    /// Keeps the shorter time of each line.
    pub fn merge(&mut self, other: Figures) {
        for (name, time) in other.0 {
            match self.0.iter_mut().find(|line| line.0 == name) {
                Some(line) => line.1 = line.1.min(time),
                None => self.0.push((name, time)),
            }
        }
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|line| line.0 == name).map(|line| line.1)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(name, time)| writeln!(f, "{name} {time}"))
    }
}

/// How many times as long; the clock has milliseconds, so less than one counts as one.
fn ratio(ours: f64, other: f64) -> f64 {
    ours.max(1.0) / other.max(1.0)
}

/// Our figures beside those of other machines.
pub struct Table {
    ours: Figures,
    others: Vec<(String, Figures)>,
}

impl Table {
    /// A table of our own figures.
    pub fn new(ours: Figures) -> Table {
        Table { ours, others: Vec::new() }
    }

    /// Adds a column, or merges into the one of that name.
    pub fn column(&mut self, name: &str, figures: Figures) {
        match self.others.iter_mut().find(|other| other.0 == name) {
            Some(other) => other.1.merge(figures),
            None => self.others.push((name.to_string(), figures)),
        }
    }

    /// The ratios to a machine, line by line.
    fn ratios(&self, other: &Figures) -> Vec<f64> {
        self.ours.0.iter().filter_map(|(name, time)| Some(ratio(*time, other.get(name)?))).collect()
    }

    /// Whether ours is slower than the first of the others: on the average, or much slower in one line.
    pub fn is_slower(&self) -> bool {
        let Some((_, other)) = self.others.first() else { return false };
        let ratios = self.ratios(other);
        geometric_mean(&ratios) > 1.0 || ratios.iter().any(|&ratio| ratio > WORST)
    }
}

fn geometric_mean(ratios: &[f64]) -> f64 {
    (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len().max(1) as f64).exp()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| test | Duralumin (ms) |")?;
        self.others.iter().try_for_each(|(name, _)| write!(f, " {name} (ms) | ratio |"))?;
        write!(f, "\n|---|---|")?;
        self.others.iter().try_for_each(|_| write!(f, "---|---|"))?;
        writeln!(f)?;
        for (name, time) in &self.ours.0 {
            write!(f, "| {name} | {time} |")?;
            for (_, other) in &self.others {
                match other.get(name) {
                    Some(other) => write!(f, " {other} | {:.2} |", ratio(*time, other))?,
                    None => write!(f, " | |")?,
                }
            }
            writeln!(f)?;
        }
        write!(f, "| geometric mean | |")?;
        for (_, other) in &self.others {
            write!(f, " | {:.3} |", geometric_mean(&self.ratios(other)))?;
        }
        writeln!(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_times_count() {
        let mut figures = Figures::parse("a 3\nb-2 10\nbench done\n");
        figures.merge(Figures::parse("b-2 8\na 4\nc 1\n"));
        assert_eq!(figures.to_string(), "a 3\nb-2 8\nc 1\n");
    }

    #[test]
    fn a_table_has_ratios_and_their_mean() {
        let mut table = Table::new(Figures::parse("a 2\nb 8\nc 0\n"));
        assert!(!table.is_slower());
        table.column("other", Figures::parse("a 4\nb 4\nc 1\n"));
        let text = table.to_string();
        assert!(text.contains("| a | 2 | 4 | 0.50 |\n| b | 8 | 4 | 2.00 |\n| c | 0 | 1 | 1.00 |"), "{text}");
        assert!(text.ends_with("| geometric mean | | | 1.000 |\n"), "{text}");
        assert!(table.is_slower(), "b is twice as slow");
        table.column("other", Figures::parse("b 9\n"));
        assert!(table.is_slower(), "the shorter time stays");
    }

    #[test]
    fn the_mean_decides() {
        let mut table = Table::new(Figures::parse("a 5\nb 5\n"));
        table.column("other", Figures::parse("a 4\nb 5\n"));
        assert!(table.is_slower());
        let mut table = Table::new(Figures::parse("a 4\nb 5\n"));
        table.column("other", Figures::parse("a 5\nb 5\n"));
        assert!(!table.is_slower());
    }
}

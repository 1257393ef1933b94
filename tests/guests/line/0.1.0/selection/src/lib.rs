//! Gives each verdict once, as its setting says, out of columns and facts of every kind.
#![deny(unsafe_code)]

use pointsman_sdk::prelude::*;

struct Line {
    verdict: usize,
    most: f64,
    regions: Vec<Text>,
    fit: Marks,
    price: Prices,
    latency: Numbers,
    region: Symbols,
    newer: Numbers,
    ceiling: JobFact,
    sequence: JobFact,
    label: JobFact,
    unfit: Cause,
    slow: Cause,
}

const VERDICTS: &[&str] = &[
    "abstain", "exclude", "score", "order", "hedge", "reject", "panic",
];

impl Policy for Line {
    fn configure(settings: &mut Settings, plan: &mut Plan) -> Self {
        let latency = plan.numbers("latency-ms/p50");
        Self {
            verdict: settings.choice("verdict", VERDICTS),
            most: settings.number("most", 100.0, 0.0..=1000.0),
            regions: settings.texts("regions"),
            fit: plan.marks("fit"),
            price: plan.prices("price"),
            latency,
            region: plan.symbols("region"),
            newer: plan.numbers("?of-a-later-host"),
            ceiling: plan.fact("max-price"),
            sequence: plan.fact("sequence"),
            label: plan.fact("label/tier"),
            unfit: plan.cause("unfit"),
            slow: plan.cause_of("slow", latency),
        }
    }
}

impl Selection for Line {
    fn judge(&self, job: &Job, candidates: &Candidates) -> Verdict {
        assert!(candidates.iter().all(|row| row.get(self.newer).is_none()));
        let known = candidates
            .keep(|row| row.yes(self.fit), self.unfit)
            .exclude(|row| {
                let ms = row.get(self.latency).filter(|&ms| ms > self.most)?;
                Some(self.slow.value(ms))
            });
        match VERDICTS[self.verdict] {
            "exclude" => known.verdict(),
            "score" => {
                let near = |row: Row<'_>| {
                    self.regions
                        .iter()
                        .any(|text| row.get(self.region) == Some(text.symbol))
                };
                known.score(|row| if near(row) { 1.0 } else { 0.5 })
            }
            "order" => known.order_by(|row| (row.get(self.price), row.get(self.latency))),
            "hedge" => {
                let ceiling = job.number(self.ceiling).unwrap_or(0.0) as u32;
                let sequence = job.count(self.sequence).unwrap_or(0) as u32;
                let labelled = u32::from(job.symbol(self.label) == Some(symbol("gold")));
                Verdict::Hedge(ceiling + 10 * sequence + labelled)
            }
            "reject" => Verdict::Reject(self.slow.refuse(503, "nobody will do")),
            "panic" => panic!("the message of a panic, {} rows", candidates.len()),
            _ => Verdict::Abstain,
        }
    }
}

export!(Line);

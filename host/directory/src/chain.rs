//! What a chain says of orchestrators, and what their tickets are, as columns.

use pointsman_facts::values::{count, mark};
use pointsman_facts::{Column, Values};

use crate::facts::Ticket;
use crate::snapshot::{Row, account};
use crate::source::Place;

/// In the order of a snapshot's rows.
#[derive(Debug)]
pub(crate) struct ChainColumns {
    recipient: Vec<u64>,
    active: Vec<u8>,
    stake: Vec<f64>,
    rank: Vec<u64>,
    reward_cut: Vec<f64>,
    fee_share: Vec<f64>,
    rounds_active: Vec<u64>,
    perf: Vec<f64>,
    face_value: Vec<f64>,
    win_prob: Vec<f64>,
    value: Vec<f64>,
}

// === impl ChainColumns ===

impl ChainColumns {
    pub(crate) fn of(rows: &[Row]) -> Self {
        let recipient = |row: &Row| account(row.facts.as_ref().and_then(|facts| facts.recipient));
        let known = |of: fn(&Place) -> f64| -> Vec<f64> {
            let number = |row: &Row| row.place.as_ref().map_or(f64::NAN, of);
            rows.iter().map(number).collect()
        };
        let counted = |of: fn(&Place) -> Option<u64>| -> Vec<u64> {
            let number = |row: &Row| count(row.place.as_ref().and_then(of));
            rows.iter().map(number).collect()
        };
        let ticket = |of: fn(&Ticket) -> f64| -> Vec<f64> {
            let ticket = |row: &Row| row.facts.as_ref().and_then(|facts| facts.ticket);
            let number = |row| ticket(row).as_ref().map_or(f64::NAN, of);
            rows.iter().map(number).collect()
        };
        let active = |row: &Row| mark(row.place.map(|place| place.active));
        Self {
            recipient: rows.iter().map(recipient).collect(),
            active: rows.iter().map(active).collect(),
            stake: known(|place| place.stake),
            rank: counted(|place| place.rank),
            reward_cut: known(|place| place.reward_cut),
            fee_share: known(|place| place.fee_share),
            rounds_active: counted(|place| Some(place.rounds_active)),
            perf: rows
                .iter()
                .map(|row| row.perf.unwrap_or(f64::NAN))
                .collect(),
            face_value: ticket(|ticket| ticket.face_value),
            win_prob: ticket(|ticket| ticket.win_prob),
            value: ticket(|ticket| ticket.face_value * ticket.win_prob),
        }
    }

    /// The column, if it is one of these.
    pub(crate) fn values(&self, column: &Column) -> Option<Values<'_>> {
        let numbers = match column {
            Column::Recipient => return Some(Values::Symbols((&*self.recipient).into())),
            Column::Active => return Some(Values::Marks((&*self.active).into())),
            Column::StakeRank => return Some(Values::Counts((&*self.rank).into())),
            Column::RoundsActive => return Some(Values::Counts((&*self.rounds_active).into())),
            Column::Stake => &self.stake,
            Column::RewardCut => &self.reward_cut,
            Column::FeeShare => &self.fee_share,
            Column::ScorePerf => &self.perf,
            Column::TicketFaceValue => &self.face_value,
            Column::TicketWinProb => &self.win_prob,
            Column::TicketValue => &self.value,
            _ => return None,
        };
        Some(Values::Numbers((&**numbers).into()))
    }
}

//! The second opinion: our transport streams as mpeg2ts-reader sees them.

use std::collections::HashMap;

use mpeg2ts_reader::demultiplex::{
    Demultiplex, DemuxContext, FilterChangeset, FilterRequest, NullPacketFilter, PacketFilter,
    PatPacketFilter, PmtPacketFilter,
};
use mpeg2ts_reader::packet::{ContinuityCounter, Packet};
use mpeg2ts_reader::packet_filter_switch;
use mpeg2ts_reader::pes::{PesContents, PesHeader, PesLength, PtsDts};

/// What is in a transport stream.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Stream types by PID, as the last PMT lists them.
    pub(crate) tracks: HashMap<u16, u8>,
    pub(crate) units: Vec<Unit>,
    /// Clock references, 90 kHz.
    pub(crate) pcr: Vec<u64>,
}

/// One PES packet.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) pid: u16,
    pub(crate) pts: u64,
    pub(crate) dts: Option<u64>,
    pub(crate) random_access: bool,
    pub(crate) data: Vec<u8>,
    /// Payload bytes still to come, where the header says.
    left: Option<usize>,
}

/// Reads on over several segments: continuity is checked across them.
pub(crate) struct Oracle {
    demux: Demultiplex<Context>,
    context: Context,
    counters: HashMap<u16, ContinuityCounter>,
}

#[allow(unreachable_pub, reason = "the macro below makes a public enum of it")]
pub struct Context {
    changes: FilterChangeset<Filter>,
    seen: Seen,
}

#[allow(unreachable_pub, reason = "as Context")]
pub struct Elementary;

packet_filter_switch! {
    Filter<Context> {
        Pat: PatPacketFilter<Context>,
        Pmt: PmtPacketFilter<Context>,
        Elementary: Elementary,
        Null: NullPacketFilter<Context>,
    }
}

// === impl Oracle ===

impl Oracle {
    pub(crate) fn new() -> Self {
        let mut context = Context {
            changes: FilterChangeset::default(),
            seen: Seen::default(),
        };
        Self {
            demux: Demultiplex::new(&mut context),
            context,
            counters: HashMap::new(),
        }
    }

    /// What one segment holds. Panics on what a decoder would stumble over.
    pub(crate) fn read(&mut self, segment: &[u8]) -> Seen {
        assert_eq!(segment.len() % Packet::SIZE, 0);
        // Tables that repeat are not reported again: each segment is read as if it were the first.
        self.demux = Demultiplex::new(&mut self.context);
        for bytes in segment.chunks(Packet::SIZE) {
            let packet = Packet::new(bytes);
            let counter = packet.continuity_counter();
            let last = self.counters.insert(packet.pid().into(), counter);
            if let Some(last) = last {
                let expected = match packet.adaptation_control().has_payload() {
                    true => counter.follows(last),
                    false => counter == last,
                };
                assert!(expected, "{:?}: {counter:?} after {last:?}", packet.pid());
            }
        }
        self.demux.push(&mut self.context, segment);
        let seen = std::mem::take(&mut self.context.seen);
        for unit in &seen.units {
            assert!(
                matches!(unit.left, None | Some(0)),
                "a PES packet of another length"
            );
        }
        seen
    }
}

impl DemuxContext for Context {
    type F = Filter;

    fn filter_changeset(&mut self) -> &mut FilterChangeset<Filter> {
        &mut self.changes
    }

    fn construct(&mut self, request: FilterRequest<'_, '_>) -> Filter {
        match request {
            FilterRequest::ByPid(mpeg2ts_reader::psi::pat::PAT_PID) => {
                Filter::Pat(PatPacketFilter::default())
            }
            FilterRequest::Pmt {
                pid,
                program_number,
            } => Filter::Pmt(PmtPacketFilter::new(pid, program_number)),
            FilterRequest::ByStream {
                stream_type,
                stream_info,
                ..
            } => {
                let pid = stream_info.elementary_pid().into();
                self.seen.tracks.insert(pid, stream_type.0);
                Filter::Elementary(Elementary)
            }
            _ => Filter::Null(NullPacketFilter::default()),
        }
    }
}

impl PacketFilter for Elementary {
    type Ctx = Context;

    fn consume(&mut self, context: &mut Context, packet: &Packet<'_>) {
        let seen = &mut context.seen;
        let field = packet.adaptation_field();
        if let Some(pcr) = field.as_ref().and_then(|field| field.pcr().ok()) {
            seen.pcr.push(pcr.base());
        }
        let Some(payload) = packet.payload() else {
            return;
        };
        let pid: u16 = packet.pid().into();
        if !packet.payload_unit_start_indicator() {
            let unit = seen.units.iter_mut().rfind(|unit| unit.pid == pid);
            unit.expect("a unit began").append(payload);
            return;
        }
        let header = PesHeader::from_bytes(payload).expect("a PES header");
        let PesContents::Parsed(Some(contents)) = header.contents() else {
            panic!("no PES contents");
        };
        let (pts, dts) = match contents.pts_dts().expect("valid times") {
            PtsDts::PtsOnly(Ok(pts)) => (pts.value(), None),
            PtsDts::Both {
                pts: Ok(pts),
                dts: Ok(dts),
            } => (pts.value(), Some(dts.value())),
            other => panic!("no times: {other:?}"),
        };
        let header_length = 3 + if dts.is_some() { 10 } else { 5 };
        let mut unit = Unit {
            pid,
            pts,
            dts,
            random_access: field.is_some_and(|field| field.random_access_indicator()),
            data: Vec::new(),
            left: match header.pes_packet_length() {
                PesLength::Bounded(length) => Some(usize::from(length.get()) - header_length),
                PesLength::Unbounded => None,
            },
        };
        unit.append(contents.payload());
        seen.units.push(unit);
    }
}

// === impl Unit ===

impl Unit {
    fn append(&mut self, payload: &[u8]) {
        self.data.extend_from_slice(payload);
        if let Some(left) = &mut self.left {
            *left = left
                .checked_sub(payload.len())
                .expect("no more than announced");
        }
    }
}

// === impl Seen ===

impl Seen {
    pub(crate) fn of(&self, pid: u16) -> impl Iterator<Item = &Unit> {
        self.units.iter().filter(move |unit| unit.pid == pid)
    }
}

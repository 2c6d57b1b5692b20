//! The allocator as it sees itself. It is glibc's, which tells about its arenas in `malloc_info(3)`.

use admin::api::FigureKind::Gauge;
use admin::api::{Family, FigureValue};

/// What the allocator has to do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heap {
    /// Bytes in use, with the allocator's own few for each piece.
    pub(crate) allocated: u64,
    /// Bytes that were freed and that the allocator keeps for the next who wants some.
    retained: u64,
    /// Arenas that threads allocate from.
    arenas: u64,
}

/// The figures of the allocator; none where it tells nothing.
pub(super) fn figures() -> Vec<Family> {
    let Some(heap) = look() else {
        return Vec::new();
    };
    [
        (
            "mungo_allocator_allocated_bytes",
            "Memory that is allocated",
            heap.allocated,
        ),
        (
            "mungo_allocator_retained_bytes",
            "Memory that was freed and that the allocator keeps, in RAM or not",
            heap.retained,
        ),
        (
            "mungo_allocator_arenas",
            "Arenas that threads allocate from",
            heap.arenas,
        ),
    ]
    .map(|(name, help, value)| Family::one(name, help, Gauge, FigureValue::Count(value)))
    .into()
}

/// Looks; nothing is known of other allocators.
#[cfg(target_env = "gnu")]
pub(crate) fn look() -> Option<Heap> {
    use malloc_info::info::{SystemType, TotalType};

    let info = malloc_info::malloc_info()
        .inspect_err(|error| tracing::debug!(what = "allocator_tells_nothing", %error))
        .ok()?;
    let mut heap = Heap {
        allocated: 0,
        retained: 0,
        arenas: bytes(info.heaps.len()),
    };
    for total in &info.total {
        match total.r#type {
            TotalType::Fast | TotalType::Rest => heap.retained += bytes(total.size),
            // Large pieces come from the system one by one and go back at once.
            TotalType::Mmap => heap.allocated += bytes(total.size),
            TotalType::Other => {}
        }
    }
    let arenas = info.system.iter();
    let arenas = arenas.filter(|system| system.r#type == SystemType::Current);
    let arenas: u64 = arenas.map(|system| bytes(system.size)).sum();
    heap.allocated += arenas.saturating_sub(heap.retained);
    Some(heap)
}

#[cfg(not(target_env = "gnu"))]
pub(crate) fn look() -> Option<Heap> {
    None
}

#[cfg(target_env = "gnu")]
fn bytes(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::*;

    /// So much in small pieces, more than the other tests of this process move about meanwhile.
    const PIECES: usize = 64 * 1024;
    const PIECE: usize = 512;
    const ALL: u64 = (PIECES * PIECE) as u64;

    #[test]
    fn what_is_allocated_is_seen_and_what_is_freed() {
        let before = look().expect("glibc tells");
        let pieces: Vec<_> = (0..PIECES).map(|_| vec![1u8; PIECE]).collect();
        let full = look().expect("glibc tells");
        assert!(
            full.allocated > before.allocated + ALL * 3 / 4,
            "{before:?} {full:?}"
        );
        // The last one stays, so that the arena can't give the end of itself back.
        let mut pieces = pieces;
        let last = pieces.pop();
        drop(pieces);
        let freed = look().expect("glibc tells");
        assert!(
            freed.allocated < full.allocated - ALL * 3 / 4,
            "{full:?} {freed:?}"
        );
        assert!(
            freed.retained > full.retained + ALL / 2,
            "{full:?} {freed:?}"
        );
        drop(last);
        // A large piece.
        let before = look().expect("glibc tells");
        let large = vec![1u8; PIECES * PIECE];
        let full = look().expect("glibc tells");
        assert!(full.allocated > before.allocated + ALL * 3 / 4);
        drop(large);
    }
}

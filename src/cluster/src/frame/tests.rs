use proptest::prelude::*;

use super::*;

fn parcel() -> impl Strategy<Value = Parcel> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from);
    (any::<bool>(), bytes).prop_map(|(letter, bytes)| match letter {
        true => Parcel::Letter(bytes),
        false => Parcel::Delta(bytes),
    })
}

proptest! {
    #[test]
    fn a_batch_comes_as_it_was_put_whatever_the_reads(
        parcels in proptest::collection::vec(parcel(), 0..10), first: u64, read in 1_usize..50,
    ) {
        let mut out = BytesMut::new();
        let mut batch = Batch::begin(&mut out, first);
        parcels.iter().for_each(|parcel| batch.put(parcel));
        batch.end();
        let mut came = BytesMut::new();
        let mut frames = Vec::new();
        for piece in out.chunks(read) {
            came.put_slice(piece);
            frames.extend(next(&mut came).unwrap());
        }
        prop_assert!(came.is_empty());
        let [Frame::Batch { first: number, parcels: bytes }] = &mut frames[..] else { panic!("{frames:?}") };
        prop_assert_eq!(*number, first);
        let read: Vec<_> = std::iter::from_fn(|| next_parcel(bytes).unwrap()).collect();
        prop_assert_eq!(read, parcels);
    }

    #[test]
    fn any_bytes_are_frames_or_an_error(mut bytes in proptest::collection::vec(any::<u8>(), 0..64), short: bool) {
        if short && bytes.len() > 3 {
            let len = (bytes.len() - 4) as u32;
            bytes[..4].copy_from_slice(&len.to_be_bytes());
        }
        let mut bytes = BytesMut::from(&bytes[..]);
        while let Ok(Some(frame)) = next(&mut bytes) {
            if let Frame::Batch { mut parcels, .. } = frame {
                while let Ok(Some(_)) = next_parcel(&mut parcels) {}
            }
        }
    }
}

#[test]
fn a_frame_of_a_gibibyte_is_refused_before_it_comes() {
    let mut bytes = BytesMut::from(&(1_u32 << 30).to_be_bytes()[..]);
    assert_eq!(next(&mut bytes), Err(Garbage::Long(1 << 30)));
}

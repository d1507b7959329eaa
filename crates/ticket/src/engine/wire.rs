//! The wire format of protocol buffers: reads fields one by one without copying, and writes them.
//! The fields of each message are in `message`.

/// The bytes do not follow the format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Malformed;

/// The value of a field, as far as messages here use it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Value<'b> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'b [u8]),
    /// A 32-bit number or a group: no message here has one, so it is skipped.
    Other,
}

/// Reads the fields of one message in order.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'b> {
    bytes: &'b [u8],
}

impl<'b> Reader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes }
    }

    /// Returns the next field's number and value, `None` at the end.
    #[inline(always)]
    pub(crate) fn next_field(&mut self) -> Result<Option<(u32, Value<'b>)>, Malformed> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let (number, kind) = self.tag()?;
        if kind == END_GROUP {
            return Err(Malformed);
        }
        Ok(Some((number, self.value(number, kind, 0)?)))
    }

    /// A tag is checked by its value, so a non-minimal encoding is accepted.
    #[inline(always)]
    fn tag(&mut self) -> Result<(u32, u8), Malformed> {
        let tag = u32::try_from(self.varint()?).map_err(|_| Malformed)?;
        match tag >> 3 {
            0 => Err(Malformed),
            number => Ok((number, (tag & 7) as u8)),
        }
    }

    #[inline(always)]
    fn value(&mut self, number: u32, kind: u8, depth: usize) -> Result<Value<'b>, Malformed> {
        match kind {
            VARINT => self.varint().map(Value::Varint),
            BYTES => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                self.take(length).map(Value::Bytes)
            }
            _ => {
                let (value, rest) = self.clone().rare_value(number, kind, depth)?;
                *self = rest;
                Ok(value)
            }
        }
    }

    #[cold]
    fn rare_value(
        mut self,
        number: u32,
        kind: u8,
        depth: usize,
    ) -> Result<(Value<'b>, Self), Malformed> {
        let value = match kind {
            FIXED64 => {
                let bytes = self.take(8)?.try_into().map_err(|_| Malformed)?;
                Value::Fixed64(u64::from_le_bytes(bytes))
            }
            GROUP => {
                self.skip_group(number, depth + 1)?;
                Value::Other
            }
            FIXED32 => {
                self.take(4)?;
                Value::Other
            }
            _ => return Err(Malformed),
        };
        Ok((value, self))
    }

    fn skip_group(&mut self, number: u32, depth: usize) -> Result<(), Malformed> {
        if depth > DEEPEST {
            return Err(Malformed);
        }
        loop {
            let (inner, kind) = self.tag()?;
            if kind == END_GROUP {
                return if inner == number {
                    Ok(())
                } else {
                    Err(Malformed)
                };
            }
            self.value(inner, kind, depth)?;
        }
    }

    #[inline(always)]
    fn varint(&mut self) -> Result<u64, Malformed> {
        if let [byte @ 0..0x80, rest @ ..] = self.bytes {
            self.bytes = rest;
            return Ok(u64::from(*byte));
        }
        let (value, rest) = Self::long_varint(self.bytes)?;
        self.bytes = rest;
        Ok(value)
    }

    /// At most ten bytes; bits above 64 in the tenth are dropped. Takes and returns the remaining
    /// bytes, so that a reader need not be in memory.
    #[inline(never)]
    fn long_varint(bytes: &[u8]) -> Result<(u64, &[u8]), Malformed> {
        // Up to eight bytes at once; missing ones are zero.
        let word = match (bytes.first_chunk(), bytes.first_chunk(), bytes.last_chunk()) {
            (Some(eight), ..) => u64::from_le_bytes(*eight),
            (None, Some(first), Some(last)) => {
                let last = u64::from(u32::from_le_bytes(*last));
                u64::from(u32::from_le_bytes(*first)) | (last << (8 * (bytes.len() - 4)))
            }
            _ => return Self::varint_by_bytes(bytes),
        };
        let ends = !word & 0x8080_8080_8080_8080;
        if ends == 0 {
            return Self::varint_by_bytes(bytes);
        }
        // The first byte without the top bit is the last one; the groups of seven bits are joined.
        let bits = ends.trailing_zeros() + 1;
        let rest = bytes.get(bits as usize / 8..).ok_or(Malformed)?;
        let sevens = word & 0x7f7f_7f7f_7f7f_7f7f & (u64::MAX >> (64 - bits));
        let join = |word: u64, lower: u64, by: u32| (word & lower) | ((word & !lower) >> by);
        let pairs = join(sevens, 0x00ff_00ff_00ff_00ff, 1);
        let fours = join(pairs, 0x0000_ffff_0000_ffff, 2);
        Ok((join(fours, 0x0000_0000_ffff_ffff, 4), rest))
    }

    #[cold]
    fn varint_by_bytes(bytes: &[u8]) -> Result<(u64, &[u8]), Malformed> {
        let mut value = 0;
        for (index, byte) in bytes.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                return Ok((value, &bytes[index + 1..]));
            }
        }
        Err(Malformed)
    }

    #[inline(always)]
    fn take(&mut self, length: usize) -> Result<&'b [u8], Malformed> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or(Malformed)?;
        self.bytes = rest;
        Ok(taken)
    }
}

/// Writes the fields of one message in the order of the calls.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn varint(&mut self, number: u32, value: u64) -> &mut Self {
        self.raw_varint(u64::from(number << 3 | u32::from(VARINT)));
        self.raw_varint(value);
        self
    }

    #[cfg(feature = "client")]
    pub(crate) fn fixed64(&mut self, number: u32, value: u64) -> &mut Self {
        self.raw_varint(u64::from(number << 3 | u32::from(FIXED64)));
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn bytes(&mut self, number: u32, value: &[u8]) -> &mut Self {
        self.raw_varint(u64::from(number << 3 | u32::from(BYTES)));
        self.raw_varint(value.len() as u64);
        self.bytes.extend_from_slice(value);
        self
    }

    pub(crate) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const BYTES: u8 = 2;
const GROUP: u8 = 3;
const END_GROUP: u8 = 4;
const FIXED32: u8 = 5;

/// The maximum nesting of skipped groups, so that foreign bytes cannot exhaust the stack.
const DEEPEST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<(u32, Value<'_>)>, Malformed> {
        let mut reader = Reader::new(bytes);
        let mut fields = Vec::new();
        while let Some(field) = reader.next_field()? {
            fields.push(field);
        }
        Ok(fields)
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = Writer::default()
            .varint(1, u64::MAX)
            .bytes(3, b"abc")
            .finish();
        assert_eq!(
            read(&bytes),
            Ok(vec![
                (1, Value::Varint(u64::MAX)),
                (3, Value::Bytes(b"abc"))
            ])
        );
    }

    #[test]
    fn tags_are_judged_by_value() {
        assert_eq!(
            read(&[0x88, 0x80, 0x00, 5]),
            Ok(vec![(1, Value::Varint(5))])
        );
        assert_eq!(read(&[0x00, 5]), Err(Malformed));
        assert_eq!(read(&[0x80, 0x80, 0x80, 0x80, 0x10, 5]), Err(Malformed));
    }

    #[test]
    fn a_varint_has_ten_bytes_at_most() {
        let mut bytes = vec![0x08];
        bytes.extend([0xff; 9]);
        bytes.push(0x7f);
        assert_eq!(read(&bytes), Ok(vec![(1, Value::Varint(u64::MAX))]));
        *bytes.last_mut().unwrap() = 0x80;
        bytes.push(0);
        assert_eq!(read(&bytes), Err(Malformed));
    }

    #[test]
    fn varints_of_every_length_are_read_wherever_they_end() {
        for value in
            (0..64).flat_map(|bit| [1 << bit, u64::MAX >> bit, 0x5555_5555_5555_5555 >> bit])
        {
            for behind in 0..10 {
                let mut bytes = Writer::default().varint(1, value).finish();
                bytes.extend([0x10, 0].repeat(behind));
                let fields = read(&bytes).unwrap();
                assert_eq!(
                    fields[0],
                    (1, Value::Varint(value)),
                    "{behind} fields behind"
                );
                assert_eq!(fields.len(), 1 + behind);
            }
        }
    }

    #[test]
    fn groups_are_skipped_whole() {
        assert_eq!(read(&[0x0b, 0x10, 7, 0x0c, 0x10, 8]).unwrap().len(), 2);
        // Another number at the end, no end, an end alone, unknown wire types.
        assert_eq!(read(&[0x0b, 0x14]), Err(Malformed));
        assert_eq!(read(&[0x0b, 0x10, 7]), Err(Malformed));
        assert_eq!(read(&[0x0c]), Err(Malformed));
        assert_eq!(read(&[0x0e]), Err(Malformed));
        assert_eq!(read(&[0x0f]), Err(Malformed));
    }

    #[test]
    fn groups_nest_to_a_limit() {
        let nested = |depth| [vec![0x0b; depth], vec![0x0c; depth]].concat();
        assert!(read(&nested(100)).is_ok());
        assert_eq!(read(&nested(101)), Err(Malformed));
        assert_eq!(read(&vec![0x0b; 1 << 20]), Err(Malformed));
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        for bytes in [
            &[0x08][..],
            &[0x09, 1, 2],
            &[0x0a, 3, 1],
            &[0x0d, 1],
            &[0x80],
        ] {
            assert_eq!(read(bytes), Err(Malformed), "{bytes:?}");
        }
        assert_eq!(
            read(&[
                0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1
            ]),
            Err(Malformed)
        );
    }
}

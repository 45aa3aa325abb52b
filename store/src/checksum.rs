//! CRC-32, the one of Ethernet and zip: reflected polynomial 0xEDB88320, all ones before and after.
//!
//! Sixteen bytes a round, each with a table of its own: `TABLES[k][b]` is what byte `b` with `k` zero bytes behind it does to
//! the sum. The crates that do this use the processor's features only together with `std`; and in one build of the
//! workspace a crate has its features for all, so the kernel would get `std` from whoever writes PNG files.

const ROUND: usize = 16;

const TABLES: [[u32; 256]; ROUND] = {
    let mut tables = [[0; 256]; ROUND];
    let mut byte = 0;
    while byte < 256 {
        let (mut sum, mut bit) = (byte as u32, 0);
        while bit < 8 {
            sum = (sum >> 1) ^ if sum & 1 != 0 { 0xEDB8_8320 } else { 0 };
            bit += 1;
        }
        tables[0][byte] = sum;
        byte += 1;
    }
    let mut zeroes = 1;
    while zeroes < ROUND {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[zeroes - 1][byte];
            tables[zeroes][byte] = (before >> 8) ^ tables[0][(before & 0xFF) as usize];
            byte += 1;
        }
        zeroes += 1;
    }
    tables
};

/// The checksum of bytes that come in pieces.
#[derive(Clone, Copy, Debug)]
pub struct Checksum(u32);

impl Checksum {
    /// Of nothing yet.
    pub const fn new() -> Self {
        Self(u32::MAX)
    }

    /// More bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let (rounds, rest) = bytes.as_chunks::<ROUND>();
        for round in rounds {
            let mut mixed = *round;
            for (byte, sum) in mixed.iter_mut().zip(self.0.to_le_bytes()) {
                *byte ^= sum;
            }
            self.0 =
                mixed.iter().zip(TABLES.iter().rev()).fold(0, |sum, (&byte, table)| sum ^ table[usize::from(byte)]);
        }
        for &byte in rest {
            self.0 = (self.0 >> 8) ^ TABLES[0][usize::from(self.0 as u8 ^ byte)];
        }
    }

    /// Of all bytes so far.
    pub const fn value(self) -> u32 {
        !self.0
    }
}

impl Default for Checksum {
    fn default() -> Self {
        Self::new()
    }
}

/// The checksum of some bytes.
pub fn crc(bytes: &[u8]) -> u32 {
    let mut sum = Checksum::new();
    sum.update(bytes);
    sum.value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn the_known_sum() {
        assert_eq!(crc(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc(b""), 0);
        assert_eq!(crc(b"The quick brown fox jumps over the lazy dog"), 0x414F_A339);
    }

    #[test]
    fn pieces_of_any_length_give_the_same_sum() {
        let bytes: Vec<u8> = (0..100u32).map(|i| (i * i) as u8).collect();
        let bit_by_bit = |bytes: &[u8]| {
            !bytes.iter().fold(u32::MAX, |sum, &byte| {
                (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ ((sum & 1) * 0xEDB8_8320))
            })
        };
        for cut in 0..bytes.len() {
            let mut sum = Checksum::new();
            sum.update(&bytes[..cut]);
            sum.update(&bytes[cut..]);
            assert_eq!(sum.value(), bit_by_bit(&bytes));
        }
    }
}

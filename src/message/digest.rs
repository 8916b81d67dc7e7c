//! SHA-256: what proves that a saved copy is the one that was received.

use sha2::{Digest, Sha256};

/// A checksum in the making, fed piece by piece.
#[derive(Clone, Debug, Default)]
pub struct Sum(Sha256);

impl Sum {
    pub fn add(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// In lower-case hexadecimal.
    pub fn hex(self) -> String {
        let mut out = String::with_capacity(64);
        for byte in self.0.finalize() {
            for nibble in [byte >> 4, byte & 15] {
                out.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
            }
        }
        out
    }
}

/// The checksum of a whole.
pub fn hex(bytes: &[u8]) -> String {
    let mut sum = Sum::default();
    sum.add(bytes);
    sum.hex()
}

/// Bytes as text, base 64.
pub fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let all = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let sign = (all >> (18 - 6 * place)) & 63;
            out.push(if place > three.len() { '=' } else { char::from(SIGNS[sign as usize]) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_sha_256() {
        // FIPS 180-4, the example of one block.
        assert_eq!(hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let mut sum = Sum::default();
        sum.add(b"a");
        sum.add(b"bc");
        assert_eq!(sum.hex(), hex(b"abc"));
    }
}

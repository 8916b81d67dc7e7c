//! SHA-256 (FIPS 180-4), so that a checksum needs no further dependency. Tests only.

/// The first 32 bits of the fractional parts of the roots of the first primes, calculated as the standard defines them.
fn constants() -> ([u32; 8], [u32; 64]) {
    let mut primes = Vec::new();
    let mut number = 2_u32;
    while primes.len() < 64 {
        if primes.iter().all(|prime| !number.is_multiple_of(*prime)) {
            primes.push(number);
        }
        number += 1;
    }
    // `root` to the given power, largest integer below `prime * 2^(32 * power)`.
    let root = |prime: u32, power: u32| {
        let wanted = u128::from(prime) << (32 * power);
        let (mut low, mut high) = (0_u128, 1_u128 << 36);
        while high - low > 1 {
            let middle = u128::midpoint(low, high);
            if middle.pow(power) <= wanted { low = middle } else { high = middle }
        }
        u32::try_from(low & 0xffff_ffff).unwrap_or(0)
    };
    let mut start = [0; 8];
    let mut rounds = [0; 64];
    for (slot, prime) in start.iter_mut().zip(&primes) {
        *slot = root(*prime, 2);
    }
    for (slot, prime) in rounds.iter_mut().zip(&primes) {
        *slot = root(*prime, 3);
    }
    (start, rounds)
}

/// The checksum in hexadecimal digits.
#[allow(
    clippy::indexing_slicing,
    clippy::many_single_char_names,
    reason = "fixed sizes, and the names of the standard"
)]
pub fn hex(data: &[u8]) -> String {
    static CONSTANTS: std::sync::OnceLock<([u32; 8], [u32; 64])> = std::sync::OnceLock::new();
    let (start, rounds) = CONSTANTS.get_or_init(constants);
    let mut state = *start;
    let mut padded = data.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend((data.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks(64) {
        let mut words = [0_u32; 64];
        for (slot, bytes) in words.iter_mut().zip(block.chunks(4)) {
            *slot = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
        }
        for at in 16..64 {
            let (first, second) = (words[at - 15], words[at - 2]);
            let first = first.rotate_right(7) ^ first.rotate_right(18) ^ (first >> 3);
            let second = second.rotate_right(17) ^ second.rotate_right(19) ^ (second >> 10);
            words[at] = words[at - 16].wrapping_add(first).wrapping_add(words[at - 7]).wrapping_add(second);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
        for (round, word) in rounds.iter().zip(words) {
            let sum = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let choice = (e & f) ^ (!e & g);
            let first = h.wrapping_add(sum).wrapping_add(choice).wrapping_add(*round).wrapping_add(word);
            let sum = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let second = sum.wrapping_add((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(first), c, b, a, first.wrapping_add(second));
        }
        for (slot, value) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *slot = slot.wrapping_add(value);
        }
    }
    state.iter().map(|word| format!("{word:08x}")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn agrees_with_the_standard() {
        assert_eq!(super::hex(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(super::hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(
            super::hex(&[b'a'; 64]),
            "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"
        );
    }
}

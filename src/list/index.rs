//! Looking up texts by the tens of thousands. The map that is in the module anyway (`small::Names`) asks for a string a
//! text, and takes longer than reading them did.

/// A table of numbers, found by texts that lie elsewhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// What the text comes to, and the number plus one; nought is a free place. A power of two, at most half full.
    slots: Vec<(u32, u32)>,
    len: usize,
}

impl Index {
    pub(super) fn with_room(count: usize) -> Index {
        Index { slots: vec![(0, 0); (count * 2).next_power_of_two().max(8)], len: 0 }
    }

    /// The number under which a text is known; `is` says whether the text of a number is that one.
    #[inline(never)]
    pub(super) fn find(&self, text: &str, is: &dyn Fn(usize) -> bool) -> Option<usize> {
        self.place(text, is).ok()
    }

    /// The same; where it is not known, it is put there.
    #[inline(never)]
    pub(super) fn find_or_put(
        &mut self,
        text: &str,
        number: usize,
        is: &dyn Fn(usize) -> bool,
    ) -> Option<usize> {
        match self.place(text, is) {
            Ok(known) => Some(known),
            // Full tables would be searched for ever. Who asks for enough room does not get here.
            Err(_) if self.len * 2 >= self.slots.len() => None,
            Err((at, sum)) => {
                self.len += 1;
                if let Some(slot) = self.slots.get_mut(at) {
                    *slot = (sum, number as u32 + 1);
                }
                None
            }
        }
    }

    /// Its number, or the free place where it would stand.
    fn place(&self, text: &str, is: &dyn Fn(usize) -> bool) -> Result<usize, (usize, u32)> {
        let sum = sum(text.as_bytes());
        let mut at = sum as usize;
        loop {
            at &= self.slots.len().wrapping_sub(1);
            match self.slots.get(at) {
                None | Some((_, 0)) => return Err((at, sum)),
                Some((other, number)) if *other == sum && is(*number as usize - 1) => {
                    return Ok(*number as usize - 1);
                }
                Some(_) => at += 1,
            }
        }
    }
}

/// Eight bytes at a time.
fn sum(bytes: &[u8]) -> u32 {
    let mut sum = bytes.len() as u64;
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk() {
        sum = stir(sum ^ u64::from_le_bytes(*word));
        rest = after;
    }
    let mut last = 0;
    for byte in rest {
        last = last << 8 | u64::from(*byte);
    }
    stir(sum ^ last) as u32
}

fn stir(sum: u64) -> u64 {
    let sum = sum.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    sum ^ (sum >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_was_put(texts in prop::collection::vec("[a-c]{0,10}", 0..80)) {
            let mut index = Index::with_room(texts.len());
            let mut known = std::collections::BTreeMap::new();
            for (number, text) in texts.iter().enumerate() {
                let found = index.find_or_put(text, number, &|at| texts[at] == *text);
                prop_assert_eq!(found, known.get(text).copied());
                known.entry(text.clone()).or_insert(number);
            }
            for text in texts.iter().map(String::as_str).chain(["d", ""]) {
                prop_assert_eq!(index.find(text, &|at| texts[at] == text), known.get(text).copied());
            }
        }
    }
}

//! Punycode (RFC 3492) of one label of a host name, which has at most 63 signs. By hand: the library for it, which is made for
//! texts of any length, sorts and takes 8 KB in each module.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const LONGEST: usize = 63;

/// How the thresholds follow what was met.
struct Bias(u32);

impl Bias {
    fn threshold(&self, k: u32) -> u32 {
        k.saturating_sub(self.0).clamp(T_MIN, T_MAX)
    }

    fn adapt(&mut self, delta: u32, count: u32, first: bool) {
        let mut delta = delta / if first { 700 } else { 2 };
        delta += delta / count;
        let mut k = 0;
        while delta > (BASE - T_MIN) * T_MAX / 2 {
            delta /= BASE - T_MIN;
            k += BASE;
        }
        self.0 = k + (BASE - T_MIN + 1) * delta / (delta + 38);
    }
}

fn digit(value: u32) -> char {
    char::from(b"abcdefghijklmnopqrstuvwxyz0123456789"[(value % BASE) as usize])
}

/// Without the `xn--`.
pub fn encode(label: &str) -> Option<String> {
    let all: Vec<u32> = label.chars().map(u32::from).collect();
    if all.len() > LONGEST {
        return None;
    }
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = out.len() as u32;
    if basic > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut done, mut bias) = (128, 0u32, basic, Bias(72));
    while (done as usize) < all.len() {
        let next = all.iter().copied().filter(|c| *c >= n).min()?;
        delta = delta.checked_add((next - n).checked_mul(done + 1)?)?;
        n = next;
        for c in &all {
            if *c < n {
                delta = delta.checked_add(1)?;
            }
            if *c == n {
                let (mut rest, mut k) = (delta, BASE);
                loop {
                    let t = bias.threshold(k);
                    if rest < t {
                        break;
                    }
                    out.push(digit(t + (rest - t) % (BASE - t)));
                    rest = (rest - t) / (BASE - t);
                    k += BASE;
                }
                out.push(digit(rest));
                bias.adapt(delta, done + 1, done == basic);
                delta = 0;
                done += 1;
            }
        }
        delta = delta.checked_add(1)?;
        n += 1;
    }
    Some(out)
}

/// Without the `xn--`.
pub fn decode(label: &str) -> Option<String> {
    if label.len() > LONGEST || !label.is_ascii() {
        return None;
    }
    let (basic, rest) = match label.rsplit_once('-') {
        Some(("", _)) => return None,
        Some(parts) => parts,
        None => ("", label),
    };
    let mut out: Vec<char> = basic.chars().collect();
    let (mut n, mut at, mut bias) = (128u32, 0u32, Bias(72));
    let mut digits = rest.bytes().peekable();
    while digits.peek().is_some() {
        let (before, mut weight, mut k) = (at, 1u32, BASE);
        loop {
            let value = u32::from(match digits.next()? {
                byte @ b'a'..=b'z' => byte - b'a',
                byte @ b'A'..=b'Z' => byte - b'A',
                byte @ b'0'..=b'9' => byte - b'0' + 26,
                _ => return None,
            });
            at = at.checked_add(value.checked_mul(weight)?)?;
            let t = bias.threshold(k);
            if value < t {
                break;
            }
            weight = weight.checked_mul(BASE - t)?;
            k += BASE;
        }
        let count = out.len() as u32 + 1;
        bias.adapt(at - before, count, before == 0);
        n = n.checked_add(at / count)?;
        at %= count;
        out.insert(at as usize, char::from_u32(n)?);
        at += 1;
    }
    Some(out.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn knows_the_examples() {
        for (text, code) in [
            ("bücher", "bcher-kva"),
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            ("почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"),
            ("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"),
            ("ü", "tda"),
            ("abc", "abc-"),
            ("", ""),
        ] {
            assert_eq!(encode(text).as_deref(), Some(code));
            assert_eq!(decode(code).as_deref(), Some(text));
        }
        for odd in ["ü", "b_", "99999999", "a-99999", "-tda"] {
            assert_eq!(decode(odd), None, "{odd}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn is_what_the_library_makes(text in "[a-z0-9-]{0,6}[\\PCa-c]{0,30}", code in "[a-z0-9-]{0,20}") {
            prop_assert_eq!(encode(&text), idna::punycode::encode_str(&text));
            prop_assert_eq!(decode(&code), idna::punycode::decode_to_string(&code));
        }
    }
}

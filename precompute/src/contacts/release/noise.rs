//! Two-sided geometric noise, drawn exactly: integers only, from the operating system's generator.
//!
//! P(k) ∝ exp(−ε·|k|). The sampler is that of Canonne, Kamath and Steinke, "The Discrete Gaussian
//! for Differential Privacy" (2020), algorithms 1 and 2, with ε a fraction of whole numbers; no
//! floating point is involved, whose gaps are known to betray (Mironov 2012).

use std::io;

/// ε in millionths.
pub type Micro = u32;

/// One.
pub const MICRO: Micro = 1_000_000;

/// Words fetched from the operating system at once.
const WORDS: usize = 512;

/// A source of noise for one ε.
#[derive(Debug)]
pub(super) struct Noise<W = Words> {
    /// ε is `numerator / MICRO`.
    numerator: u64,
    words: W,
}

/// Uniform 64-bit words.
pub(super) trait Uniform {
    fn word(&mut self) -> io::Result<u64>;
}

/// Those of the operating system. What was used is overwritten.
#[derive(Debug)]
pub(super) struct Words {
    left: Vec<u64>,
}

impl Uniform for Words {
    fn word(&mut self) -> io::Result<u64> {
        if self.left.is_empty() {
            let mut bytes = [0; WORDS * 8];
            getrandom::fill(&mut bytes).map_err(io::Error::other)?;
            let (words, _) = bytes.as_chunks();
            self.left
                .extend(words.iter().map(|word| u64::from_le_bytes(*word)));
        }
        Ok(self.left.pop().unwrap_or_default())
    }
}

impl Noise {
    /// `None` for an ε of nothing.
    pub(super) fn of(epsilon: Micro) -> Option<Self> {
        let words = Words { left: Vec::new() };
        (epsilon > 0).then(|| Self {
            numerator: epsilon.into(),
            words,
        })
    }
}

impl<W: Uniform> Noise<W> {
    /// One draw.
    pub(super) fn draw(&mut self) -> io::Result<i32> {
        let scale = u64::from(MICRO);
        loop {
            let u = self.below(scale)?;
            if !self.is_exp_minus(u, scale)? {
                continue;
            }
            let mut v = 0_u64;
            while self.is_exp_minus(1, 1)? {
                v += 1;
            }
            let magnitude = (u + scale * v) / self.numerator;
            let negative = self.below(2)? == 1;
            if negative && magnitude == 0 {
                continue;
            }
            // Beyond 2³¹ with a chance below exp(−2000) for any ε allowed.
            let magnitude = i32::try_from(magnitude).unwrap_or(i32::MAX);
            return Ok(if negative { -magnitude } else { magnitude });
        }
    }

    /// True with probability exp(−n / d), for n ≤ d.
    fn is_exp_minus(&mut self, n: u64, d: u64) -> io::Result<bool> {
        let mut k = 1;
        // Each round succeeds with probability n / (d·k).
        while self.below(d * k)? < n {
            k += 1;
        }
        Ok(k % 2 == 1)
    }

    /// Uniform below `end`, every value alike.
    fn below(&mut self, end: u64) -> io::Result<u64> {
        let whole = u64::MAX - u64::MAX % end;
        loop {
            let word = self.words.word()?;
            if word < whole {
                return Ok(word % end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Seeded(u64);

    impl Uniform for Seeded {
        fn word(&mut self) -> io::Result<u64> {
            // SplitMix64.
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            Ok(z ^ (z >> 31))
        }
    }

    #[test]
    fn draws_follow_the_two_sided_geometric() {
        const DRAWS: u32 = 100_000;
        for epsilon in [MICRO / 4, MICRO / 2, MICRO] {
            let mut noise = Noise {
                numerator: epsilon.into(),
                words: Seeded(5),
            };
            let mut counts = [0_u32; 17];
            for _ in 0..DRAWS {
                let draw = noise.draw().expect("no failure");
                if let Ok(at) = usize::try_from(draw + 8)
                    && let Some(count) = counts.get_mut(at)
                {
                    *count += 1;
                }
            }
            let a = (-f64::from(epsilon) / f64::from(MICRO)).exp();
            for (at, count) in (-8_i32..).zip(counts) {
                let p = (1.0 - a) / (1.0 + a) * a.powi(at.abs());
                let expected = p * f64::from(DRAWS);
                let sigma = (expected * (1.0 - p)).sqrt();
                let off = (f64::from(count) - expected).abs();
                assert!(
                    off < 5.0 * sigma,
                    "{at}: {count}, not {expected:.0} ± {sigma:.0}"
                );
            }
        }
    }

    #[test]
    fn the_system_gives_other_noise_each_time() {
        let draws = || -> Vec<i32> {
            let mut noise = Noise::of(MICRO / 10).expect("above zero");
            (0..64)
                .map(|_| noise.draw().expect("random bytes"))
                .collect()
        };
        assert_ne!(draws(), draws());
    }
}

//! Work compiled twice: for any processor, and for those that shift and count bits in one step.

/// What gains from it. `run` is to be inlined with all that it spends its time on: only what is
/// compiled into [`by_bits`] is compiled twice.
pub(crate) trait BitWork {
    type Done;

    fn run(self) -> Self::Done;
}

/// Does `work` by what this processor has.
#[inline]
pub(crate) fn by_bits<W: BitWork>(work: W) -> W::Done {
    #[cfg(target_arch = "x86_64")]
    if has_bit_instructions() {
        #[expect(unsafe_code, reason = "compiled for what not every processor has")]
        // SAFETY: it has just been asked whether this one has it.
        return unsafe { with_bit_instructions(work) };
    }
    work.run()
}

/// All of Intel's since 2013, and of AMD's since 2015; the answer is kept.
#[cfg(target_arch = "x86_64")]
fn has_bit_instructions() -> bool {
    is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "bmi1,bmi2,lzcnt,popcnt")]
fn with_bit_instructions<W: BitWork>(work: W) -> W::Done {
    work.run()
}

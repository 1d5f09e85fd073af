//! The floating-point unit's mode.

/// Treats denormal numbers as zero in this thread, so that a dying reverb tail costs what a loud one does. A
/// library may take it back: set it again at the start of each block.
pub fn flush_denormals() {
    #[cfg(target_arch = "x86_64")]
    {
        // Bit 15: flush to zero; bit 6: denormals are zero (Intel SDM vol. 1, 11.6).
        const FLUSH: u32 = 0x8040;
        let mut mode: u32 = 0;
        // SAFETY: both instructions touch only this thread's MXCSR and the local `mode`; every mode bit but the two keeps
        // its value, so rounding and exception masks stay what Rust assumes.
        unsafe {
            std::arch::asm!("stmxcsr [{}]", in(reg) &mut mode, options(nostack, preserves_flags));
            mode |= FLUSH;
            std::arch::asm!("ldmxcsr [{}]", in(reg) &mode, options(nostack, preserves_flags, readonly));
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        // FPCR bit 24: flush to zero (Arm ARM, C5.2.8).
        // SAFETY: reads and writes only this thread's FPCR, and changes one bit of it.
        unsafe {
            let mut mode: u64;
            std::arch::asm!("mrs {}, fpcr", out(reg) mode, options(nomem, nostack, preserves_flags));
            mode |= 1 << 24;
            std::arch::asm!("msr fpcr, {}", in(reg) mode, options(nostack, preserves_flags));
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn denormals_become_zero() {
        std::thread::spawn(|| {
            super::flush_denormals();
            let tiny = std::hint::black_box(f32::MIN_POSITIVE);
            assert_eq!(std::hint::black_box(tiny * 0.5), 0.0);
        })
        .join()
        .unwrap();
    }
}

//! Shared memory: sealed memfds, read-only descriptors, and mappings that are either written by us alone or never.
//!
//! A [`ReadMap`] shows memory that another process may be writing: no reference to its contents is ever formed, values are
//! copied out as bits. A [`WriteMap`] is memory whose only writer is its owner.

use std::ffi::CStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use bytemuck::{AnyBitPattern, NoUninit, Pod};
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap, munmap};

use super::futex;

/// A segment of `bytes` zeros that can neither shrink nor grow, so that no mapping of it can ever fault.
///
/// # Errors
/// As the system says it: no descriptors, no memory.
pub fn create(name: &CStr, bytes: usize) -> io::Result<OwnedFd> {
    #[cfg(feature = "faults")]
    super::fault::refuse("memfd")?;
    let fd = memfd_create(name, MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
    nix::unistd::ftruncate(&fd, bytes as i64)?;
    fcntl(&fd, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW))?;
    Ok(fd)
}

/// A second descriptor of the same segment, through which it can only be read: no mapping of it can be made writable.
///
/// # Errors
/// As the system says it.
pub fn read_only(fd: &OwnedFd) -> io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    Ok(OpenOptions::new().read(true).open(path)?.into())
}

/// Ends all writing to the segment, for ever and by anybody. There must be no writable mapping left.
///
/// # Errors
/// If a writable mapping is left.
pub fn seal_contents(fd: &OwnedFd) -> io::Result<()> {
    fcntl(fd, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_SEAL))?;
    Ok(())
}

/// Whether [`seal_contents`] was done.
///
/// # Errors
/// If `fd` is no memfd.
pub fn is_sealed(fd: &OwnedFd) -> io::Result<bool> {
    let seals = SealFlag::from_bits_truncate(fcntl(fd, FcntlArg::F_GET_SEALS)?);
    Ok(seals.contains(SealFlag::F_SEAL_WRITE))
}

/// Gives the memory of `range` back to the system; it reads as zeros afterwards. Whole pages only.
///
/// # Errors
/// As the system says it.
pub fn release(fd: &OwnedFd, range: Range<usize>) -> io::Result<()> {
    let start = range.start.next_multiple_of(PAGE);
    let end = range.end / PAGE * PAGE;
    if start < end {
        let mode = nix::fcntl::FallocateFlags::FALLOC_FL_PUNCH_HOLE | nix::fcntl::FallocateFlags::FALLOC_FL_KEEP_SIZE;
        nix::fcntl::fallocate(fd, mode, start as i64, (end - start) as i64)?;
    }
    Ok(())
}

/// Makes the system provide the memory of `range` now, so that nobody waits for it later.
///
/// # Errors
/// If there is not enough memory.
pub fn reserve(fd: &OwnedFd, range: Range<usize>) -> io::Result<()> {
    let mode = nix::fcntl::FallocateFlags::FALLOC_FL_KEEP_SIZE;
    nix::fcntl::fallocate(fd, mode, range.start as i64, (range.end - range.start) as i64)?;
    Ok(())
}

/// The page size of x86-64, and the smallest of aarch64.
pub const PAGE: usize = 4096;

/// A mapping; unmapped when its last owner goes.
struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a mapping is an address range of the process, not of a thread. Access goes through ReadMap (copies only) and WriteMap
// (disjoint owners), which uphold what follows from that.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    fn new(fd: &OwnedFd, bytes: usize, protection: ProtFlags) -> io::Result<Mapping> {
        #[cfg(feature = "faults")]
        super::fault::refuse("mmap")?;
        let length = NonZeroUsize::new(bytes).ok_or(io::ErrorKind::InvalidInput)?;
        let actual = File::from(fd.as_fd().try_clone_to_owned()?).metadata()?.len();
        if actual < bytes as u64 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "segment is smaller than its layout"));
        }
        // SAFETY: a fresh mapping at an address of the kernel's choice overlaps nothing. The segment is sealed against shrinking
        // (create), so every page of it stays valid.
        let start = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, fd, 0)? };
        Ok(Mapping { start: start.cast(), bytes })
    }

    /// Address of `range`, if it lies within and is aligned for `T`.
    fn at<T>(&self, offset: usize, count: usize) -> Option<*mut T> {
        let end = count.checked_mul(size_of::<T>())?.checked_add(offset)?;
        let is_aligned = offset.is_multiple_of(align_of::<T>());
        // SAFETY: the range lies within the mapping.
        (end <= self.bytes && is_aligned).then(|| unsafe { self.start.as_ptr().add(offset).cast() })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is ours, and nobody holds a pointer into it: every access borrows the map that owns us.
        let _ = unsafe { munmap(self.start.cast(), self.bytes) };
    }
}

/// Panics with where a layout went wrong: offsets come from `offset_of!` and checked plans, never from a lane.
#[cold]
#[inline(never)]
fn outside(offset: usize) -> ! {
    panic!("offset {offset} is outside its segment")
}

/// Memory that others write and we read.
#[derive(Clone)]
pub struct ReadMap {
    mapping: Arc<Mapping>,
}

impl ReadMap {
    /// Maps the first `bytes` of a segment.
    ///
    /// # Errors
    /// As the system says it, or if the segment is smaller.
    pub fn new(fd: &OwnedFd, bytes: usize) -> io::Result<ReadMap> {
        Ok(ReadMap { mapping: Arc::new(Mapping::new(fd, bytes, ProtFlags::PROT_READ)?) })
    }

    /// Length in bytes.
    pub fn bytes(&self) -> usize {
        self.mapping.bytes
    }

    /// A copy of what stands at `offset`. It may be torn, and may be anything: `T` allows every bit pattern.
    pub fn read<T: AnyBitPattern>(&self, offset: usize) -> T {
        let Some(at) = self.mapping.at::<T>(offset, 1) else { outside(offset) };
        // SAFETY: in bounds and aligned (at); every bit pattern is a T; volatile, as another process may be writing.
        unsafe { at.read_volatile() }
    }

    /// Copies `into.len()` values from `offset`; false, and nothing copied, if they do not lie within.
    #[must_use]
    pub fn copy<T: Pod>(&self, offset: usize, into: &mut [T]) -> bool {
        let Some(at) = self.mapping.at::<T>(offset, into.len()) else { return false };
        // SAFETY: the source is in bounds and aligned (at) and cannot overlap `into`, which is exclusively borrowed memory of ours.
        // Another process may be writing the source: what is copied may then be torn, which the caller finds out by sequence
        // numbers, and every bit pattern is a T.
        unsafe { std::ptr::copy_nonoverlapping(at, into.as_mut_ptr(), into.len()) };
        true
    }

    /// The 32-bit word at `offset`.
    pub fn word(&self, offset: usize) -> ReadWord<'_> {
        let Some(at) = self.mapping.at::<u32>(offset, 1) else { outside(offset) };
        // SAFETY: in bounds and aligned; other processes change it with atomic stores only. ReadWord never writes through it, as
        // the page may be read-only.
        ReadWord(unsafe { AtomicU32::from_ptr(at) })
    }

    /// The whole segment as words.
    pub fn words(&self) -> &[AtomicU32] {
        let words = self.mapping.bytes / size_of::<u32>();
        let Some(at) = self.mapping.at::<AtomicU32>(0, words) else { outside(0) };
        // SAFETY: in bounds and aligned (at), for as long as the mapping lives, which `self` borrows. Another process changes these words
        // with atomic stores only (engine::sounds); nobody stores through this slice, as the pages may be read-only: `Sounds`, to which it
        // is given, loads.
        unsafe { std::slice::from_raw_parts(at, words) }
    }

    /// The count at `offset`.
    pub fn count(&self, offset: usize) -> ReadCount<'_> {
        let Some(at) = self.mapping.at::<u64>(offset, 1) else { outside(offset) };
        // SAFETY: as in `word`.
        ReadCount(unsafe { AtomicU64::from_ptr(at) })
    }

    /// Makes the pages of `range` present in this process, so that reading them later does not fault.
    pub fn populate(&self, range: Range<usize>) {
        populate(&self.mapping, range, MmapAdvise::MADV_POPULATE_READ);
    }
}

fn populate(mapping: &Mapping, range: Range<usize>, advice: MmapAdvise) {
    let start = range.start / PAGE * PAGE;
    let end = range.end.min(mapping.bytes);
    if start >= end {
        return;
    }
    // SAFETY: populating changes no contents and the range lies within the mapping. It is advice: where it fails, a page faults later.
    unsafe {
        let _ = madvise(mapping.start.add(start).cast(), end - start, advice);
    }
}

/// A word that others write.
#[derive(Clone, Copy)]
pub struct ReadWord<'a>(&'a AtomicU32);

impl ReadWord<'_> {
    /// Its value.
    #[inline(always)]
    pub fn load(&self, ordering: Ordering) -> u32 {
        self.0.load(ordering)
    }
}

impl ReadWord<'_> {
    /// Where it lies in this process. For the kernel: nobody writes there.
    pub(super) fn address(&self) -> *mut u32 {
        self.0.as_ptr()
    }
}

/// A 64-bit count that others raise.
#[derive(Clone, Copy)]
pub struct ReadCount<'a>(&'a AtomicU64);

impl ReadCount<'_> {
    /// Its value; what was written before it was raised is visible afterwards.
    #[inline(always)]
    pub fn load(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Sleeps while it is `seen`; see [`futex::wait`].
    pub fn wait(&self, seen: u64, deadline_ns: Option<u64>) -> futex::Wake {
        futex::wait(low_half(self.0), seen as u32, deadline_ns)
    }
}

/// The half of a count that the kernel watches. It differs for any two counts that can meet: a waiter lags by blocks, not by 2^32.
fn low_half(count: &AtomicU64) -> &AtomicU32 {
    const { assert!(cfg!(target_endian = "little"), "the low half of a count comes first") };
    // SAFETY: the low half lies within the count, aligned. It is handed to the kernel only: Rust code accesses the whole count.
    unsafe { AtomicU32::from_ptr(std::ptr::from_ref(count).cast::<u32>().cast_mut()) }
}

/// Memory that we write, and nobody else does.
pub struct WriteMap {
    mapping: Arc<Mapping>,
    /// The part of the mapping that this owner writes.
    own: Range<usize>,
}

impl WriteMap {
    /// Maps the first `bytes` of a segment for writing. There must be no other writer: for the engine segment the keeper sees to
    /// that (one engine), for a lane the supervisor (the fence before an attach).
    ///
    /// # Errors
    /// As the system says it, or if the segment is smaller.
    pub fn new(fd: &OwnedFd, bytes: usize) -> io::Result<WriteMap> {
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        Ok(WriteMap { mapping: Arc::new(Mapping::new(fd, bytes, protection)?), own: 0..bytes })
    }

    /// Two owners: of what lies before `offset`, and of the rest. Offsets stay those of the segment.
    pub fn split(self, offset: usize) -> (WriteMap, WriteMap) {
        let Range { start, end } = self.own;
        assert!((start..=end).contains(&offset), "split within the own part");
        let lower = WriteMap { mapping: Arc::clone(&self.mapping), own: start..offset };
        (lower, WriteMap { mapping: self.mapping, own: offset..end })
    }

    fn at<T>(&self, offset: usize, count: usize) -> *mut T {
        let is_own = offset >= self.own.start && offset + count * size_of::<T>() <= self.own.end;
        match self.mapping.at(offset, count) {
            Some(at) if is_own => at,
            _ => outside(offset),
        }
    }

    /// The 32-bit word at `offset`, which others watch.
    pub fn word(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: in bounds, aligned, and everybody accesses words atomically.
        unsafe { AtomicU32::from_ptr(self.at(offset, 1)) }
    }

    fn count_ref(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: as in `word`.
        unsafe { AtomicU64::from_ptr(self.at(offset, 1)) }
    }

    /// Where `bytes` bytes from `offset` on lie in this process.
    pub(super) fn address(&self, offset: usize, bytes: usize) -> u64 {
        match self.mapping.at::<u8>(offset, bytes) {
            Some(start) => start as u64,
            None => outside(offset),
        }
    }

    /// The count at `offset`.
    pub fn count(&self, offset: usize) -> u64 {
        self.count_ref(offset).load(Ordering::Acquire)
    }

    /// Raises the count at `offset`: whoever sees it sees what was written before. Wakes nobody.
    pub fn publish(&self, offset: usize, count: u64) {
        self.count_ref(offset).store(count, Ordering::Release);
    }

    /// Wakes everybody who waits on the count at `offset`.
    pub fn wake(&self, offset: usize) {
        futex::wake_all(low_half(self.count_ref(offset)));
    }

    /// Stores a value. Others may be reading it meanwhile: they find out by the words around it.
    pub fn write<T: NoUninit>(&mut self, offset: usize, value: T) {
        // SAFETY: in bounds, aligned, and nobody else writes here.
        unsafe { self.at::<T>(offset, 1).write_volatile(value) }
    }

    /// What stands at `offset`.
    pub fn read<T: AnyBitPattern>(&self, offset: usize) -> T {
        // SAFETY: in bounds, aligned; every bit pattern is a T.
        unsafe { self.at::<T>(offset, 1).read_volatile() }
    }

    /// A part of it as a slice.
    pub fn slice_mut<T: Pod>(&mut self, offset: usize, count: usize) -> &mut [T] {
        // SAFETY: in bounds and aligned (at); we are the only writer, and `self` is exclusively borrowed. Readers in other processes
        // copy out through ReadMap and form no reference.
        unsafe { std::slice::from_raw_parts_mut(self.at(offset, count), count) }
    }

    /// Several parts at once, which must not overlap; `None` if they do, or if one does not lie within.
    pub fn slices_mut<const N: usize>(&mut self, ranges: [Range<usize>; N]) -> Option<[&mut [u8]; N]> {
        for (index, range) in ranges.iter().enumerate() {
            let lies_within = range.start <= range.end && range.start >= self.own.start && range.end <= self.own.end;
            let overlaps = ranges[..index].iter().any(|other| range.start < other.end && other.start < range.end);
            if !lies_within || overlaps {
                return None;
            }
        }
        // SAFETY: each range lies within our own part, no two overlap, and `self` is exclusively borrowed.
        Some(ranges.map(|range| unsafe {
            std::slice::from_raw_parts_mut(self.mapping.start.as_ptr().add(range.start), range.end - range.start)
        }))
    }

    /// Makes the pages of `range` present and writable in this process, so that writing them later does not fault.
    pub fn populate(&self, range: Range<usize>) {
        populate(&self.mapping, range, MmapAdvise::MADV_POPULATE_WRITE);
    }
}

/// Contents that nobody can change any more: a reference to them is as good as one to a constant.
pub struct SealedMap<T> {
    mapping: Mapping,
    contents: std::marker::PhantomData<T>,
}

impl<T: AnyBitPattern> SealedMap<T> {
    /// Maps a segment that holds a `T`.
    ///
    /// # Errors
    /// If it is not sealed, is smaller than a `T`, or as the system says it.
    pub fn new(fd: &OwnedFd) -> io::Result<SealedMap<T>> {
        if !is_sealed(fd)? {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "segment is not sealed"));
        }
        let mapping = Mapping::new(fd, size_of::<T>(), ProtFlags::PROT_READ)?;
        populate(&mapping, 0..size_of::<T>(), MmapAdvise::MADV_POPULATE_READ);
        Ok(SealedMap { mapping, contents: std::marker::PhantomData })
    }

    /// The contents.
    pub fn get(&self) -> &T {
        const { assert!(align_of::<T>() <= PAGE) };
        // SAFETY: a mapping starts on a page; the length was checked; F_SEAL_WRITE makes the contents constant for ever; every bit
        // pattern is a T.
        unsafe { self.mapping.start.cast::<T>().as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_only_descriptor_cannot_be_mapped_for_writing() {
        let fd = create(c"test", PAGE).unwrap();
        let read = read_only(&fd).unwrap();
        assert!(WriteMap::new(&read, PAGE).is_err());
        let mut writer = WriteMap::new(&fd, PAGE).unwrap();
        let reader = ReadMap::new(&read, PAGE).unwrap();
        writer.write(8, 0x1234_5678u32);
        assert_eq!(reader.read::<u32>(8), 0x1234_5678);
        assert!(!reader.copy(PAGE - 4, &mut [0u32; 2]), "past the end");
    }

    #[test]
    fn a_sealed_segment_is_constant_and_an_open_one_is_not_taken_for_it() {
        let fd = create(c"test", PAGE).unwrap();
        WriteMap::new(&fd, PAGE).unwrap().write(0, 7u64);
        assert!(SealedMap::<u64>::new(&fd).is_err());
        seal_contents(&fd).unwrap();
        assert_eq!(*SealedMap::<u64>::new(&fd).unwrap().get(), 7);
        assert!(WriteMap::new(&fd, PAGE).is_err());
    }

    #[test]
    fn slices_at_once_must_not_overlap() {
        let fd = create(c"test", PAGE).unwrap();
        let mut map = WriteMap::new(&fd, PAGE).unwrap();
        assert!(map.slices_mut([0..64, 64..128]).is_some());
        assert!(map.slices_mut([0..64, 63..128]).is_none());
        assert!(map.slices_mut([0..64, 64..PAGE + 1]).is_none());
        let (mut lower, _upper) = map.split(128);
        let past_the_end = 64..129;
        assert!(lower.slices_mut([past_the_end]).is_none());
    }
}

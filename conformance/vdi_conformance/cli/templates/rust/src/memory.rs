//! The memory of this process as the suite sees it. What may not be touched is refused, and never ends the process:
//! the operating system copies, and says where it cannot.

use crate::protocol::{refuse, Refusal, INVALID_PARAMS, MEMORY_FAULT};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::sync::atomic::AtomicU8;

const PATTERN: usize = 4096;
const CHUNK: usize = 1 << 20;
const PAGE: usize = 65536;

static DATA: AtomicU8 = AtomicU8::new(0);

/// Addresses of this process that belong to no set: one in each kind of memory.
pub struct Outside {
    pub stack: u64,
    pub heap: u64,
    pub data: u64,
    pub unmapped: u64,
}

impl Outside {
    /// Finds them; the variable lies on the stack of a function that does not return.
    pub fn find(on_the_stack: &u8) -> Outside {
        let heap: &'static [u8; 256] = Box::leak(Box::new([0; 256]));
        Outside {
            stack: on_the_stack as *const u8 as u64,
            heap: heap.as_ptr() as u64,
            data: &DATA as *const AtomicU8 as u64,
            unmapped: system::map(0, PAGE, false).expect("a process has room for a page"),
        }
    }
}

pub fn allocate(size: usize) -> Result<u64, Refusal> {
    found(
        system::map(0, size, true),
        format!("no {size} bytes of memory are left in the host"),
    )
}

/// Reserves address space without access, at `address` where that is given and free.
pub fn reserve(size: usize, address: u64) -> Result<u64, Refusal> {
    found(
        system::map(address, size, false),
        format!("no {size} bytes of address space are left in the host"),
    )
}

pub fn read(address: u64, size: usize) -> Result<Vec<u8>, Refusal> {
    let mut data = vec![0; size];
    read_into(address, &mut data)?;
    Ok(data)
}

pub fn write(address: u64, data: &[u8]) -> Result<(), Refusal> {
    let written = system::copy_in(address, data).then_some(());
    found(
        written,
        format!(
            "the {} bytes at {address:#x} cannot all be written in this process",
            data.len()
        ),
    )
}

/// Writes the contents that follow from a seed: see "What memory.fill writes" in the guide to hosts (HOSTS.md).
pub fn fill(address: u64, size: usize, seed: &str) -> Result<(), Refusal> {
    let pattern: Vec<u8> = (0..PATTERN / 32)
        .flat_map(|block| Sha256::digest(format!("{seed}:{block}")))
        .collect();
    let first = u64::from_le_bytes(pattern[..8].try_into().expect("these are eight bytes"));
    for (start, length) in chunks(size) {
        let mut data = pattern.repeat((length + PATTERN - 1) / PATTERN);
        for (index, page) in data.chunks_mut(PATTERN).enumerate() {
            let repetition = (start / PATTERN + index) as u64;
            page[..8].copy_from_slice(&(first ^ repetition).to_le_bytes());
        }
        write(address.wrapping_add(start as u64), &data[..length])?;
    }
    Ok(())
}

pub fn digest(address: u64, size: usize) -> Result<String, Refusal> {
    digest_of_chunks(address, size, |_| Ok(()))
}

/// Writes a span of memory into a file, which is made where there is none; gives its digest.
pub fn save(address: u64, size: usize, path: &str, offset: u64) -> Result<String, Refusal> {
    let mut options = OpenOptions::new();
    let mut file = opened(options.read(true).write(true).create(true), path, offset)?;
    digest_of_chunks(address, size, |data| of_file(file.write_all(data), path))
}

/// Reads a span of a file into memory; gives its digest.
pub fn load(address: u64, size: usize, path: &str, offset: u64) -> Result<String, Refusal> {
    let mut file = opened(OpenOptions::new().read(true), path, offset)?;
    let mut running = Sha256::new();
    for (start, length) in chunks(size) {
        let mut data = vec![0; length];
        of_file(file.read_exact(&mut data), path)?;
        running.update(&data);
        write(address.wrapping_add(start as u64), &data)?;
    }
    Ok(format!("{:x}", running.finalize()))
}

fn digest_of_chunks(
    address: u64,
    size: usize,
    mut seen: impl FnMut(&[u8]) -> Result<(), Refusal>,
) -> Result<String, Refusal> {
    let mut running = Sha256::new();
    for (start, length) in chunks(size) {
        let data = read(address.wrapping_add(start as u64), length)?;
        running.update(&data);
        seen(&data)?;
    }
    Ok(format!("{:x}", running.finalize()))
}

/// Gives offset and length of each piece of a span.
fn chunks(size: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..size)
        .step_by(CHUNK)
        .map(move |start| (start, CHUNK.min(size - start)))
}

fn read_into(address: u64, data: &mut [u8]) -> Result<(), Refusal> {
    let read = system::copy_out(address, data).then_some(());
    found(
        read,
        format!(
            "the {} bytes at {address:#x} cannot all be read in this process",
            data.len()
        ),
    )
}

fn found<T>(value: Option<T>, otherwise: String) -> Result<T, Refusal> {
    value.map_or_else(|| refuse(MEMORY_FAULT, otherwise), Ok)
}

fn opened(options: &mut OpenOptions, path: &str, offset: u64) -> Result<File, Refusal> {
    let mut file = of_file(options.open(path), path)?;
    of_file(file.seek(SeekFrom::Start(offset)), path)?;
    Ok(file)
}

fn of_file<T>(done: io::Result<T>, path: &str) -> Result<T, Refusal> {
    done.or_else(|error| match error.kind() {
        ErrorKind::UnexpectedEof => refuse(INVALID_PARAMS, format!("{path} ends before that")),
        _ => refuse(INVALID_PARAMS, format!("{path} cannot be used: {error}")),
    })
}

#[cfg(target_os = "linux")]
mod system {
    use libc::{
        iovec, MAP_ANONYMOUS, MAP_FAILED, MAP_NORESERVE, MAP_PRIVATE, PROT_NONE, PROT_READ,
        PROT_WRITE,
    };

    /// Maps fresh zeroed memory, or address space without access.
    pub fn map(address: u64, size: usize, accessible: bool) -> Option<u64> {
        let (protection, more) = if accessible {
            (PROT_READ | PROT_WRITE, 0)
        } else {
            (PROT_NONE, MAP_NORESERVE)
        };
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | more;
        let mapped = unsafe { libc::mmap(address as *mut _, size, protection, flags, -1, 0) };
        (mapped != MAP_FAILED).then_some(mapped as u64)
    }

    pub fn copy_out(address: u64, data: &mut [u8]) -> bool {
        let here = iovec {
            iov_base: data.as_mut_ptr().cast(),
            iov_len: data.len(),
        };
        let there = iovec {
            iov_base: address as *mut _,
            iov_len: data.len(),
        };
        let copied = unsafe { libc::process_vm_readv(libc::getpid(), &here, 1, &there, 1, 0) };
        copied == data.len() as isize
    }

    pub fn copy_in(address: u64, data: &[u8]) -> bool {
        let here = iovec {
            iov_base: data.as_ptr() as *mut _,
            iov_len: data.len(),
        };
        let there = iovec {
            iov_base: address as *mut _,
            iov_len: data.len(),
        };
        let copied = unsafe { libc::process_vm_writev(libc::getpid(), &here, 1, &there, 1, 0) };
        copied == data.len() as isize
    }
}

#[cfg(windows)]
mod system {
    use std::os::raw::c_void;

    const MEM_COMMIT: u32 = 0x1000;
    const MEM_RESERVE: u32 = 0x2000;
    const PAGE_NOACCESS: u32 = 0x01;
    const PAGE_READWRITE: u32 = 0x04;

    #[link(name = "kernel32")]
    extern "system" {
        fn GetCurrentProcess() -> isize;
        fn VirtualAlloc(
            address: *mut c_void,
            size: usize,
            kind: u32,
            protection: u32,
        ) -> *mut c_void;
        fn ReadProcessMemory(
            of: isize,
            from: *const c_void,
            to: *mut c_void,
            size: usize,
            copied: *mut usize,
        ) -> i32;
        fn WriteProcessMemory(
            of: isize,
            to: *mut c_void,
            from: *const c_void,
            size: usize,
            copied: *mut usize,
        ) -> i32;
    }

    /// Maps fresh zeroed memory, or address space without access.
    pub fn map(address: u64, size: usize, accessible: bool) -> Option<u64> {
        let (kind, protection) = if accessible {
            (MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)
        } else {
            (MEM_RESERVE, PAGE_NOACCESS)
        };
        let at =
            |place: u64| unsafe { VirtualAlloc(place as *mut _, size, kind, protection) as u64 };
        [at(address), if address == 0 { 0 } else { at(0) }]
            .into_iter()
            .find(|mapped| *mapped != 0)
    }

    pub fn copy_out(address: u64, data: &mut [u8]) -> bool {
        let (mut copied, size) = (0, data.len());
        let to = data.as_mut_ptr().cast();
        let done = unsafe {
            ReadProcessMemory(
                GetCurrentProcess(),
                address as *const _,
                to,
                size,
                &mut copied,
            )
        };
        size == 0 || (done != 0 && copied == size)
    }

    pub fn copy_in(address: u64, data: &[u8]) -> bool {
        let (mut copied, size) = (0, data.len());
        let from = data.as_ptr().cast();
        let done = unsafe {
            WriteProcessMemory(
                GetCurrentProcess(),
                address as *mut _,
                from,
                size,
                &mut copied,
            )
        };
        size == 0 || (done != 0 && copied == size)
    }
}

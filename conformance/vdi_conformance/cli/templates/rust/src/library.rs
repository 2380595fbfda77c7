//! Your library: how it is found and called. This file is what you change; the others suit every library.
//!
//! It expects the ABI of libsqlvdi.so: two C++ classes without virtual methods, reached by their mangled names. Each
//! method makes one call, and reports the code and the out value as they came: the suite judges them.

use std::os::raw::{c_int, c_long, c_ulong, c_void};
use std::ptr::{null, null_mut};

pub const NAME: &str = "skeleton";
pub const VERSION: &str = "unknown";
pub const VENDOR: &str = "";

const NOERROR: u32 = 0;
const VD_E_NOTSUPPORTED: u32 = 0x8077_0009;
const VD_E_PROTOCOL: u32 = 0x8077_000C;
const INFINITE: u32 = 0xFFFF_FFFF;

/// What an out value holds before a call, so that one which the library leaves alone can be told.
const UNTOUCHED: u64 = 0xCCCC_CCCC_CCCC_CCCC;
const UNTOUCHED_32: u32 = UNTOUCHED as u32;

/// A client object holds one pointer; some room beyond it does no harm.
type Object = [u64; 8];

/// The fields of VDConfig in their order.
pub const CONFIG_FIELDS: [&str; 11] = [
    "device_count",
    "features",
    "prefix_zone_size",
    "alignment",
    "soft_file_mark_block_size",
    "eom_warning_size",
    "server_time_out",
    "block_size",
    "max_io_depth",
    "max_transfer_size",
    "buffer_area_size",
];
pub type Config = [u32; CONFIG_FIELDS.len()];

/// A VDC_Command as it lies in memory.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Command {
    pub code: u32,
    pub size: u32,
    pub position: u64,
    pub buffer: usize,
}

/// An HRESULT and what is in the out variable afterwards; None where the pointer was null.
pub type Outcome<T> = (u32, Option<T>);

type This = *mut c_void;

/// The functions of the library; objects are named by their addresses.
pub struct Library {
    loaded: libloading::Library,
    construct: unsafe extern "C" fn(This),
    destroy: unsafe extern "C" fn(This),
    create: unsafe extern "C" fn(This, *const u8, *const Config) -> u32,
    get_configuration: unsafe extern "C" fn(This, c_long, *mut Config) -> u32,
    open_device: unsafe extern "C" fn(This, *const u8, *mut u64) -> u32,
    close: unsafe extern "C" fn(This) -> u32,
    signal_abort: unsafe extern "C" fn(This) -> u32,
    open_in_secondary: unsafe extern "C" fn(This, *const u8) -> u32,
    get_buffer_handle: unsafe extern "C" fn(This, u64, *mut u32) -> u32,
    map_buffer_handle: unsafe extern "C" fn(This, u32, *mut u64) -> u32,
    get_command: unsafe extern "C" fn(This, c_long, *mut u64) -> u32,
    complete_command: unsafe extern "C" fn(This, u64, c_int, c_ulong, i64) -> u32,
}

impl Library {
    /// Loads the library; where that cannot be, says why in one sentence.
    pub fn load(path: &str, run_directory: &str) -> Result<Library, String> {
        // A library that the suite's emulator serves finds it by this; yours may need something else, or nothing.
        std::env::set_var("VDI_EMULATOR_DIRECTORY", run_directory);
        // What processes share gets this mask, and a server under another account must be able to write to it.
        #[cfg(unix)]
        unsafe {
            libc::umask(0)
        };
        let loaded = unsafe { libloading::Library::new(path) }.map_err(|error| {
            format!("the library {path} cannot be loaded ({error}): correct it in manifest.toml")
        })?;
        macro_rules! function {
            ($symbol:literal) => {
                *unsafe { loaded.get($symbol.as_bytes()) }.map_err(|_| {
                    format!(
                        "{path} has no function {}: correct it in library.rs",
                        $symbol
                    )
                })?
            };
        }
        Ok(Library {
            construct: function!("_ZN22ClientVirtualDeviceSetC1Ev"),
            destroy: function!("_ZN22ClientVirtualDeviceSetD1Ev"),
            create: function!("_ZN22ClientVirtualDeviceSet6CreateEPcP8VDConfig"),
            get_configuration: function!(
                "_ZN22ClientVirtualDeviceSet16GetConfigurationElP8VDConfig"
            ),
            open_device: function!(
                "_ZN22ClientVirtualDeviceSet10OpenDeviceEPcPP19ClientVirtualDevice"
            ),
            close: function!("_ZN22ClientVirtualDeviceSet5CloseEv"),
            signal_abort: function!("_ZN22ClientVirtualDeviceSet11SignalAbortEv"),
            open_in_secondary: function!("_ZN22ClientVirtualDeviceSet15OpenInSecondaryEPc"),
            get_buffer_handle: function!("_ZN22ClientVirtualDeviceSet15GetBufferHandleEPhPj"),
            map_buffer_handle: function!("_ZN22ClientVirtualDeviceSet15MapBufferHandleEiPPh"),
            get_command: function!("_ZN19ClientVirtualDevice10GetCommandElPP11VDC_Command"),
            complete_command: function!(
                "_ZN19ClientVirtualDevice15CompleteCommandEP11VDC_Commandiml"
            ),
            loaded,
        })
    }

    /// Makes a client object.
    pub fn new_set(&self) -> usize {
        let object: &mut Object = Box::leak(Box::new([0; 8]));
        unsafe { (self.construct)(object.as_mut_ptr().cast()) };
        object.as_ptr() as usize
    }

    /// Destroys a client object; its memory is kept, since the suite may use it once more.
    pub fn release_set(&self, set: usize) {
        unsafe { (self.destroy)(set as This) }
    }

    /// Gives a device up; with this ABI it belongs to its set.
    pub fn release_device(&self, _device: usize) {}

    pub fn create(&self, set: usize, name: Option<String>, config: Option<Config>) -> u32 {
        let (name, config) = (
            text(name),
            config
                .as_ref()
                .map_or(null(), |config| config as *const Config),
        );
        unsafe { (self.create)(set as This, pointer(&name), config) }
    }

    /// CreateEx, which this ABI has for the default instance alone.
    pub fn create_ex(
        &self,
        set: usize,
        instance: Option<String>,
        name: Option<String>,
        config: Option<Config>,
    ) -> u32 {
        match instance.as_deref() {
            None | Some("") => self.create(set, name, config),
            Some(_) => VD_E_NOTSUPPORTED,
        }
    }

    pub fn get_configuration(&self, set: usize, timeout: u32, null_out: bool) -> Outcome<Config> {
        let call = |out| unsafe { (self.get_configuration)(set as This, waiting(timeout), out) };
        with_out([UNTOUCHED_32; CONFIG_FIELDS.len()], null_out, call)
    }

    /// OpenDevice; a device is named by its address, of which null is none.
    pub fn open_device(&self, set: usize, name: Option<String>, null_out: bool) -> Outcome<usize> {
        let name = text(name);
        let call = |out| unsafe { (self.open_device)(set as This, pointer(&name), out) };
        let (code, device) = with_out(UNTOUCHED, null_out, call);
        (
            code,
            device
                .map(|address| address as usize)
                .filter(|address| *address != 0),
        )
    }

    pub fn close(&self, set: usize) -> u32 {
        unsafe { (self.close)(set as This) }
    }

    pub fn signal_abort(&self, set: usize) -> u32 {
        unsafe { (self.signal_abort)(set as This) }
    }

    pub fn open_in_secondary(&self, set: usize, name: Option<String>) -> u32 {
        unsafe { (self.open_in_secondary)(set as This, pointer(&text(name))) }
    }

    /// OpenInSecondaryEx, which this ABI has for the default instance alone.
    pub fn open_in_secondary_ex(
        &self,
        set: usize,
        instance: Option<String>,
        name: Option<String>,
    ) -> u32 {
        match instance.as_deref() {
            None | Some("") => self.open_in_secondary(set, name),
            Some(_) => VD_E_PROTOCOL,
        }
    }

    pub fn get_buffer_handle(&self, set: usize, address: u64, null_out: bool) -> Outcome<u32> {
        with_out(UNTOUCHED_32, null_out, |out| unsafe {
            (self.get_buffer_handle)(set as This, address, out)
        })
    }

    pub fn map_buffer_handle(&self, set: usize, handle: u32, null_out: bool) -> Outcome<u64> {
        with_out(UNTOUCHED, null_out, |out| unsafe {
            (self.map_buffer_handle)(set as This, handle, out)
        })
    }

    /// GetCommand; gives the command with the address of its record, where one was handed out.
    pub fn get_command(
        &self,
        device: usize,
        timeout: u32,
        null_out: bool,
    ) -> Outcome<(u64, Command)> {
        let call = |out| unsafe { (self.get_command)(device as This, waiting(timeout), out) };
        let (code, record) = with_out(UNTOUCHED, null_out, call);
        let handed_out = record.filter(|address| code == NOERROR && *address != 0);
        (
            code,
            handed_out.map(|address| {
                (address, unsafe {
                    (address as *const Command).read_unaligned()
                })
            }),
        )
    }

    pub fn complete_command(
        &self,
        device: usize,
        command: u64,
        code: u32,
        transferred: u32,
        position: u64,
    ) -> u32 {
        let (code, transferred) = (code as c_int, c_ulong::from(transferred));
        unsafe {
            (self.complete_command)(device as This, command, code, transferred, position as i64)
        }
    }

    /// Finds what the library exports.
    pub fn symbol(&self, name: &str) -> Option<usize> {
        let found = unsafe { self.loaded.get::<*const c_void>(name.as_bytes()) };
        found.ok().map(|symbol| *symbol as usize)
    }

    /// Calls a function at an address. The caller tidies the stack, so arguments that it does not have do no harm.
    pub fn call(&self, function: u64, arguments: &[u64]) -> u32 {
        type Function = unsafe extern "C" fn(u64, u64, u64, u64, u64, u64, u64, u64) -> u32;
        let mut all = [0; 8];
        all[..arguments.len()].copy_from_slice(arguments);
        let [a, b, c, d, e, f, g, h] = all;
        unsafe { std::mem::transmute::<usize, Function>(function as usize)(a, b, c, d, e, f, g, h) }
    }
}

/// Makes a call with an out pointer, which is null where that is asked for, and gives what it points to afterwards.
fn with_out<T>(untouched: T, null_out: bool, call: impl FnOnce(*mut T) -> u32) -> Outcome<T> {
    if null_out {
        return (call(null_mut()), None);
    }
    let mut out = untouched;
    (call(&mut out), Some(out))
}

/// Gives a text as C has it, with a zero at its end.
fn text(text: Option<String>) -> Option<Vec<u8>> {
    text.map(|text| [text.as_bytes(), b"\0"].concat())
}

fn pointer(text: &Option<Vec<u8>>) -> *const u8 {
    text.as_ref().map_or(null(), |text| text.as_ptr())
}

/// Gives a time-out in milliseconds as a time_t, of which a negative one is infinite.
fn waiting(timeout: u32) -> c_long {
    if timeout == INFINITE {
        -1
    } else {
        timeout as c_long
    }
}

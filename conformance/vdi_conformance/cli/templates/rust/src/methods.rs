//! From a request to a call: each method of the protocol that a host of a client must have, and a few more.

use crate::library::{Command, Config, Library, Outcome, CONFIG_FIELDS, NAME, VENDOR, VERSION};
use crate::memory::{self, Outside};
use crate::protocol::{
    hex, refuse, Answer, Params, Refusal, Request, INVALID_PARAMS, INVALID_REQUEST,
    LIBRARY_NOT_THERE, METHOD_NOT_FOUND, VERSION as PROTOCOL,
};
use serde_json::{json, Map, Value};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What this host has: a method that is not named here is never asked for.
const METHODS: [&str; 30] = [
    "calls.concurrently",
    "calls.end_thread",
    "device.complete_command",
    "device.get_command",
    "device.release",
    "initialize",
    "memory.allocate",
    "memory.digest",
    "memory.fill",
    "memory.load",
    "memory.outside_addresses",
    "memory.read",
    "memory.reserve",
    "memory.save",
    "memory.write",
    "native.call",
    "native.symbol",
    "process.files",
    "set.close",
    "set.create",
    "set.create_ex",
    "set.get_buffer_handle",
    "set.get_configuration",
    "set.map_buffer_handle",
    "set.new",
    "set.open_device",
    "set.open_in_secondary",
    "set.open_in_secondary_ex",
    "set.release",
    "set.signal_abort",
];

/// The state of this process: the library, and its objects by the ids that the suite gave them.
///
/// What was released stays known, so that the suite can try stale use.
pub struct Host {
    path: String,
    outside: Outside,
    library: Mutex<Option<Arc<Library>>>,
    sets: Mutex<HashMap<String, usize>>,
    devices: Mutex<HashMap<String, usize>>,
}

impl Host {
    pub fn new(path: String, outside: Outside) -> Host {
        Host {
            path,
            outside,
            library: Mutex::default(),
            sets: Mutex::default(),
            devices: Mutex::default(),
        }
    }

    /// Does what a request asks for.
    pub fn perform(&self, request: &Request) -> Answer {
        let params = &request.params;
        match request.method.split_once('.') {
            Some(("set", method)) => self.of_set(method, params),
            Some(("device", method)) => self.of_device(method, params),
            Some(("memory", method)) => self.of_memory(method, params),
            Some(("native", method)) => self.of_library(method, params),
            Some(("process", "files")) => Ok(json!({ "files": self.files() })),
            None if request.method == "initialize" => self.initialize(params),
            _ => unknown(),
        }
    }

    fn initialize(&self, params: &Params) -> Answer {
        params.expect_our_major()?;
        let mut library = self.library.lock().unwrap();
        if library.is_some() {
            return refuse(INVALID_REQUEST, "initialize was sent already");
        }
        match Library::load(&self.path, &params.run_directory()?) {
            Ok(loaded) => *library = Some(Arc::new(loaded)),
            Err(sentence) => return refuse(LIBRARY_NOT_THERE, sentence),
        }
        Ok(json!({
            "protocol": PROTOCOL,
            "identity": {"name": NAME, "version": VERSION, "vendor": VENDOR, "library": self.path},
            "capabilities": {"native_abi": "libsqlvdi", "null_out_pointers": true},
            "process": {
                "pid": std::process::id(),
                "pointer_bytes": std::mem::size_of::<usize>(),
                "platform": if cfg!(windows) { "win32" } else { std::env::consts::OS },
                "own_layout": false,
            },
            "methods": METHODS,
        }))
    }

    fn of_set(&self, method: &str, params: &Params) -> Answer {
        let library = self.library()?;
        if method == "new" {
            self.sets
                .lock()
                .unwrap()
                .insert(params.text("set")?, library.new_set());
            return Ok(json!({}));
        }
        let set = known(&self.sets, "set", params)?;
        let name = || params.optional("name", Params::text);
        let instance = || params.optional("instance", Params::text);
        let config =
            || params.optional("config", |params, name| params.numbers(name, CONFIG_FIELDS));
        match method {
            "create" => code(library.create(set, name()?, config()?)),
            "create_ex" => code(library.create_ex(set, instance()?, name()?, config()?)),
            "get_configuration" => {
                let outcome =
                    library.get_configuration(set, params.u32("timeout")?, params.null_out()?);
                with_value("config", outcome, |config| json!(fields(config)))
            }
            "open_device" => self.open_device(&library, set, params),
            "close" => code(library.close(set)),
            "signal_abort" => code(library.signal_abort(set)),
            "open_in_secondary" => code(library.open_in_secondary(set, name()?)),
            "open_in_secondary_ex" => code(library.open_in_secondary_ex(set, instance()?, name()?)),
            "get_buffer_handle" => {
                let outcome =
                    library.get_buffer_handle(set, params.hex("address")?, params.null_out()?);
                with_value("handle", outcome, |handle| json!(handle))
            }
            "map_buffer_handle" => {
                let outcome =
                    library.map_buffer_handle(set, params.u32("handle")?, params.null_out()?);
                with_value("address", outcome, |address| json!(hex(address)))
            }
            "release" => {
                library.release_set(set);
                Ok(json!({}))
            }
            _ => unknown(),
        }
    }

    fn open_device(&self, library: &Library, set: usize, params: &Params) -> Answer {
        let (name, id) = (
            params.optional("name", Params::text)?,
            params.text("device")?,
        );
        let (code, opened) = library.open_device(set, name, params.null_out()?);
        if let Some(device) = opened {
            self.devices.lock().unwrap().insert(id, device);
        }
        Ok(json!({"code": code, "opened": opened.is_some()}))
    }

    fn of_device(&self, method: &str, params: &Params) -> Answer {
        let library = self.library()?;
        let device = known(&self.devices, "device", params)?;
        match method {
            "get_command" => {
                let outcome =
                    library.get_command(device, params.u32("timeout")?, params.null_out()?);
                with_value("command", outcome, |(address, command)| {
                    record(address, command)
                })
            }
            "complete_command" => code(library.complete_command(
                device,
                params.hex("command")?,
                params.u32("completion_code")?,
                params.u32("bytes_transferred")?,
                params.hex("position")?,
            )),
            "release" => {
                library.release_device(device);
                Ok(json!({}))
            }
            _ => unknown(),
        }
    }

    fn of_memory(&self, method: &str, params: &Params) -> Answer {
        let span = || Ok::<_, Refusal>((params.hex("address")?, params.size("size")?));
        let file = || Ok::<_, Refusal>((params.text("path")?, params.size("offset")? as u64));
        match method {
            "allocate" => Ok(json!({ "address": hex(memory::allocate(params.size("size")?)?) })),
            "reserve" => {
                let wanted = params.optional("address", Params::hex)?.unwrap_or(0);
                Ok(json!({ "address": hex(memory::reserve(params.size("size")?, wanted)?) }))
            }
            "read" => {
                let (address, size) = span()?;
                let digits: String = memory::read(address, size)?
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                Ok(json!({ "data": digits }))
            }
            "write" => {
                memory::write(params.hex("address")?, &params.bytes("data")?).map(|_| json!({}))
            }
            "fill" => {
                let (address, size) = span()?;
                memory::fill(address, size, &params.decimal("seed")?).map(|_| json!({}))
            }
            "digest" => {
                let (address, size) = span()?;
                sha256(memory::digest(address, size))
            }
            "save" => {
                let ((address, size), (path, offset)) = (span()?, file()?);
                sha256(memory::save(address, size, &path, offset))
            }
            "load" => {
                let ((address, size), (path, offset)) = (span()?, file()?);
                sha256(memory::load(address, size, &path, offset))
            }
            "outside_addresses" => Ok(json!({
                "stack": hex(self.outside.stack),
                "heap": hex(self.outside.heap),
                "data": hex(self.outside.data),
                "unmapped": hex(self.outside.unmapped),
            })),
            _ => unknown(),
        }
    }

    fn of_library(&self, method: &str, params: &Params) -> Answer {
        let library = self.library()?;
        match method {
            "symbol" => {
                let address = library.symbol(&params.text("name")?);
                Ok(json!({ "address": address.map(|address| hex(address as u64)) }))
            }
            "call" => code(library.call(params.hex("function")?, &params.arguments()?)),
            _ => unknown(),
        }
    }

    /// Names the files that make this adapter: the evidence of a run has their digests.
    fn files(&self) -> Vec<String> {
        let program = std::env::current_exe().ok();
        let library = Path::new(&self.path).canonicalize().ok();
        [program, library]
            .into_iter()
            .flatten()
            .map(|path| path.display().to_string())
            .collect()
    }

    fn library(&self) -> Result<Arc<Library>, Refusal> {
        match &*self.library.lock().unwrap() {
            Some(library) => Ok(Arc::clone(library)),
            None => refuse(
                INVALID_REQUEST,
                "the first request must be initialize, and must succeed",
            ),
        }
    }
}

fn known(
    objects: &Mutex<HashMap<String, usize>>,
    kind: &str,
    params: &Params,
) -> Result<usize, Refusal> {
    let id = params.text(kind)?;
    match objects.lock().unwrap().get(&id) {
        Some(object) => Ok(*object),
        None => refuse(
            INVALID_PARAMS,
            format!("no {kind} is known by the id {id:?}: one must have been made first"),
        ),
    }
}

fn unknown() -> Answer {
    refuse(METHOD_NOT_FOUND, "this host does not have that method")
}

fn code(code: u32) -> Answer {
    Ok(json!({ "code": code }))
}

fn with_value<T>(name: &str, (code, found): Outcome<T>, plain: impl Fn(T) -> Value) -> Answer {
    Ok(json!({"code": code, name: found.map(plain)}))
}

fn fields(config: Config) -> Map<String, Value> {
    CONFIG_FIELDS
        .iter()
        .zip(config)
        .map(|(field, number)| (field.to_string(), json!(number)))
        .collect()
}

fn record(address: u64, command: Command) -> Value {
    json!({
        "address": hex(address),
        "code": command.code,
        "size": command.size,
        "position": hex(command.position),
        "buffer": hex(command.buffer as u64),
    })
}

fn sha256(digest: Result<String, Refusal>) -> Answer {
    Ok(json!({ "sha256": digest? }))
}

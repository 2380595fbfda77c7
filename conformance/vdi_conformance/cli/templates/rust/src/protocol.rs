//! The messages: a request and its parameters, an answer, and what a request can be refused with.

use serde_json::{json, Map, Value};
use std::sync::Mutex;

pub const VERSION: &str = "2.0";
const MAJOR: &str = "2";

pub const PARSE_ERROR: i32 = -32700;
pub const INVALID_REQUEST: i32 = -32600;
pub const METHOD_NOT_FOUND: i32 = -32601;
pub const INVALID_PARAMS: i32 = -32602;
pub const PROTOCOL_NOT_SPOKEN: i32 = -32002;
pub const MEMORY_FAULT: i32 = -32003;
pub const LIBRARY_NOT_THERE: i32 = -32004;

/// Why a request is not obeyed: a code of JSON-RPC or of the protocol, and one sentence.
pub struct Refusal {
    code: i32,
    sentence: String,
}

pub type Answer = Result<Value, Refusal>;

pub fn refuse<T>(code: i32, sentence: impl Into<String>) -> Result<T, Refusal> {
    let sentence = sentence.into();
    Err(Refusal { code, sentence })
}

/// One request; those with the same `thread` run in order on one thread.
pub struct Request {
    pub id: Value,
    pub method: String,
    pub thread: Option<String>,
    pub params: Params,
}

impl Request {
    /// Reads a line; where it is no request, says why, with the id to answer under.
    pub fn read(line: &[u8]) -> Result<Request, (Value, Refusal)> {
        let message: Value = serde_json::from_slice(line)
            .or_else(|error| refuse(PARSE_ERROR, format!("the line is not JSON: {error}")))
            .map_err(|refusal| (Value::Null, refusal))?;
        if message["jsonrpc"] != "2.0" || !(message["id"].is_i64() || message["id"].is_string()) {
            let sentence = "a request is a JSON-RPC 2.0 object with an id";
            return refuse(INVALID_REQUEST, sentence).map_err(|refusal| (Value::Null, refusal));
        }
        Request::from_members(&message).map_err(|refusal| (message["id"].clone(), refusal))
    }

    /// Takes `id`, `method` and `params` out of an object.
    pub fn from_members(message: &Value) -> Result<Request, Refusal> {
        let nothing = Value::Object(Map::new());
        let params = message.get("params").unwrap_or(&nothing);
        let (method, params) = match (&message["method"], params) {
            (Value::String(method), Value::Object(params)) => {
                (method.clone(), Params(params.clone()))
            }
            _ => {
                return refuse(
                    INVALID_REQUEST,
                    "a request has a method and an object of parameters",
                )
            }
        };
        let thread = params.optional("thread", Params::text)?;
        Ok(Request {
            id: message["id"].clone(),
            method,
            thread,
            params,
        })
    }
}

/// The parameters of a request, each read as what it must be.
pub struct Params(Map<String, Value>);

impl Params {
    fn read<T>(
        &self,
        name: &str,
        kind: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, Refusal> {
        match self.0.get(name).and_then(read) {
            Some(value) => Ok(value),
            None => refuse(
                INVALID_PARAMS,
                format!("the parameter {name:?} must be {kind}"),
            ),
        }
    }

    /// Reads a parameter that may be null or left out.
    pub fn optional<T>(
        &self,
        name: &str,
        read: impl Fn(&Self, &str) -> Result<T, Refusal>,
    ) -> Result<Option<T>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => read(self, name).map(Some),
        }
    }

    pub fn text(&self, name: &str) -> Result<String, Refusal> {
        self.read(name, "a string", |value| value.as_str().map(String::from))
    }

    pub fn u32(&self, name: &str) -> Result<u32, Refusal> {
        self.read(name, "an unsigned 32-bit number", as_u32)
    }

    /// A number of bytes.
    pub fn size(&self, name: &str) -> Result<usize, Refusal> {
        self.read(name, "a number of bytes", |value| {
            value.as_u64()?.try_into().ok()
        })
    }

    /// A whole number, in decimal.
    pub fn decimal(&self, name: &str) -> Result<String, Refusal> {
        let digits = |value: &Value| (value.is_i64() || value.is_u64()).then(|| value.to_string());
        self.read(name, "a whole number", digits)
    }

    /// An address or another 64-bit number.
    pub fn hex(&self, name: &str) -> Result<u64, Refusal> {
        self.read(name, "a number like \"0x7f00\"", as_hex)
    }

    /// Bytes in hexadecimal.
    pub fn bytes(&self, name: &str) -> Result<Vec<u8>, Refusal> {
        self.read(name, "bytes in hexadecimal", |value| {
            let digits = value.as_str()?.as_bytes().chunks(2);
            digits
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
                .collect()
        })
    }

    /// Whether the out pointer of a call is to be null.
    pub fn null_out(&self) -> Result<bool, Refusal> {
        let given = self.optional("null_out", |params, name| {
            params.read(name, "true or false", Value::as_bool)
        })?;
        Ok(given.unwrap_or(false))
    }

    /// An object with these members, all of them unsigned 32-bit numbers.
    pub fn numbers<const N: usize>(
        &self,
        name: &str,
        members: [&str; N],
    ) -> Result<[u32; N], Refusal> {
        self.read(name, "an object with the 11 fields of VDConfig", |value| {
            let numbers: Option<Vec<u32>> = members
                .iter()
                .map(|member| as_u32(&value[*member]))
                .collect();
            numbers?.try_into().ok()
        })
    }

    /// The arguments of a compiled function, which are numbers of 4 or 8 bytes.
    pub fn arguments(&self) -> Result<Vec<u64>, Refusal> {
        self.read(
            "arguments",
            "a list of at most 8 values with their sizes",
            |value| {
                let given: Option<Vec<u64>> = value
                    .as_array()?
                    .iter()
                    .map(|one| as_hex(&one["value"]))
                    .collect();
                given.filter(|arguments| arguments.len() <= 8)
            },
        )
    }

    /// Requests within a request.
    pub fn calls(&self) -> Result<Vec<Request>, Refusal> {
        let calls = self.read("calls", "a list of calls", |value| {
            value.as_array().cloned()
        })?;
        calls.iter().map(Request::from_members).collect()
    }

    /// Refuses a version of the protocol whose major is not ours.
    pub fn expect_our_major(&self) -> Result<(), Refusal> {
        let version = self.text("protocol")?;
        if version.split('.').next() == Some(MAJOR) {
            return Ok(());
        }
        let sentence = format!("this host speaks version {VERSION} of the protocol, not {version}");
        refuse(PROTOCOL_NOT_SPOKEN, sentence)
    }

    /// The directory that the run gives to its processes.
    pub fn run_directory(&self) -> Result<String, Refusal> {
        let directory = |value: &Value| value["directory"].as_str().map(String::from);
        self.read("environment", "an object with a directory", directory)
    }
}

fn as_u32(value: &Value) -> Option<u32> {
    value.as_u64()?.try_into().ok()
}

fn as_hex(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

/// Writes a number as the protocol has addresses.
pub fn hex(number: u64) -> String {
    format!("{number:#x}")
}

/// The way out: whole lines, whichever thread has one.
pub struct Answers {
    descriptor: Mutex<i32>,
}

impl Answers {
    /// Keeps standard output for answers; whatever else is printed goes to standard error from now on.
    pub fn take_standard_output() -> Answers {
        let descriptor = unsafe { libc::dup(1) };
        unsafe { libc::dup2(2, 1) };
        Answers {
            descriptor: Mutex::new(descriptor),
        }
    }

    pub fn write(&self, id: &Value, answer: Answer) {
        let message = match answer {
            Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            Err(Refusal { code, sentence }) => {
                json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": sentence}})
            }
        };
        let line = format!("{message}\n");
        let mut rest = line.as_bytes();
        let descriptor = self.descriptor.lock().unwrap();
        while !rest.is_empty() {
            let written =
                unsafe { libc::write(*descriptor, rest.as_ptr().cast(), rest.len() as _) };
            match usize::try_from(written) {
                Ok(count) => rest = &rest[count..],
                // Nobody reads any more: the run is over.
                Err(_) => unsafe { libc::_exit(0) },
            }
        }
    }
}

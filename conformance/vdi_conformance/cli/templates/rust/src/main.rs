//! Shows a VDI client library to vdi-conformance, as a host program: one process of the implementation under test.
//!
//! Requests come in on standard input, one JSON object a line; each answer goes out on standard output. What the
//! library itself prints goes to standard error. The library is the program's first argument.

mod library;
mod memory;
mod methods;
mod protocol;
mod threads;

use std::io::{stdin, BufRead};
use std::sync::Arc;

fn main() {
    let answers = protocol::Answers::take_standard_output();
    let on_the_stack = 0u8;
    let outside = memory::Outside::find(&on_the_stack);
    let host = methods::Host::new(std::env::args().nth(1).unwrap_or_default(), outside);
    let threads = Arc::new(threads::Threads::new(host, answers));
    for line in stdin().lock().split(b'\n').map_while(Result::ok) {
        match protocol::Request::read(&line) {
            Ok(request) => threads.take(request),
            Err((id, refusal)) => threads.answers.write(&id, Err(refusal)),
        }
    }
    // Other threads may still wait inside the library: nothing is tidied up, the process just ends.
    unsafe { libc::_exit(0) }
}

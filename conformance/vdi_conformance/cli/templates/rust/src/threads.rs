//! One operating system thread for each label, so that a call which waits holds up no other.

use crate::methods::Host;
use crate::protocol::{Answer, Answers, Refusal, Request};
use serde_json::json;
use std::collections::HashMap;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Barrier, Mutex};
use std::thread::{spawn, JoinHandle};

/// A request, and what its thread waits at first where several are to begin at the same moment.
type Job = (Request, Option<Arc<Barrier>>);

struct Worker {
    jobs: Sender<Job>,
    thread: JoinHandle<()>,
}

pub struct Threads {
    host: Host,
    pub answers: Answers,
    workers: Mutex<HashMap<String, Worker>>,
}

impl Threads {
    pub fn new(host: Host, answers: Answers) -> Threads {
        Threads {
            host,
            answers,
            workers: Mutex::default(),
        }
    }

    /// Runs a request on the thread of its label, or here where it has none.
    pub fn take(self: &Arc<Self>, request: Request) {
        match request.thread.clone() {
            Some(label) => self.hand_over(label, (request, None)),
            None => self.run(request),
        }
    }

    fn hand_over(self: &Arc<Self>, label: String, job: Job) {
        let mut workers = self.workers.lock().unwrap();
        let worker = workers.entry(label).or_insert_with(|| {
            let (jobs, waiting) = channel();
            let threads = Arc::clone(self);
            Worker {
                jobs,
                thread: spawn(move || threads.work(&waiting)),
            }
        });
        worker
            .jobs
            .send(job)
            .expect("its thread lives as long as it can be found here");
    }

    fn work(self: &Arc<Self>, waiting: &Receiver<Job>) {
        for (request, barrier) in waiting {
            if let Some(barrier) = barrier {
                barrier.wait();
            }
            self.run(request);
        }
    }

    fn run(self: &Arc<Self>, request: Request) {
        let answer = match request.method.as_str() {
            "calls.concurrently" => self.call_concurrently(&request),
            "calls.end_thread" => self.end_thread(&request),
            _ => self.host.perform(&request),
        };
        self.answers.write(&request.id, answer);
    }

    fn call_concurrently(self: &Arc<Self>, request: &Request) -> Answer {
        let calls = request.params.calls()?;
        let barrier = Arc::new(Barrier::new(calls.len()));
        for call in calls {
            let label = call.thread.clone().unwrap_or_default();
            self.hand_over(label, (call, Some(Arc::clone(&barrier))));
        }
        Ok(json!({}))
    }

    fn end_thread(&self, request: &Request) -> Result<serde_json::Value, Refusal> {
        let ended = self
            .workers
            .lock()
            .unwrap()
            .remove(&request.params.text("label")?);
        if let Some(Worker { jobs, thread }) = ended {
            drop(jobs);
            // A thread that panicked has ended as well.
            let _ = thread.join();
        }
        Ok(json!({}))
    }
}

// One thread for each label, so that a call which waits holds up no other. A worker of Node.js is an operating system
// thread; all of them see the same memory, so that objects of the library are named by their addresses everywhere.

'use strict';

const { once } = require('node:events');
const { join } = require('node:path');
const { SHARE_ENV, Worker } = require('node:worker_threads');
const { INVALID_PARAMS, Refusal } = require('./protocol.js');

const WORKER = join(__dirname, 'worker.js');

/** The library's objects by the ids that the suite gave them. What was released stays known, for stale use. */
class Objects {
  #known = { set: new Map(), device: new Map() };

  /** Gives the addresses of the objects that parameters name; one that is about to be made has none. */
  of({ given }) {
    return { set: this.#known.set.get(given.set), device: this.#known.device.get(given.device) };
  }

  /** Notes an object that a call has made; gives what to answer. */
  keep({ result, made }) {
    if (made) {
      this.#known[made.kind].set(made.id, made.address);
    }
    return result;
  }
}

class Labels {
  objects = new Objects();
  #workers = new Map();
  #answers;

  constructor(answers) {
    this.#answers = answers;
  }

  /** Runs a request on the thread of its label. */
  take({ id, method, thread, params }, gate = null) {
    const objects = this.objects.of(params);
    this.#worker(thread).postMessage({ id, method, given: params.given, objects, gate });
  }

  /** Lets several requests begin at the same moment, each on the thread of its own label. */
  takeConcurrently(requests) {
    if (requests.some(({ thread }) => thread === null)) {
      throw new Refusal(INVALID_PARAMS, "each of the calls must name a 'thread'");
    }
    const gate = new Int32Array(new SharedArrayBuffer(4));
    gate[0] = requests.length;
    for (const request of requests) {
      this.take(request, gate);
    }
  }

  /** Ends the thread of a label; a later request gets a new one. */
  async end(label) {
    const worker = this.#workers.get(label);
    if (worker !== undefined) {
      this.#workers.delete(label);
      const ended = once(worker, 'exit');
      worker.postMessage(null);
      await ended;
    }
  }

  #worker(label) {
    if (!this.#workers.has(label)) {
      const worker = new Worker(WORKER, { argv: process.argv.slice(2), env: SHARE_ENV });
      worker.on('message', (answer) => this.#answer(answer));
      this.#workers.set(label, worker);
    }
    return this.#workers.get(label);
  }

  #answer({ id, outcome, refusal }) {
    if (refusal) {
      this.#answers.refuse(id, refusal);
    } else {
      this.#answers.write(id, this.objects.keep(outcome));
    }
  }
}

module.exports = { Labels };

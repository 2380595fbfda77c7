// The thread of one label: runs its requests one after the other, and hands the answers to the main thread.

'use strict';

const { parentPort } = require('node:worker_threads');
const { perform } = require('./methods.js');
const { Params, Refusal } = require('./protocol.js');

parentPort.on('message', (job) => {
  if (job === null) {
    parentPort.close();
    return;
  }
  const { id, method, given, objects, gate } = job;
  if (gate !== null) {
    passTogether(gate);
  }
  try {
    parentPort.postMessage({ id, outcome: perform(method, new Params(given), objects) });
  } catch (error) {
    parentPort.postMessage({ id, refusal: Refusal.of(error) });
  }
});

/** Waits until as many threads are here as the gate counts. */
function passTogether(gate) {
  if (Atomics.sub(gate, 0, 1) === 1) {
    Atomics.notify(gate, 0);
  }
  for (let missing; (missing = Atomics.load(gate, 0)) > 0; ) {
    Atomics.wait(gate, 0, missing);
  }
}

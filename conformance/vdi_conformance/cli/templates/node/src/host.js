// Shows a VDI client library to vdi-conformance, as a host program: one process of the implementation under test.
//
// Requests come in on standard input, one JSON object a line; each answer goes out on standard output. What the
// library itself prints goes to standard error. The library is the program's first argument.

'use strict';

const { createInterface } = require('node:readline');
const { Labels } = require('./labels.js');
const { initialize, perform } = require('./methods.js');
const { Answers, leave, readRequest, Refusal } = require('./protocol.js');

const answers = new Answers();
const labels = new Labels(answers);

/** Runs a request that names no label here; it must not wait. */
async function runHere({ id, method, params }) {
  try {
    if (method === 'initialize') {
      answers.write(id, initialize(params));
    } else if (method === 'calls.end_thread') {
      await labels.end(params.text('label'));
      answers.write(id, {});
    } else if (method === 'calls.concurrently') {
      labels.takeConcurrently(params.calls());
      answers.write(id, {});
    } else {
      const objects = labels.objects.of(params);
      answers.write(id, labels.objects.keep(perform(method, params, objects)));
    }
  } catch (error) {
    answers.refuse(id, Refusal.of(error));
  }
}

const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
lines.on('line', (line) => {
  let request;
  try {
    request = readRequest(line);
  } catch (error) {
    answers.refuse(error.id ?? null, Refusal.of(error));
    return;
  }
  if (request.thread === null || request.method === 'initialize' || request.method.startsWith('calls.')) {
    runHere(request);
  } else {
    labels.take(request);
  }
});
lines.on('close', leave);

// Shows a VDI client library to vdi-conformance, as a host program: one process of the implementation under test.
//
// Requests come in on standard input, one JSON object a line; each answer goes out on standard output. What the
// library itself prints goes to standard error. The library is the program's first argument.

'use strict';

const { Labels } = require('./labels.js');
const { initialize, isInitialized, perform } = require('./methods.js');
const { Answers, INVALID_REQUEST, leave, readRequest, Refusal } = require('./protocol.js');

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

/** Takes one line, wherever what it asks for is to run. */
function take(line) {
  let request;
  try {
    request = readRequest(line);
    if (request.method !== 'initialize' && !isInitialized()) {
      throw new Refusal(INVALID_REQUEST, 'the first request must be initialize, and must succeed', request.id);
    }
  } catch (error) {
    answers.refuse(error.id ?? null, Refusal.of(error));
    return;
  }
  if (request.thread === null || request.method === 'initialize' || request.method.startsWith('calls.')) {
    runHere(request);
  } else {
    labels.take(request);
  }
}

let begun = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text) => {
  // Lines end with a line feed and with nothing else; node:readline knows further ends.
  const lines = (begun + text).split('\n');
  begun = lines.pop();
  lines.forEach(take);
});
process.stdin.on('end', leave);

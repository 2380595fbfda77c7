// A client by tedious, the driver of Node.js: it does what a program does with a SQL Server, and prints what it sees.
//
// node client.js PORT PASSWORD ENCRYPT: one JSON array a line, of which the first element says what was done.

'use strict';

const { Connection, Request, TYPES } = require('tedious');

const [port, password, encrypt] = process.argv.slice(2);
const say = (...told) => console.log(JSON.stringify(told));

const connection = new Connection({
  server: 'localhost',
  authentication: { type: 'default', options: { userName: 'sa', password } },
  options: { port: Number(port), encrypt: encrypt === 'true', trustServerCertificate: true, connectTimeout: 10000 },
});
connection.on('infoMessage', (info) => say('message', info.number, info.message));
connection.on('errorMessage', (error) => say('error', error.number, error.message));

/** Run a request, and say how it ended. */
function run(what, text, how = 'execSqlBatch', prepare = () => {}) {
  return new Promise((resolve) => {
    const rows = [];
    const request = new Request(text, (error, count) => {
      say(what, error ? error.code || error.name : null, count ?? null, rows);
      resolve();
    });
    request.on('row', (columns) => rows.push(columns.map((column) => column.value)));
    request.on('returnValue', (name, value) => say('output', name, value));
    prepare(request);
    connection[how](request);
  });
}

/** Do what takes nothing but a callback. */
function call(method) {
  return new Promise((resolve) => {
    connection[method]((error) => {
      say(method, error ? error.message : null);
      resolve();
    });
  });
}

/** Prepare a statement once, and run it twice. */
async function prepared() {
  const request = new Request('ECHO @a', (error) => say('ran', error ? error.message : null));
  request.addParameter('a', TYPES.Int);
  request.on('row', (columns) => say('row', columns[0].value));
  const once = (event) => new Promise((resolve) => request.once(event, resolve));
  const ready = once('prepared');
  connection.prepare(request);
  await ready;
  for (const a of [1, 2]) {
    const done = once('requestCompleted');
    connection.execute(request, { a });
    await done;
  }
  const gone = once('requestCompleted');
  connection.unprepare(request);
  await gone;
}

async function everything() {
  await run('select', 'SELECT 1');
  await run('fail', 'FAIL');
  await run('echo', 'ECHO @a, @b', 'execSql', (request) => {
    request.addParameter('a', TYPES.Int, 5);
    request.addParameter('b', TYPES.NVarChar, 'Grüße');
    request.addParameter('c', TYPES.DateTime2, new Date(Date.UTC(2024, 1, 3, 4, 5, 6)));
    request.addOutputParameter('d', TYPES.Int);
  });
  await run('call', 'p', 'callProcedure', (request) => {
    request.addParameter('a', TYPES.BigInt, '1099511627776');
    request.addOutputParameter('b', TYPES.Int);
  });
  await prepared();
  await call('beginTransaction');
  await call('commitTransaction');
  await call('beginTransaction');
  await call('rollbackTransaction');
  await call('reset');
  for (const word of ['WAIT', 'HALT']) {
    connection.once('infoMessage', () => connection.cancel());
    await run('cancelled', word);
  }
  await run('many', 'MANY 2000', 'execSqlBatch', (request) => {
    let count = 0;
    request.on('row', () => { count += 1; });
    request.on('requestCompleted', () => say('rows', count));
  });
  connection.close();
}

connection.on('end', () => say('end'));
connection.connect((error) => {
  if (error) {
    say('connect', error.code, error.message);
    connection.close();
    return;
  }
  say('connect', null);
  everything();
});

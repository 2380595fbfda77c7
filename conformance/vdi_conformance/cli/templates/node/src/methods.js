// From a request to a call: each method of the protocol that a host of a client must have, and a few more.

'use strict';

const { realpathSync } = require('node:fs');
const { join } = require('node:path');
const library = require('./library.js');
const memory = require('./memory.js');
const { hex, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, Refusal, VERSION } = require('./protocol.js');

const FILES = ['host', 'labels', 'library', 'memory', 'methods', 'protocol', 'system', 'worker'];

// Each is given the object that it is called on, and its parameters.
const OF_A_SET = {
  create: (set, params) => code(library.create(set, name(params), config(params))),
  create_ex: (set, params) => code(library.createEx(set, instance(params), name(params), config(params))),
  get_configuration: (set, params) =>
    withValue('config', library.getConfiguration(set, params.u32('timeout'), params.nullOut()), fields),
  open_device: openDevice,
  close: (set) => code(library.close(set)),
  signal_abort: (set) => code(library.signalAbort(set)),
  open_in_secondary: (set, params) => code(library.openInSecondary(set, name(params))),
  open_in_secondary_ex: (set, params) => code(library.openInSecondaryEx(set, instance(params), name(params))),
  get_buffer_handle: (set, params) =>
    withValue('handle', library.getBufferHandle(set, params.hex('address'), params.nullOut()), (handle) => handle),
  map_buffer_handle: (set, params) =>
    withValue('address', library.mapBufferHandle(set, params.u32('handle'), params.nullOut()), hex),
  release: (set) => nothing(library.releaseSet(set)),
};

const OF_A_DEVICE = {
  get_command: (device, params) =>
    withValue('command', library.getCommand(device, params.u32('timeout'), params.nullOut()), record),
  complete_command: (device, params) =>
    code(
      library.completeCommand(
        device,
        params.hex('command'),
        params.u32('completion_code'),
        params.u32('bytes_transferred'),
        params.hex('position'),
      ),
    ),
  release: (device) => nothing(library.releaseDevice(device)),
};

// Each is given its parameters.
const OTHERS = {
  'set.new': newSet,
  'memory.allocate': (params) => address(memory.allocate(params.size('size'))),
  'memory.reserve': (params) => address(memory.reserve(params.size('size'), params.optional('address', params.hex))),
  'memory.read': (params) => answer({ data: memory.read(...span(params)).toString('hex') }),
  'memory.write': (params) => nothing(memory.write(params.hex('address'), params.bytes('data'))),
  'memory.fill': (params) => nothing(memory.fill(...span(params), params.decimal('seed'))),
  'memory.digest': (params) => sha256(memory.digest(...span(params))),
  'memory.save': (params) => sha256(memory.save(...span(params), params.text('path'), params.size('offset'))),
  'memory.load': (params) => sha256(memory.load(...span(params), params.text('path'), params.size('offset'))),
  'memory.outside_addresses': () => answer(mapped(memory.outsideAddresses(), hex)),
  'native.symbol': (params) => address(library.symbol(params.text('name'))),
  'native.call': (params) => code(library.call(params.hex('function'), params.arguments())),
  'process.files': () => answer({ files: files() }),
};

/** What this host has: a method that is not named here is never asked for. */
const METHODS = [
  'initialize',
  'calls.concurrently',
  'calls.end_thread',
  ...Object.keys(OF_A_SET).map((method) => `set.${method}`),
  ...Object.keys(OF_A_DEVICE).map((method) => `device.${method}`),
  ...Object.keys(OTHERS),
];

let initialized = false;

/** Loads the library and says who is under test; in the main thread, before all else. */
function initialize(params) {
  params.expectOurMajor();
  if (initialized) {
    throw new Refusal(INVALID_REQUEST, 'initialize was sent already');
  }
  library.prepare(params.runDirectory());
  initialized = true;
  const { NAME, VERSION: version, VENDOR, path } = library;
  return {
    protocol: VERSION,
    identity: { name: NAME, version, vendor: VENDOR, library: path },
    capabilities: library.CAPABILITIES,
    process: { pid: process.pid, pointer_bytes: 8, platform: process.platform, own_layout: false },
    methods: METHODS,
  };
}

/** Tells whether the library is loaded. */
function isInitialized() {
  return initialized;
}

/** Does what a request asks for; gives its result, and what object it made. */
function perform(method, params, objects) {
  library.load();
  const [kind, own] = method.split('.');
  const table = { set: OF_A_SET, device: OF_A_DEVICE }[kind];
  if (table !== undefined && Object.hasOwn(table, own)) {
    if (objects[kind] === undefined) {
      const sentence = `no ${kind} is known by the id '${params.text(kind)}': one must have been made first`;
      throw new Refusal(INVALID_PARAMS, sentence);
    }
    return table[own](objects[kind], params);
  }
  if (Object.hasOwn(OTHERS, method)) {
    return OTHERS[method](params);
  }
  throw new Refusal(METHOD_NOT_FOUND, 'this host does not have that method');
}

function newSet(params) {
  return { result: {}, made: { kind: 'set', id: params.text('set'), address: library.newSet() } };
}

function openDevice(set, params) {
  const [code, device] = library.openDevice(set, name(params), params.nullOut());
  const made = device === null ? null : { kind: 'device', id: params.text('device'), address: device };
  return { result: { code, opened: made !== null }, made };
}

/** Names the files that make this adapter: the evidence of a run has their digests. */
function files() {
  const own = FILES.map((file) => join(__dirname, `${file}.js`));
  return [...own, realpathSync(library.path)];
}

const name = (params) => params.optional('name', params.text);
const instance = (params) => params.optional('instance', params.text);
const config = (params) => params.optional('config', (config) => params.numbers(config, library.CONFIG_FIELDS));
const span = (params) => [params.hex('address'), params.size('size')];

const answer = (result) => ({ result });
const nothing = () => answer({});
const code = (code) => answer({ code });
const address = (found) => answer({ address: found === null ? null : hex(found) });
const sha256 = (digest) => answer({ sha256: digest });
const withValue = (name, [code, found], plain) => answer({ code, [name]: found === null ? null : plain(found) });
const fields = (numbers) => Object.fromEntries(library.CONFIG_FIELDS.map((field, index) => [field, numbers[index]]));
const mapped = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
const record = ({ address, code, size, position, buffer }) => ({
  address: hex(address),
  code,
  size,
  position: hex(position),
  buffer: hex(buffer),
});

module.exports = { initialize, isInitialized, perform };

// Your library: how it is found and called. This file is what you change; the others suit every library.
//
// It expects the ABI of libsqlvdi.so: two C++ classes without virtual methods, reached by their mangled names. Each
// function makes one call, and gives the code and the out value as they came: the suite judges them. Each thread
// loads the library for itself, which gives all of them the same one; objects are named by their addresses.

'use strict';

const koffi = require('koffi');
const { LIBRARY_NOT_THERE, Refusal } = require('./protocol.js');

const NAME = "skeleton";
const VERSION = 'unknown';
const VENDOR = '';

/** What is optional; a library without exported functions that checks may call has no `native_abi`. */
const CAPABILITIES = { native_abi: 'libsqlvdi', null_out_pointers: true };

/** The fields of VDConfig in their order. */
const CONFIG_FIELDS = [
  'device_count',
  'features',
  'prefix_zone_size',
  'alignment',
  'soft_file_mark_block_size',
  'eom_warning_size',
  'server_time_out',
  'block_size',
  'max_io_depth',
  'max_transfer_size',
  'buffer_area_size',
];

const NOERROR = 0;
const VD_E_NOTSUPPORTED = 0x80770009;
const VD_E_PROTOCOL = 0x8077000c;
const INFINITE = 0xffffffff;

// What an out value holds before a call, so that one which the library leaves alone can be told.
const UNTOUCHED = 0xcc;
// A client object holds one pointer; some room beyond it does no harm.
const OBJECT_SIZE = 64;
const CONFIG_SIZE = 4 * CONFIG_FIELDS.length;

// Names of functions, with what they take beside the object; pointers are addresses, buffers or null.
const FUNCTIONS = {
  construct: ['_ZN22ClientVirtualDeviceSetC1Ev', 'void'],
  destroy: ['_ZN22ClientVirtualDeviceSetD1Ev', 'void'],
  create: ['_ZN22ClientVirtualDeviceSet6CreateEPcP8VDConfig', 'uint32', 'void *', 'void *'],
  getConfiguration: ['_ZN22ClientVirtualDeviceSet16GetConfigurationElP8VDConfig', 'uint32', 'long', 'void *'],
  openDevice: ['_ZN22ClientVirtualDeviceSet10OpenDeviceEPcPP19ClientVirtualDevice', 'uint32', 'void *', 'void *'],
  close: ['_ZN22ClientVirtualDeviceSet5CloseEv', 'uint32'],
  signalAbort: ['_ZN22ClientVirtualDeviceSet11SignalAbortEv', 'uint32'],
  openInSecondary: ['_ZN22ClientVirtualDeviceSet15OpenInSecondaryEPc', 'uint32', 'void *'],
  getBufferHandle: ['_ZN22ClientVirtualDeviceSet15GetBufferHandleEPhPj', 'uint32', 'void *', 'void *'],
  mapBufferHandle: ['_ZN22ClientVirtualDeviceSet15MapBufferHandleEiPPh', 'uint32', 'uint32', 'void *'],
  getCommand: ['_ZN19ClientVirtualDevice10GetCommandElPP11VDC_Command', 'uint32', 'long', 'void *'],
  completeCommand: [
    '_ZN19ClientVirtualDevice15CompleteCommandEP11VDC_Commandiml',
    'uint32',
    ...['void *', 'uint32', 'ulong', 'uint64'],
  ],
};

// A function at an address. The caller tidies the stack, so arguments that it does not have do no harm.
const ANY_FUNCTION = koffi.proto('uint32', Array(8).fill('uint64'));

/** Where the library is. */
const path = process.argv[2] ?? '';

let loaded = null;
let library = null;

/** Loads the library in this thread; where that cannot be, says why in one sentence. */
function load() {
  if (library !== null) {
    return;
  }
  try {
    loaded = koffi.load(path);
  } catch (error) {
    const sentence = `the library ${path} cannot be loaded (${error.message}): correct it in manifest.toml`;
    throw new Refusal(LIBRARY_NOT_THERE, sentence);
  }
  library = Object.fromEntries(Object.entries(FUNCTIONS).map(([name, signature]) => [name, found(...signature)]));
}

function found(symbol, result, ...types) {
  try {
    return loaded.func(symbol, result, ['void *', ...types]);
  } catch {
    throw new Refusal(LIBRARY_NOT_THERE, `${path} has no function ${symbol}: correct it in library.js`);
  }
}

/** Prepares the process, in its main thread, before any thread loads the library. */
function prepare(runDirectory) {
  // A library that the suite's emulator serves finds it by this; yours may need something else, or nothing.
  process.env.VDI_EMULATOR_DIRECTORY = runDirectory;
  // What processes share gets this mask, and a server under another account must be able to write to it.
  process.umask(0);
  load();
}

/** Makes a client object and gives its address; its memory is never given back, since the suite may use it late. */
function newSet() {
  const set = koffi.address(koffi.alloc('uint8', OBJECT_SIZE));
  koffi.encode(set, koffi.array('uint8', OBJECT_SIZE), new Uint8Array(OBJECT_SIZE));
  library.construct(set);
  return set;
}

function releaseSet(set) {
  library.destroy(set);
}

/** Gives a device up; with this ABI it belongs to its set. */
function releaseDevice(_device) {}

function create(set, name, config) {
  return library.create(set, text(name), config === null ? null : Buffer.from(Uint32Array.from(config).buffer));
}

/** CreateEx, which this ABI has for the default instance alone. */
function createEx(set, instance, name, config) {
  return instance ? VD_E_NOTSUPPORTED : create(set, name, config);
}

/** Gives the code and the 11 numbers that the structure holds afterwards. */
function getConfiguration(set, timeout, nullOut) {
  const out = nullOut ? null : untouched(CONFIG_SIZE);
  const code = library.getConfiguration(set, waiting(timeout), out);
  return [code, out && CONFIG_FIELDS.map((_, index) => out.readUInt32LE(4 * index))];
}

/** Gives the code and the address of the device, null where there is none. */
function openDevice(set, name, nullOut) {
  const out = nullOut ? null : untouched(8);
  const code = library.openDevice(set, text(name), out);
  return [code, (out && out.readBigUInt64LE()) || null];
}

function close(set) {
  return library.close(set);
}

function signalAbort(set) {
  return library.signalAbort(set);
}

function openInSecondary(set, name) {
  return library.openInSecondary(set, text(name));
}

/** OpenInSecondaryEx, which this ABI has for the default instance alone. */
function openInSecondaryEx(set, instance, name) {
  return instance ? VD_E_PROTOCOL : openInSecondary(set, name);
}

function getBufferHandle(set, address, nullOut) {
  const out = nullOut ? null : untouched(4);
  const code = library.getBufferHandle(set, address, out);
  return [code, out && out.readUInt32LE()];
}

function mapBufferHandle(set, handle, nullOut) {
  const out = nullOut ? null : untouched(8);
  const code = library.mapBufferHandle(set, handle, out);
  return [code, out && out.readBigUInt64LE()];
}

/** Gives the code and the command with the address of its record, null where none was handed out. */
function getCommand(device, timeout, nullOut) {
  const out = nullOut ? null : untouched(8);
  const code = library.getCommand(device, waiting(timeout), out);
  const address = out && out.readBigUInt64LE();
  return [code, code === NOERROR && address ? { address, ...command(address) } : null];
}

function command(address) {
  const record = Buffer.from(koffi.decode(address, koffi.array('uint8', 24, 'Typed')));
  return {
    code: record.readUInt32LE(0),
    size: record.readUInt32LE(4),
    position: record.readBigUInt64LE(8),
    buffer: record.readBigUInt64LE(16),
  };
}

function completeCommand(device, address, code, bytesTransferred, position) {
  return library.completeCommand(device, address, code, bytesTransferred, position);
}

/** Finds what the library exports; null where it has no such thing. */
function symbol(name) {
  try {
    return loaded.symbol(name);
  } catch {
    return null;
  }
}

/** Calls a function at an address. */
function call(address, given) {
  return koffi.call(address, ANY_FUNCTION, ...given, ...Array(8 - given.length).fill(0n));
}

function untouched(size) {
  return Buffer.alloc(size, UNTOUCHED);
}

/** Gives a text as C has it, with a zero at its end. */
function text(words) {
  return words === null ? null : Buffer.from(`${words}\0`);
}

/** Gives a time-out in milliseconds as a time_t, of which a negative one is infinite. */
function waiting(timeout) {
  return timeout === INFINITE ? -1 : timeout;
}

module.exports = {
  NAME,
  VERSION,
  VENDOR,
  CAPABILITIES,
  CONFIG_FIELDS,
  path,
  load,
  prepare,
  newSet,
  releaseSet,
  releaseDevice,
  create,
  createEx,
  getConfiguration,
  openDevice,
  close,
  signalAbort,
  openInSecondary,
  openInSecondaryEx,
  getBufferHandle,
  mapBufferHandle,
  getCommand,
  completeCommand,
  symbol,
  call,
};

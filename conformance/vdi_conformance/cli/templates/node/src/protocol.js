// The messages: a request and its parameters, an answer, and what a request can be refused with.

'use strict';

const { writeSync } = require('node:fs');
const { duplicateOutput, endProcess } = require('./system.js');

const VERSION = '2.0';

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
const HOST_FAILED = -32000;
const PROTOCOL_NOT_SPOKEN = -32002;
const MEMORY_FAULT = -32003;
const LIBRARY_NOT_THERE = -32004;

/** Why a request is not obeyed: a code of JSON-RPC or of the protocol, and one sentence. */
class Refusal extends Error {
  constructor(code, message, id = null) {
    super(message);
    this.code = code;
    this.id = id;
  }

  /** What to answer where something was thrown. */
  static of(error) {
    if (error instanceof Refusal) {
      return { code: error.code, message: error.message };
    }
    return { code: HOST_FAILED, message: `the host failed: ${error.message}`, data: { traceback: `${error.stack}` } };
  }
}

/** Reads a line: `id`, `method`, `thread` (the label, or null) and `params`. */
function readRequest(line) {
  let message;
  try {
    message = JSON.parse(line);
  } catch (error) {
    throw new Refusal(PARSE_ERROR, `the line is not JSON: ${error.message}`);
  }
  if (message?.jsonrpc !== '2.0' || !(Number.isInteger(message.id) || typeof message.id === 'string')) {
    throw new Refusal(INVALID_REQUEST, 'a request is a JSON-RPC 2.0 object with an id');
  }
  return fromMembers(message, line);
}

function fromMembers({ id, method, params = {} }, line = '') {
  if (typeof method !== 'string' || params === null || typeof params !== 'object' || Array.isArray(params)) {
    throw new Refusal(INVALID_REQUEST, 'a request has a method and an object of parameters', id);
  }
  const { thread = null } = params;
  if (thread !== null && (typeof thread !== 'string' || thread === '')) {
    throw new Refusal(INVALID_PARAMS, "the parameter 'thread' must be a string that is not empty", id);
  }
  // JSON.parse rounds what has more than 53 bits, so that the digits of a seed are taken from the line.
  const seed = method === 'memory.fill' ? /"seed":\s*(-?\d+)/.exec(line)?.[1] : undefined;
  return { id, method, thread, params: new Params(seed === undefined ? params : { ...params, seed }) };
}

const isU32 = (value) => Number.isInteger(value) && value >= 0 && value <= 0xffffffff;

/** The parameters of a request, each read as what it must be. */
class Params {
  constructor(given) {
    this.given = given;
  }

  #read(name, kind, fits) {
    const value = this.given[name];
    if (!fits(value)) {
      throw new Refusal(INVALID_PARAMS, `the parameter '${name}' must be ${kind}`);
    }
    return value;
  }

  /** Reads a parameter that may be null or left out; then it is null. */
  optional(name, read) {
    return this.given[name] === undefined || this.given[name] === null ? null : read.call(this, name);
  }

  text(name) {
    return this.#read(name, 'a string', (value) => typeof value === 'string');
  }

  u32(name) {
    return this.#read(name, 'an unsigned 32-bit number', isU32);
  }

  /** A number of bytes. */
  size(name) {
    return this.#read(name, 'a number of bytes', (value) => Number.isSafeInteger(value) && value >= 0);
  }

  /** A whole number, in decimal. */
  decimal(name) {
    return String(this.#read(name, 'a whole number', (value) => /^-?\d+$/.test(value)));
  }

  /** An address or another 64-bit number. */
  hex(name) {
    return BigInt(this.#read(name, 'a number like "0x7f00"', isHex));
  }

  /** Bytes in hexadecimal. */
  bytes(name) {
    const isBytes = (value) => typeof value === 'string' && /^([0-9a-fA-F]{2})*$/.test(value);
    return Buffer.from(this.#read(name, 'bytes in hexadecimal', isBytes), 'hex');
  }

  /** Whether the out pointer of a call is to be null. */
  nullOut() {
    const isBoolean = (value) => typeof value === 'boolean';
    return this.optional('null_out', (name) => this.#read(name, 'true or false', isBoolean)) ?? false;
  }

  /** An object with these members, all of them unsigned 32-bit numbers; gives the numbers. */
  numbers(name, members) {
    const fits = (value) => members.every((member) => isU32(value?.[member]));
    const value = this.#read(name, `an object with the ${members.length} fields of VDConfig`, fits);
    return members.map((member) => value[member]);
  }

  /** The arguments of a compiled function, which are numbers of 4 or 8 bytes. */
  arguments() {
    const fits = (value) => Array.isArray(value) && value.length <= 8 && value.every((one) => isHex(one?.value));
    return this.#read('arguments', 'a list of at most 8 values', fits).map(({ value }) => BigInt(value));
  }

  /** Requests within a request. */
  calls() {
    return this.#read('calls', 'a list of calls', Array.isArray).map((call) => fromMembers(call, JSON.stringify(call)));
  }

  /** Refuses a version of the protocol whose major is not ours. */
  expectOurMajor() {
    const version = this.text('protocol');
    if (version.split('.')[0] !== VERSION.split('.')[0]) {
      const sentence = `this host speaks version ${VERSION} of the protocol, not ${version}`;
      throw new Refusal(PROTOCOL_NOT_SPOKEN, sentence);
    }
  }

  /** The directory that the run gives to its processes. */
  runDirectory() {
    const fits = (value) => typeof value?.directory === 'string';
    return this.#read('environment', 'an object with a directory', fits).directory;
  }
}

function isHex(value) {
  return typeof value === 'string' && /^0x[0-9a-f]{1,16}$/.test(value);
}

/** Writes a number as the protocol has addresses. */
function hex(number) {
  return `0x${BigInt(number).toString(16)}`;
}

/** The way out, which the main thread alone takes. */
class Answers {
  #descriptor = duplicateOutput();

  write(id, result) {
    this.#send({ jsonrpc: '2.0', id, result });
  }

  refuse(id, error) {
    this.#send({ jsonrpc: '2.0', id, error });
  }

  #send(message) {
    let rest = Buffer.from(`${JSON.stringify(message)}\n`);
    while (rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(this.#descriptor, rest));
      } catch (error) {
        if (error.code !== 'EAGAIN') {
          leave(); // nobody reads any more: the run is over
        }
      }
    }
  }
}

/** Ends the process at once: other threads may wait inside the library, and Node.js would wait for them. */
function leave() {
  endProcess(0);
}

module.exports = {
  VERSION,
  PARSE_ERROR,
  INVALID_REQUEST,
  METHOD_NOT_FOUND,
  INVALID_PARAMS,
  HOST_FAILED,
  PROTOCOL_NOT_SPOKEN,
  MEMORY_FAULT,
  LIBRARY_NOT_THERE,
  Refusal,
  readRequest,
  Params,
  hex,
  Answers,
  leave,
};

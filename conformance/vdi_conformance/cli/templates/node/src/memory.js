// The memory of this process as the suite sees it. What may not be touched is refused, and never ends the process: the
// operating system copies, and says where it cannot.

'use strict';

const { createHash } = require('node:crypto');
const { closeSync, constants, openSync, readSync, writeSync } = require('node:fs');
const { INVALID_PARAMS, MEMORY_FAULT, Refusal } = require('./protocol.js');
const system = require('./system.js');

const PATTERN = 4096;
const CHUNK = 1 << 20;
const PAGE = 65536;

function allocate(size) {
  return system.map(0n, size, true) ?? refuse(`no ${size} bytes of memory are left in the host`);
}

/** Reserves address space without access, at `address` where that is given and free. */
function reserve(size, address) {
  return system.map(address ?? 0n, size, false) ?? refuse(`no ${size} bytes of address space are left in the host`);
}

function read(address, size) {
  const data = Buffer.alloc(size);
  if (!system.copyOut(address, data)) {
    refuse(`the ${size} bytes at 0x${address.toString(16)} cannot all be read in this process`);
  }
  return data;
}

function write(address, data) {
  if (!system.copyIn(address, data)) {
    refuse(`the ${data.length} bytes at 0x${address.toString(16)} cannot all be written in this process`);
  }
}

/** Writes the contents that follow from a seed: see "What memory.fill writes" in the guide to hosts (HOSTS.md). */
function fill(address, size, seed) {
  const blocks = Array.from({ length: PATTERN / 32 }, (_, block) => hash().update(`${seed}:${block}`).digest());
  const pattern = Buffer.concat(blocks);
  const first = pattern.readBigUInt64LE();
  for (const [start, length] of chunks(size)) {
    const data = Buffer.alloc(Math.ceil(length / PATTERN) * PATTERN, pattern);
    for (let page = 0; page < data.length; page += PATTERN) {
      data.writeBigUInt64LE(first ^ BigInt((start + page) / PATTERN), page);
    }
    write(address + BigInt(start), data.subarray(0, length));
  }
}

function digest(address, size) {
  return digestOfChunks(size, (start, length) => read(address + BigInt(start), length));
}

/** Writes a span of memory into a file, which is made where there is none; gives its digest. */
function save(address, size, path, offset) {
  return withFile(path, constants.O_RDWR | constants.O_CREAT, (file) =>
    digestOfChunks(size, (start, length) => {
      const data = read(address + BigInt(start), length);
      for (let done = 0; done < length; ) {
        done += writeSync(file, data, done, length - done, offset + start + done);
      }
      return data;
    }),
  );
}

/** Reads a span of a file into memory; gives its digest. */
function load(address, size, path, offset) {
  return withFile(path, constants.O_RDONLY, (file) =>
    digestOfChunks(size, (start, length) => {
      const data = Buffer.alloc(length);
      for (let done = 0; done < length; ) {
        const more = readSync(file, data, done, length - done, offset + start + done);
        if (more === 0) {
          throw new Refusal(INVALID_PARAMS, `${path} ends before byte ${offset + size}`);
        }
        done += more;
      }
      write(address + BigInt(start), data);
      return data;
    }),
  );
}

let outside = null;

/** Gives addresses of this process that belong to no set: one in each kind of memory. */
function outsideAddresses() {
  outside ??= {
    stack: system.stackAddress(),
    heap: system.heapAddress(),
    data: system.dataAddress(),
    unmapped: reserve(PAGE),
  };
  return outside;
}

function hash() {
  return createHash('sha256');
}

function digestOfChunks(size, chunk) {
  const running = hash();
  for (const [start, length] of chunks(size)) {
    running.update(chunk(start, length));
  }
  return running.digest('hex');
}

/** Gives offset and length of each piece of a span. */
function* chunks(size) {
  for (let start = 0; start < size; start += CHUNK) {
    yield [start, Math.min(CHUNK, size - start)];
  }
}

function withFile(path, flags, use) {
  let file;
  try {
    file = openSync(path, flags, 0o600);
  } catch (error) {
    throw new Refusal(INVALID_PARAMS, `${path} cannot be opened: ${error.message}`);
  }
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}

function refuse(sentence) {
  throw new Refusal(MEMORY_FAULT, sentence);
}

module.exports = { allocate, reserve, read, write, fill, digest, save, load, outsideAddresses };

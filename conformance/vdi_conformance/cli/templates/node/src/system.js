// What the operating system does for the host: copies memory, maps it, and ends the process. Addresses are BigInts.

'use strict';

const { readFileSync } = require('node:fs');
const koffi = require('koffi');

// Both systems have the same functions:
// - map: maps fresh zeroed memory, or address space without access, and gives its address; null where there is no room;
// - copyOut and copyIn: copy between memory and a buffer, and tell whether all of it could be read or written;
// - stackAddress, heapAddress and dataAddress: give an address in memory of that kind;
// - duplicateOutput: keeps standard output for answers, so that what the library prints goes to standard error;
// - endProcess: ends the process at once.
module.exports = process.platform === 'win32' ? windows() : linux();

function linux() {
  const libc = koffi.load('libc.so.6');
  const mmap = libc.func('mmap', 'uint64', ['void *', 'uint64', 'int', 'int', 'int', 'int64']);
  const getpid = libc.func('getpid', 'int', []);
  const dup = libc.func('dup', 'int', ['int']);
  const dup2 = libc.func('dup2', 'int', ['int', 'int']);
  const exit = libc.func('_exit', 'void', ['int']);
  const [NO_ACCESS, READ_AND_WRITE] = [0, 3];
  const [PRIVATE_AND_ANONYMOUS, NO_RESERVE] = [0x22, 0x4000];
  const FAILED = 0xffffffffffffffffn;
  const BELOW_THE_TOP = 256n;

  /** Gives a function that copies between a buffer and memory; the kernel answers EFAULT where a pointer is wrong. */
  function copying(name) {
    const copy = libc.func(name, 'int64', ['int', 'void *', 'ulong', 'void *', 'ulong', 'ulong']);
    return (address, data) => {
      const size = BigInt(data.length);
      const [here, there] = [BigUint64Array.of(size && koffi.address(data), size), BigUint64Array.of(address, size)];
      return address + size <= 1n << 64n && copy(getpid(), here, 1, there, 1, 0) === data.length;
    };
  }

  return {
    map(address, size, accessible) {
      const protection = accessible ? READ_AND_WRITE : NO_ACCESS;
      const flags = PRIVATE_AND_ANONYMOUS | (accessible ? 0 : NO_RESERVE);
      const mapped = BigInt(mmap(address, size, protection, flags, -1, 0));
      return mapped === FAILED ? null : mapped;
    },
    copyOut: copying('process_vm_readv'),
    copyIn: copying('process_vm_writev'),
    stackAddress() {
      const line = readFileSync('/proc/self/maps', 'utf8')
        .split('\n')
        .find((one) => one.endsWith('[stack]'));
      return BigInt(`0x${line.split(' ')[0].split('-')[1]}`) - BELOW_THE_TOP;
    },
    heapAddress: () => koffi.address(koffi.alloc('uint8', 256)),
    dataAddress: () => libc.symbol('environ'),
    duplicateOutput() {
      const descriptor = dup(1);
      dup2(2, 1);
      return descriptor;
    },
    endProcess: exit,
  };
}

function windows() {
  const kernel = koffi.load('kernel32.dll');
  const VirtualAlloc = kernel.func('VirtualAlloc', 'uint64', ['void *', 'uint64', 'uint32', 'uint32']);
  const ReadProcessMemory = kernel.func('ReadProcessMemory', 'int', ['int64', 'void *', 'void *', 'uint64', 'void *']);
  const WriteProcessMemory = kernel.func('WriteProcessMemory', 'int', [
    ...['int64', 'void *', 'void *', 'uint64', 'void *'],
  ]);
  const TerminateProcess = kernel.func('TerminateProcess', 'int', ['int64', 'uint32']);
  const GetCurrentThreadStackLimits = kernel.func('GetCurrentThreadStackLimits', 'void', ['void *', 'void *']);
  const THIS_PROCESS = -1;
  const [RESERVE, COMMIT] = [0x2000, 0x1000];
  const [NO_ACCESS, READ_AND_WRITE] = [0x01, 0x04];
  const STANDARD_OUTPUT = 1;
  const BELOW_THE_TOP = 256n;

  return {
    map(address, size, accessible) {
      const [kind, protection] = accessible ? [RESERVE | COMMIT, READ_AND_WRITE] : [RESERVE, NO_ACCESS];
      const at = (place) => BigInt(VirtualAlloc(place, size, kind, protection));
      return at(address) || at(0n) || null;
    },
    copyOut(address, data) {
      return data.length === 0 || ReadProcessMemory(THIS_PROCESS, address, data, data.length, null) !== 0;
    },
    copyIn(address, data) {
      return data.length === 0 || WriteProcessMemory(THIS_PROCESS, address, data, data.length, null) !== 0;
    },
    stackAddress() {
      const [low, high] = [new BigUint64Array(1), new BigUint64Array(1)];
      GetCurrentThreadStackLimits(low, high);
      return high[0] - BELOW_THE_TOP;
    },
    heapAddress: () => koffi.address(koffi.alloc('uint8', 256)),
    dataAddress: () => kernel.symbol('GetCurrentProcessId'),
    duplicateOutput: () => STANDARD_OUTPUT,
    endProcess: (code) => TerminateProcess(THIS_PROCESS, code),
  };
}

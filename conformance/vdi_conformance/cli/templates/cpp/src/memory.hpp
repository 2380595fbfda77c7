// The memory of this process, as the suite looks at it. What cannot be touched is an error, never a signal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace memory {

// What each system does in its own way (memory_posix.cpp, memory_windows.cpp). Addresses are 0 where there is no room;
// a copy tells whether all bytes could be touched. `spread` is to be called before anything of the library is mapped,
// and tells whether it gave this process an address layout of its own: where processes see a buffer at equal addresses,
// a handle that is nothing but an address would look right.
bool spread();
std::uint64_t allocate(std::size_t size);
std::uint64_t reserve(std::size_t size, std::uint64_t address);
bool copy_out(std::uint64_t address, void* to, std::size_t size);
bool copy_in(std::uint64_t address, const void* from, std::size_t size);

// Whether a span ends within the address space.
bool is_in_range(std::uint64_t address, std::uint64_t size);

// These throw a Refused of the protocol where memory or a file cannot be touched.
std::string read(std::uint64_t address, std::size_t size);
void write(std::uint64_t address, const std::string& bytes);
// Write the bytes that follow from a seed, whose decimal digits these are.
void fill(std::uint64_t address, std::uint64_t size, const std::string& seed);
// These give the SHA-256 of the bytes, 32 bytes of it.
std::string digest(std::uint64_t address, std::uint64_t size);
std::string save(std::uint64_t address, std::uint64_t size, const std::string& path, std::uint64_t offset);
std::string load(std::uint64_t address, std::uint64_t size, const std::string& path, std::uint64_t offset);

// Addresses of this process that are in no buffer.
struct Outside {
    std::uint64_t stack;
    std::uint64_t heap;
    std::uint64_t data;
    std::uint64_t unmapped;
};
// To be called first by the main thread, with an address of its stack that stays.
const Outside& outside(const void* on_stack);

}  // namespace memory

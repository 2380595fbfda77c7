// How the library is found and called; what differs between libsqlvdi.so and sqlvdi.dll is said here and in
// library_linux.cpp and library_windows.cpp. This is the place to change for a library with another interface.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#ifdef _WIN32
#include "sqlvdi_windows.hpp"
#else
#include "sqlvdi_linux.hpp"
#endif

namespace library {

#ifdef _WIN32
using Set = IClientVirtualDeviceSet2;
using Device = IClientVirtualDevice;
using Text = std::wstring;
using TextPointer = LPCWSTR;
using TimeOut = DWORD;
using HandleOut = DWORD;
using HandleIn = DWORD;
using CompletionCode = DWORD;
using ByteCount = DWORD;
using Position = DWORDLONG;
constexpr char NATIVE_ABI[] = "none";
#else
using Set = ClientVirtualDeviceSet;
using Device = ClientVirtualDevice;
using Text = std::string;
using TextPointer = char*;
using TimeOut = time_t;
using HandleOut = unsigned int;
using HandleIn = int;
using CompletionCode = int;
using ByteCount = unsigned long;
using Position = std::int64_t;
constexpr char NATIVE_ABI[] = "libsqlvdi";
#endif

// The library is not there; the text says what to do about it.
struct Unavailable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Prepare this process. `directory` is that of the run, where a library that the emulator serves finds it.
void prepare(const std::string& directory);

// Prepare the calling thread.
void enter_thread();

// Give the file of the library.
std::string place();

// Make a client object, or throw Unavailable; and give up what the client holds.
Set* make_set();
void release(Set* set);
void release(Device* device);

// The two methods that name an instance of the server, which one of the libraries does not have.
std::uint32_t create_ex(Set* set, TextPointer instance, TextPointer name, VDConfig* config);
std::uint32_t open_in_secondary_ex(Set* set, TextPointer instance, TextPointer name);

#ifndef _WIN32
// For checks that call the library by themselves: find an exported name (0: there is none), and call a function with
// numbers and addresses, up to eight of them.
std::uint64_t symbol(const std::string& name);
std::uint32_t call(std::uint64_t function, std::vector<std::uint64_t> arguments);
#endif

// Turn UTF-8 and milliseconds into what the library takes; 0xFFFFFFFF milliseconds are no limit.
Text text(const std::string& utf8);
TimeOut waiting(std::uint32_t milliseconds);

}  // namespace library

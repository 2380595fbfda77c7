// The kernel is asked what the pages permit, and then to copy: where a page has gone meanwhile, it refuses.
#include <windows.h>

#include "memory.hpp"

namespace memory {

namespace {

constexpr DWORD WRITABLE = PAGE_READWRITE | PAGE_WRITECOPY | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY;
constexpr DWORD READABLE = WRITABLE | PAGE_READONLY | PAGE_EXECUTE_READ;

void* pointer(std::uint64_t address) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(address)); }

std::uint64_t number(const void* address) { return reinterpret_cast<std::uintptr_t>(address); }

bool permits(std::uint64_t address, std::size_t size, DWORD protections) {
    const std::uint64_t end = address + size;
    while (address < end) {
        MEMORY_BASIC_INFORMATION region{};
        if (VirtualQuery(pointer(address), &region, sizeof region) == 0 || region.State != MEM_COMMIT ||
            (region.Protect & protections) == 0 || (region.Protect & PAGE_GUARD) != 0) {
            return false;
        }
        address = number(region.BaseAddress) + region.RegionSize;
    }
    return true;
}

}  // namespace

std::uint64_t allocate(std::size_t size) {
    return number(VirtualAlloc(nullptr, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
}

std::uint64_t reserve(std::size_t size, std::uint64_t address) {
    void* found = address == 0 ? nullptr : VirtualAlloc(pointer(address), size, MEM_RESERVE, PAGE_NOACCESS);
    if (found == nullptr) {
        found = VirtualAlloc(nullptr, size, MEM_RESERVE, PAGE_NOACCESS);
    }
    return number(found);
}

bool copy_out(std::uint64_t address, void* to, std::size_t size) {
    SIZE_T copied = 0;
    return size == 0 ||
           (permits(address, size, READABLE) &&
            ReadProcessMemory(GetCurrentProcess(), pointer(address), to, size, &copied) != 0 && copied == size);
}

bool copy_in(std::uint64_t address, const void* from, std::size_t size) {
    SIZE_T copied = 0;
    return size == 0 ||
           (permits(address, size, WRITABLE) &&
            WriteProcessMemory(GetCurrentProcess(), pointer(address), from, size, &copied) != 0 && copied == size);
}

}  // namespace memory

// The kernel is asked what the pages permit, and then to copy: where a page has gone meanwhile, it refuses.
#include <random>

#include <windows.h>

#include "memory.hpp"

namespace memory {

namespace {

constexpr DWORD WRITABLE = PAGE_READWRITE | PAGE_WRITECOPY | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY;
constexpr DWORD READABLE = WRITABLE | PAGE_READONLY | PAGE_EXECUTE_READ;

// Addresses of what is reserved are multiples of this.
constexpr std::size_t GRAIN = 65536;
// Processes that live at once mostly have near numbers, each of which has a band of its own.
constexpr std::size_t BANDS = sizeof(void*) == 8 ? 64 : 16;
constexpr std::size_t BAND = sizeof(void*) == 8 ? std::size_t{256} << 20 : std::size_t{32} << 20;
// No hole among what is there at the start has room for this much.
constexpr std::size_t PROBE = sizeof(void*) == 8 ? std::size_t{4} << 30 : std::size_t{256} << 20;
// So much is reserved by every process: with 64 bits, more than lies below the first 4 GiB, where there are many holes.
constexpr std::size_t LEAST = sizeof(void*) == 8 ? std::size_t{8} << 30 : 0;
constexpr DWORD STEP_OF_NUMBERS = 4;
constexpr int MOST_PLUGS = 4096;

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

// How much is to be reserved, so that what is mapped later lies behind it.
std::size_t slice() {
    const std::size_t band = GetCurrentProcessId() / STEP_OF_NUMBERS % BANDS;
    const std::size_t within = std::random_device()() % (BAND / 2 / GRAIN);
    return LEAST + band * BAND + (within + 1) * GRAIN;
}

}  // namespace

// Windows chooses among few layouts for 32-bit processes, and Wine has one for all.
bool spread() {
    const std::uint64_t first = reserve(slice(), 0);
    const std::uint64_t probe = reserve(PROBE, 0);
    if (first == 0 || probe == 0) {
        return false;
    }
    VirtualFree(pointer(probe), 0, MEM_RELEASE);
    const bool is_rising = probe > first;
    const auto is_beside = [&](std::uint64_t found) {
        return is_rising ? found > first : found < first && first - found <= PROBE;
    };
    // What lies elsewhere fills holes, which would be the same in every process.
    int plugs = 0;
    for (std::size_t size = PROBE / 4; size >= GRAIN; size /= 2) {
        std::uint64_t found = reserve(size, 0);
        while (found != 0 && !is_beside(found) && plugs++ < MOST_PLUGS) {
            found = reserve(size, 0);
        }
        if (found != 0 && is_beside(found)) {
            VirtualFree(pointer(found), 0, MEM_RELEASE);
        }
    }
    return plugs < MOST_PLUGS;
}

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

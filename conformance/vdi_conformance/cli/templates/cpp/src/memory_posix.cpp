// A copy goes through a pipe: the kernel answers EFAULT for an address that may not be touched.
#include <algorithm>
#include <mutex>

#include <sys/mman.h>
#include <unistd.h>

#include "memory.hpp"

namespace memory {

namespace {

// A pipe has room for one page at least, so that no write waits.
constexpr std::size_t STEP = 4096;

struct Pipe {
    Pipe() { is_open = pipe(ends) == 0; }
    int ends[2] = {-1, -1};
    bool is_open;
    std::mutex lock;
};

Pipe& copies() {
    static Pipe made;
    return made;
}

std::uint64_t map(std::uint64_t address, std::size_t size, int protection, int flags) {
    void* const wanted = reinterpret_cast<void*>(static_cast<std::uintptr_t>(address));
    void* const found = mmap(wanted, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return found == MAP_FAILED ? 0 : reinterpret_cast<std::uintptr_t>(found);
}

// Take out of the pipe what could not be copied on.
void drop(const Pipe& through, std::size_t left) {
    std::uint8_t dropped[STEP];
    while (left > 0) {
        const ssize_t taken = ::read(through.ends[0], dropped, left);
        if (taken <= 0) {
            return;
        }
        left -= static_cast<std::size_t>(taken);
    }
}

bool copy(const std::uint8_t* from, std::uint8_t* to, std::size_t size) {
    Pipe& through = copies();
    const std::lock_guard held(through.lock);
    while (through.is_open && size > 0) {
        const std::size_t part = std::min(size, STEP);
        const auto given = static_cast<std::size_t>(std::max<ssize_t>(::write(through.ends[1], from, part), 0));
        const ssize_t read = given > 0 ? ::read(through.ends[0], to, given) : 0;
        const auto taken = static_cast<std::size_t>(std::max<ssize_t>(read, 0));
        drop(through, given - taken);
        if (taken != part) {
            return false;
        }
        from += part;
        to += part;
        size -= part;
    }
    return size == 0;
}

}  // namespace

// The system chooses another layout for each process that is started, unless it was told not to.
bool spread() { return false; }

std::uint64_t allocate(std::size_t size) { return map(0, size, PROT_READ | PROT_WRITE, 0); }

std::uint64_t reserve(std::size_t size, std::uint64_t address) {
    return map(address, size, PROT_NONE, MAP_NORESERVE);
}

bool copy_out(std::uint64_t address, void* to, std::size_t size) {
    return copy(reinterpret_cast<const std::uint8_t*>(static_cast<std::uintptr_t>(address)),
                static_cast<std::uint8_t*>(to), size);
}

bool copy_in(std::uint64_t address, const void* from, std::size_t size) {
    return copy(static_cast<const std::uint8_t*>(from),
                reinterpret_cast<std::uint8_t*>(static_cast<std::uintptr_t>(address)), size);
}

}  // namespace memory

#include "memory.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "protocol.hpp"
#include "sha256.hpp"

namespace memory {

namespace {

constexpr std::size_t CHUNK = 1 << 20;
constexpr std::size_t PATTERN = 4096;
constexpr std::size_t DIGEST = 32;
constexpr std::size_t GRAIN = 65536;

std::uint8_t in_data[256];

// Call `each` with the place and the size of every chunk of a span.
template <typename Each>
void by_chunks(std::uint64_t size, Each each) {
    for (std::uint64_t done = 0; done < size;) {
        const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(CHUNK, size - done));
        each(done, part);
        done += part;
    }
}

// The 4096 bytes that contents are made of: block i has the digest of the text "seed:i".
std::string pattern_of(const std::string& seed) {
    std::string pattern;
    for (std::size_t block = 0; block < PATTERN / DIGEST; ++block) {
        const std::string text = seed + ":" + std::to_string(block);
        Sha256 running;
        running.update(text.data(), text.size());
        pattern += running.digest();
    }
    return pattern;
}

// The pattern again and again; the first 8 bytes of repetition r, a little-endian number, are combined with r.
std::string contents(const std::string& pattern, std::uint64_t first, std::size_t size) {
    std::string bytes;
    for (std::uint64_t repetition = first; bytes.size() < size; ++repetition) {
        const std::size_t start = bytes.size();
        bytes += pattern;
        for (std::size_t place = 0; place < 8; ++place) {
            const auto part = static_cast<unsigned char>(repetition >> (8 * place));
            bytes[start + place] = static_cast<char>(static_cast<unsigned char>(bytes[start + place]) ^ part);
        }
    }
    bytes.resize(size);
    return bytes;
}

// A stream that is not open, or the place in it that is asked for.
template <typename Stream>
void go_to(Stream& stream, const std::string& path, std::uint64_t offset) {
    if (!stream.is_open()) {
        throw protocol::Refused(protocol::INVALID_PARAMS, path + " cannot be opened");
    }
    stream.seekg(static_cast<std::streamoff>(offset));
}

}  // namespace

bool is_in_range(std::uint64_t address, std::uint64_t size) {
    return address <= UINTPTR_MAX && (size == 0 || size - 1 <= UINTPTR_MAX - address);
}

std::string read(std::uint64_t address, std::size_t size) {
    std::string bytes(size, '\0');
    if (!is_in_range(address, size) || !copy_out(address, bytes.data(), size)) {
        throw protocol::Refused(protocol::MEMORY_FAULT, "the " + std::to_string(size) + " bytes at " +
                                                            protocol::hex(address) + " cannot all be read");
    }
    return bytes;
}

void write(std::uint64_t address, const std::string& bytes) {
    if (!is_in_range(address, bytes.size()) || !copy_in(address, bytes.data(), bytes.size())) {
        throw protocol::Refused(protocol::MEMORY_FAULT, "the " + std::to_string(bytes.size()) + " bytes at " +
                                                            protocol::hex(address) + " cannot all be written");
    }
}

void fill(std::uint64_t address, std::uint64_t size, const std::string& seed) {
    const std::string pattern = pattern_of(seed);
    by_chunks(size, [&](std::uint64_t place, std::size_t part) {
        write(address + place, contents(pattern, place / PATTERN, part));
    });
}

std::string digest(std::uint64_t address, std::uint64_t size) {
    Sha256 running;
    by_chunks(size, [&](std::uint64_t place, std::size_t part) {
        running.update(read(address + place, part).data(), part);
    });
    return running.digest();
}

std::string save(std::uint64_t address, std::uint64_t size, const std::string& path, std::uint64_t offset) {
    const auto place_of_file = std::filesystem::u8path(path);
    std::ofstream(place_of_file, std::ios::binary | std::ios::app);  // Makes it where there is none.
    std::fstream file(place_of_file, std::ios::binary | std::ios::in | std::ios::out);
    go_to(file, path, offset);
    Sha256 running;
    by_chunks(size, [&](std::uint64_t place, std::size_t part) {
        const std::string bytes = read(address + place, part);
        running.update(bytes.data(), bytes.size());
        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    });
    if (!file.flush()) {
        throw protocol::Refused(protocol::INVALID_PARAMS, path + " cannot be written to");
    }
    return running.digest();
}

std::string load(std::uint64_t address, std::uint64_t size, const std::string& path, std::uint64_t offset) {
    std::ifstream file(std::filesystem::u8path(path), std::ios::binary);
    go_to(file, path, offset);
    Sha256 running;
    by_chunks(size, [&](std::uint64_t place, std::size_t part) {
        std::string bytes(part, '\0');
        if (!file.read(bytes.data(), static_cast<std::streamsize>(part))) {
            throw protocol::Refused(protocol::INVALID_PARAMS,
                                    path + " ends before byte " + std::to_string(offset + size));
        }
        running.update(bytes.data(), bytes.size());
        write(address + place, bytes);
    });
    return running.digest();
}

const Outside& outside(const void* on_stack) {
    static const std::vector<std::uint8_t> in_heap(256);
    static const Outside found{
        reinterpret_cast<std::uintptr_t>(on_stack),
        reinterpret_cast<std::uintptr_t>(in_heap.data()),
        reinterpret_cast<std::uintptr_t>(in_data),
        reserve(GRAIN, 0),
    };
    return found;
}

}  // namespace memory

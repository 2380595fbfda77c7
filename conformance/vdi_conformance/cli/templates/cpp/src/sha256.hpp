// SHA-256 as FIPS 180-4 defines it, so that the host builds on every system without a library for it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

class Sha256 {
  public:
    void update(const void* data, std::size_t size);
    // The 32 bytes of the digest; nothing may be added afterwards.
    std::string digest();

  private:
    void take(const std::uint8_t* block);

    std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<std::uint8_t, 64> waiting_{};
    std::uint64_t size_ = 0;
};

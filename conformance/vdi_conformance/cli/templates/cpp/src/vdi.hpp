// The structures of the interface, member by member where the documents put them.
#pragma once

#include <cstddef>
#include <cstdint>

#pragma pack(push, 8)

struct VDConfig {
    std::uint32_t deviceCount;
    std::uint32_t features;
    std::uint32_t prefixZoneSize;
    std::uint32_t alignment;
    std::uint32_t softFileMarkBlockSize;
    std::uint32_t EOMWarningSize;
    std::uint32_t serverTimeOut;
    std::uint32_t blockSize;
    std::uint32_t maxIODepth;
    std::uint32_t maxTransferSize;
    std::uint32_t bufferAreaSize;
};

struct VDC_Command {
    std::int32_t commandCode;
    std::int32_t size;
    alignas(8) std::int64_t position;
    std::uint8_t* buffer;
};

#pragma pack(pop)

static_assert(sizeof(VDConfig) == 44, "VDConfig has 11 members of 32 bits");
static_assert(offsetof(VDC_Command, position) == 8 && offsetof(VDC_Command, buffer) == 16, "as documented");

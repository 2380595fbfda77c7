// One call of the library a method. Codes and out values are reported as they came: the suite judges them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "library.hpp"

namespace client {

using Name = std::optional<std::string>;

// The HRESULT of a call, and what its out variable holds afterwards; nothing where a null pointer was passed.
template <typename Value>
struct Outcome {
    std::uint32_t code;
    std::optional<Value> value;
};

// A command, and the address of its record, by which it is named.
struct Command {
    std::uint64_t address;
    std::uint32_t code;
    std::uint32_t size;
    std::uint64_t position;
    std::uint64_t buffer;
};

// A device, as OpenDevice gave it.
class Device {
  public:
    explicit Device(library::Device* object) : object_(object) {}

    Outcome<Command> get_command(std::uint32_t timeout, bool null_out);
    std::uint32_t complete_command(std::uint64_t command, std::uint32_t code, std::uint32_t bytes,
                                   std::uint64_t position);
    void release() { library::release(object_); }

  private:
    library::Device* object_;
};

// A client object.
class Set {
  public:
    std::uint32_t create(const Name& name, std::optional<VDConfig> config);
    std::uint32_t create_ex(const Name& instance, const Name& name, std::optional<VDConfig> config);
    Outcome<VDConfig> get_configuration(std::uint32_t timeout, bool null_out);
    Outcome<library::Device*> open_device(const Name& name, bool null_out);
    std::uint32_t close();
    std::uint32_t signal_abort();
    std::uint32_t open_in_secondary(const Name& name);
    std::uint32_t open_in_secondary_ex(const Name& instance, const Name& name);
    Outcome<std::uint32_t> get_buffer_handle(std::uint64_t address, bool null_out);
    Outcome<std::uint64_t> map_buffer_handle(std::uint32_t handle, bool null_out);
    void release() { library::release(object_); }

  private:
    library::Set* object_ = library::make_set();
};

}  // namespace client

// The calls themselves, as any program makes them that is compiled against the header of the library.
#include <cstring>

#include "client.hpp"

namespace client {

namespace {

// What every byte of an out variable holds before a call, so that one which was left alone is told from others.
constexpr int UNTOUCHED = 0xCC;

template <typename Value>
Value untouched() {
    Value value;
    std::memset(&value, UNTOUCHED, sizeof value);
    return value;
}

template <typename Code>
std::uint32_t unsigned_code(Code code) {
    return static_cast<std::uint32_t>(code);
}

template <typename Pointer>
Pointer pointer_to(std::uint64_t address) {
    return reinterpret_cast<Pointer>(static_cast<std::uintptr_t>(address));
}

template <typename Pointer>
std::uint64_t address_of(Pointer pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer);
}

// A name as the library takes it; it is copied, since a library may write into a char*.
class Passed {
  public:
    explicit Passed(const Name& name) : is_null_(!name), text_(name ? library::text(*name) : library::Text()) {}

    operator library::TextPointer() { return is_null_ ? nullptr : text_.data(); }

  private:
    bool is_null_;
    library::Text text_;
};

VDConfig* pointer(std::optional<VDConfig>& config) { return config ? &*config : nullptr; }

}  // namespace

std::uint32_t Set::create(const Name& name, std::optional<VDConfig> config) {
    return unsigned_code(object_->Create(Passed(name), pointer(config)));
}

std::uint32_t Set::create_ex(const Name& instance, const Name& name, std::optional<VDConfig> config) {
    return library::create_ex(object_, Passed(instance), Passed(name), pointer(config));
}

Outcome<VDConfig> Set::get_configuration(std::uint32_t timeout, bool null_out) {
    if (null_out) {
        return {unsigned_code(object_->GetConfiguration(library::waiting(timeout), nullptr)), {}};
    }
    auto out = untouched<VDConfig>();
    const auto code = unsigned_code(object_->GetConfiguration(library::waiting(timeout), &out));
    return {code, out};
}

Outcome<library::Device*> Set::open_device(const Name& name, bool null_out) {
    if (null_out) {
        return {unsigned_code(object_->OpenDevice(Passed(name), nullptr)), {}};
    }
    auto out = untouched<library::Device*>();
    const auto code = unsigned_code(object_->OpenDevice(Passed(name), &out));
    return {code, out};
}

std::uint32_t Set::close() { return unsigned_code(object_->Close()); }

std::uint32_t Set::signal_abort() { return unsigned_code(object_->SignalAbort()); }

std::uint32_t Set::open_in_secondary(const Name& name) {
    return unsigned_code(object_->OpenInSecondary(Passed(name)));
}

std::uint32_t Set::open_in_secondary_ex(const Name& instance, const Name& name) {
    return library::open_in_secondary_ex(object_, Passed(instance), Passed(name));
}

Outcome<std::uint32_t> Set::get_buffer_handle(std::uint64_t address, bool null_out) {
    auto* const buffer = pointer_to<std::uint8_t*>(address);
    if (null_out) {
        return {unsigned_code(object_->GetBufferHandle(buffer, nullptr)), {}};
    }
    auto out = untouched<library::HandleOut>();
    const auto code = unsigned_code(object_->GetBufferHandle(buffer, &out));
    return {code, static_cast<std::uint32_t>(out)};
}

Outcome<std::uint64_t> Set::map_buffer_handle(std::uint32_t handle, bool null_out) {
    const auto passed = static_cast<library::HandleIn>(handle);
    if (null_out) {
        return {unsigned_code(object_->MapBufferHandle(passed, nullptr)), {}};
    }
    auto out = untouched<std::uint8_t*>();
    const auto code = unsigned_code(object_->MapBufferHandle(passed, &out));
    return {code, address_of(out)};
}

Outcome<Command> Device::get_command(std::uint32_t timeout, bool null_out) {
    if (null_out) {
        return {unsigned_code(object_->GetCommand(library::waiting(timeout), nullptr)), {}};
    }
    auto out = untouched<VDC_Command*>();
    const auto code = unsigned_code(object_->GetCommand(library::waiting(timeout), &out));
    if (code != 0 || out == nullptr) {
        return {code, {}};
    }
    return {code, Command{address_of(out), static_cast<std::uint32_t>(out->commandCode),
                          static_cast<std::uint32_t>(out->size), static_cast<std::uint64_t>(out->position),
                          address_of(out->buffer)}};
}

std::uint32_t Device::complete_command(std::uint64_t command, std::uint32_t code, std::uint32_t bytes,
                                       std::uint64_t position) {
    return unsigned_code(object_->CompleteCommand(
        pointer_to<VDC_Command*>(command), static_cast<library::CompletionCode>(code),
        static_cast<library::ByteCount>(bytes), static_cast<library::Position>(position)));
}

}  // namespace client

// libsqlvdi.so: ordinary C++ classes, to which this program is linked.
#include <cstdlib>
#include <new>

#include <dlfcn.h>
#include <sys/stat.h>

#include "library.hpp"

namespace library {

namespace {

constexpr char CONSTRUCTOR[] = "_ZN22ClientVirtualDeviceSetC1Ev";
constexpr std::uint32_t VD_E_NOTSUPPORTED = 0x80770009;
constexpr std::uint32_t VD_E_PROTOCOL = 0x8077000C;
constexpr std::uint32_t INFINITE = 0xFFFFFFFF;
// The class holds one pointer; some room beyond it does no harm.
constexpr std::size_t OBJECT_SIZE = 64;
constexpr std::size_t MOST_ARGUMENTS = 8;

bool is_default(TextPointer instance) { return instance == nullptr || *instance == '\0'; }

}  // namespace

void prepare(const std::string& directory) {
    setenv("VDI_EMULATOR_DIRECTORY", directory.c_str(), 1);
    // Shared objects of a set are made with this process's mask, and a server of another account must write to them.
    umask(0);
}

void enter_thread() {}

std::string place() {
    Dl_info found{};
    void* constructor = dlsym(RTLD_DEFAULT, CONSTRUCTOR);
    return constructor != nullptr && dladdr(constructor, &found) != 0 ? found.dli_fname : "";
}

Set* make_set() { return new (::operator new(OBJECT_SIZE)) Set; }

// The memory stays, so that a call on an object that was released does no more harm than the library does.
void release(Set* set) { set->~Set(); }

// Nothing says that the client of this library deletes its devices.
void release(Device*) {}

std::uint32_t create_ex(Set* set, TextPointer instance, TextPointer name, VDConfig* config) {
    return is_default(instance) ? static_cast<std::uint32_t>(set->Create(name, config)) : VD_E_NOTSUPPORTED;
}

std::uint32_t open_in_secondary_ex(Set* set, TextPointer instance, TextPointer name) {
    return is_default(instance) ? static_cast<std::uint32_t>(set->OpenInSecondary(name)) : VD_E_PROTOCOL;
}

std::uint64_t symbol(const std::string& name) {
    void* const loaded = dlopen(place().c_str(), RTLD_LAZY | RTLD_NOLOAD);
    return loaded == nullptr ? 0 : reinterpret_cast<std::uintptr_t>(dlsym(loaded, name.c_str()));
}

// On 64-bit systems a narrow argument is passed where a wide one is, and what is passed too much is not looked at.
std::uint32_t call(std::uint64_t function, std::vector<std::uint64_t> arguments) {
    static_assert(sizeof(void*) == 8, "elsewhere arguments lie by their sizes");
    using Word = std::uint64_t;
    using Function = Word (*)(Word, Word, Word, Word, Word, Word, Word, Word);
    arguments.resize(MOST_ARGUMENTS);
    const auto& a = arguments;
    const auto called = reinterpret_cast<Function>(static_cast<std::uintptr_t>(function));
    return static_cast<std::uint32_t>(called(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]));
}

Text text(const std::string& utf8) { return utf8; }

TimeOut waiting(std::uint32_t milliseconds) { return milliseconds == INFINITE ? -1 : TimeOut{milliseconds}; }

}  // namespace library

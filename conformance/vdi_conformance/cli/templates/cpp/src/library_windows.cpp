// sqlvdi.dll: a COM class, whose object is called through its interface.
#include <cstdlib>

#include "library.hpp"

namespace library {

namespace {

// Both identify the client's set: the class by that of the older interface, the object by that of the newer one.
constexpr CLSID CLASS = {0x40700425, 0x0080, 0x11d2, {0x85, 0x1f, 0x00, 0xc0, 0x4f, 0xc2, 0x17, 0x59}};
constexpr IID INTERFACE = {0xd0e6eb07, 0x7a62, 0x11d2, {0x85, 0x73, 0x00, 0xc0, 0x4f, 0xc2, 0x17, 0x59}};

std::string utf8(const std::wstring& wide) {
    const int length = static_cast<int>(wide.size());
    const int size = WideCharToMultiByte(CP_UTF8, 0, wide.data(), length, nullptr, 0, nullptr, nullptr);
    std::string narrow(static_cast<std::size_t>(size), '\0');
    WideCharToMultiByte(CP_UTF8, 0, wide.data(), length, narrow.data(), size, nullptr, nullptr);
    return narrow;
}

}  // namespace

void prepare(const std::string& directory) {
    // This changes the environment for Windows and for the C library of the process.
    _wputenv_s(L"VDI_EMULATOR_DIRECTORY", text(directory).c_str());
    enter_thread();
}

void enter_thread() { CoInitializeEx(nullptr, COINIT_MULTITHREADED); }

std::string place() {
    Set* set = make_set();
    // The first thing in an object is the address of its vtable, which lies in the library.
    const auto vtable = *reinterpret_cast<LPCWSTR*>(set);
    HMODULE module = nullptr;
    constexpr DWORD HOW = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    std::wstring path(32768, L'\0');
    const DWORD length = GetModuleHandleExW(HOW, vtable, &module) != 0
                             ? GetModuleFileNameW(module, path.data(), static_cast<DWORD>(path.size()))
                             : 0;
    set->Release();
    path.resize(length);
    return utf8(path);
}

Set* make_set() {
    void* made = nullptr;
    const HRESULT code = CoCreateInstance(CLASS, nullptr, CLSCTX_INPROC_SERVER, INTERFACE, &made);
    if (FAILED(code) || made == nullptr) {
        throw Unavailable("no object of the COM class of sqlvdi.dll could be made (HRESULT " +
                          std::to_string(static_cast<std::uint32_t>(code)) + ") for a " +
                          std::to_string(8 * sizeof(void*)) + "-bit program: register the library (regsvr32)");
    }
    return static_cast<Set*>(made);
}

void release(Set* set) { set->Release(); }

void release(Device* device) { device->Release(); }

std::uint32_t create_ex(Set* set, TextPointer instance, TextPointer name, VDConfig* config) {
    return static_cast<std::uint32_t>(set->CreateEx(instance, name, config));
}

std::uint32_t open_in_secondary_ex(Set* set, TextPointer instance, TextPointer name) {
    return static_cast<std::uint32_t>(set->OpenInSecondaryEx(instance, name));
}

Text text(const std::string& utf8) {
    const int length = static_cast<int>(utf8.size());
    const int size = MultiByteToWideChar(CP_UTF8, 0, utf8.data(), length, nullptr, 0);
    std::wstring wide(static_cast<std::size_t>(size), L'\0');
    MultiByteToWideChar(CP_UTF8, 0, utf8.data(), length, wide.data(), size);
    return wide;
}

TimeOut waiting(std::uint32_t milliseconds) { return milliseconds; }

}  // namespace library

// The classes of libsqlvdi.so: no virtual methods, and one private pointer each. Calls are bound by the linker.
#pragma once

#include <cstdint>
#include <ctime>

#include "vdi.hpp"

class ClientVirtualDevice {
  public:
    ClientVirtualDevice();
    ~ClientVirtualDevice();

    int GetCommand(time_t timeOut, VDC_Command** command);
    int CompleteCommand(VDC_Command* command, int completionCode, unsigned long bytesTransferred,
                        std::int64_t position);

  private:
    void* implementation_;
};

class ClientVirtualDeviceSet {
  public:
    ClientVirtualDeviceSet();
    ~ClientVirtualDeviceSet();

    int Create(char* name, VDConfig* config);
    int GetConfiguration(time_t timeOut, VDConfig* config);
    int OpenDevice(char* name, ClientVirtualDevice** device);
    int Close();
    int SignalAbort();
    int OpenInSecondary(char* setName);
    int GetBufferHandle(std::uint8_t* buffer, unsigned int* handle);
    int MapBufferHandle(int handle, std::uint8_t** buffer);

  private:
    void* implementation_;
};

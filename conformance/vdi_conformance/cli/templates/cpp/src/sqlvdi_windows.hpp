// The interfaces of sqlvdi.dll: the order of the methods is their order in the vtable.
#pragma once

#include <unknwn.h>
#include <windows.h>

#include "vdi.hpp"

struct IClientVirtualDevice : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetCommand(DWORD timeOut, VDC_Command** command) = 0;
    virtual HRESULT STDMETHODCALLTYPE CompleteCommand(VDC_Command* command, DWORD completionCode,
                                                      DWORD bytesTransferred, DWORDLONG position) = 0;
};

struct IClientVirtualDeviceSet : public IUnknown {
    virtual HRESULT STDMETHODCALLTYPE Create(LPCWSTR name, VDConfig* config) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetConfiguration(DWORD timeOut, VDConfig* config) = 0;
    virtual HRESULT STDMETHODCALLTYPE OpenDevice(LPCWSTR name, IClientVirtualDevice** device) = 0;
    virtual HRESULT STDMETHODCALLTYPE Close() = 0;
    virtual HRESULT STDMETHODCALLTYPE SignalAbort() = 0;
    virtual HRESULT STDMETHODCALLTYPE OpenInSecondary(LPCWSTR setName) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetBufferHandle(BYTE* buffer, DWORD* handle) = 0;
    virtual HRESULT STDMETHODCALLTYPE MapBufferHandle(DWORD handle, BYTE** buffer) = 0;
};

struct IClientVirtualDeviceSet2 : public IClientVirtualDeviceSet {
    virtual HRESULT STDMETHODCALLTYPE CreateEx(LPCWSTR instance, LPCWSTR name, VDConfig* config) = 0;
    virtual HRESULT STDMETHODCALLTYPE OpenInSecondaryEx(LPCWSTR instance, LPCWSTR setName) = 0;
};

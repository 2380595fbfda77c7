// Your library: how it is found and called. This file is what you change; the others suit every library.
//
// It expects the ABI of libsqlvdi.so: two C++ classes without virtual methods, reached by their mangled names. Each
// method makes one call, and gives the code and the out value as they came: the suite judges them. Objects are named by
// their addresses.
using System;
using System.Runtime.InteropServices;
using System.Text;

namespace VdiHost
{
    // The HRESULT of a call, and what its out variable holds afterwards; nothing where a null pointer was passed.
    internal struct Outcome<T>
    {
        public readonly uint Code;
        public readonly bool HasValue;
        public readonly T Value;

        public Outcome(uint code)
        {
            Code = code;
            HasValue = false;
            Value = default(T);
        }

        public Outcome(uint code, T value)
        {
            Code = code;
            HasValue = true;
            Value = value;
        }
    }

    // VDC_Command as it lies in memory.
    [StructLayout(LayoutKind.Sequential)]
    internal struct CommandRecord
    {
        public uint Code;
        public uint Size;
        public ulong Position;
        public ulong Buffer;
    }

    // A command, and the address of its record, by which it is named.
    internal struct Command
    {
        public ulong Address;
        public CommandRecord Record;
    }

    internal sealed unsafe class Library
    {
        public const string Name = "skeleton";
        public const string Version = "unknown";
        public const string Vendor = "";

        // The members of VDConfig in their order.
        public static readonly string[] ConfigMembers =
        {
            "device_count",
            "features",
            "prefix_zone_size",
            "alignment",
            "soft_file_mark_block_size",
            "eom_warning_size",
            "server_time_out",
            "block_size",
            "max_io_depth",
            "max_transfer_size",
            "buffer_area_size",
        };

        private const uint NoError = 0;
        private const uint VdNotSupported = 0x80770009;
        private const uint VdProtocol = 0x8077000C;
        private const uint Infinite = 0xFFFFFFFF;

        // What an out variable holds before a call, so that one which was left alone is told from others.
        private const ulong Untouched = 0xCCCCCCCCCCCCCCCC;
        private const uint Untouched32 = 0xCCCCCCCC;

        // A client object holds one pointer; some room beyond it does no harm.
        private const int ObjectSize = 64;
        private const int MostArguments = 8;

        private readonly string path;
        private readonly IntPtr loaded;
        private readonly ObjectFunction construct;
        private readonly ObjectFunction destroy;
        private readonly CreateFunction create;
        private readonly GetConfigurationFunction getConfiguration;
        private readonly OpenDeviceFunction openDevice;
        private readonly PlainFunction close;
        private readonly PlainFunction signalAbort;
        private readonly NameFunction openInSecondary;
        private readonly GetBufferHandleFunction getBufferHandle;
        private readonly MapBufferHandleFunction mapBufferHandle;
        private readonly GetCommandFunction getCommand;
        private readonly CompleteCommandFunction completeCommand;

        // Load the library; where that cannot be, the refusal says why in one sentence.
        public Library(string path, string runDirectory)
        {
            // A library that the suite's emulator serves finds it by this; yours may need something else, or nothing.
            Platform.Current.SetVariable("VDI_EMULATOR_DIRECTORY", runDirectory);
            Platform.Current.ShareWithAllAccounts();
            this.path = path;
            string reason;
            loaded = Platform.Current.LoadLibrary(path, out reason);
            if (loaded == IntPtr.Zero)
            {
                throw new Refused(
                    ErrorCode.ImplementationUnavailable,
                    "the library " + path + " cannot be loaded (" + reason + "): correct it in manifest.toml");
            }
            construct = Function<ObjectFunction>("_ZN22ClientVirtualDeviceSetC1Ev");
            destroy = Function<ObjectFunction>("_ZN22ClientVirtualDeviceSetD1Ev");
            create = Function<CreateFunction>("_ZN22ClientVirtualDeviceSet6CreateEPcP8VDConfig");
            getConfiguration = Function<GetConfigurationFunction>(
                "_ZN22ClientVirtualDeviceSet16GetConfigurationElP8VDConfig");
            openDevice = Function<OpenDeviceFunction>(
                "_ZN22ClientVirtualDeviceSet10OpenDeviceEPcPP19ClientVirtualDevice");
            close = Function<PlainFunction>("_ZN22ClientVirtualDeviceSet5CloseEv");
            signalAbort = Function<PlainFunction>("_ZN22ClientVirtualDeviceSet11SignalAbortEv");
            openInSecondary = Function<NameFunction>("_ZN22ClientVirtualDeviceSet15OpenInSecondaryEPc");
            getBufferHandle = Function<GetBufferHandleFunction>("_ZN22ClientVirtualDeviceSet15GetBufferHandleEPhPj");
            mapBufferHandle = Function<MapBufferHandleFunction>("_ZN22ClientVirtualDeviceSet15MapBufferHandleEiPPh");
            getCommand = Function<GetCommandFunction>("_ZN19ClientVirtualDevice10GetCommandElPP11VDC_Command");
            completeCommand = Function<CompleteCommandFunction>(
                "_ZN19ClientVirtualDevice15CompleteCommandEP11VDC_Commandiml");
        }

        // Make a client object.
        public IntPtr NewSet()
        {
            IntPtr made = Marshal.AllocHGlobal(ObjectSize);
            Marshal.Copy(new byte[ObjectSize], 0, made, ObjectSize);
            construct(made);
            return made;
        }

        // The memory stays, so that a call on an object that was released does no more harm than the library does.
        public void ReleaseSet(IntPtr set)
        {
            destroy(set);
        }

        // Nothing says that the client of this library deletes its devices.
        public void ReleaseDevice(IntPtr device)
        {
        }

        public uint Create(IntPtr set, string name, uint[] config)
        {
            fixed (byte* passed = Text(name))
            fixed (uint* members = config)
            {
                return create(set, passed, members);
            }
        }

        // CreateEx, which this ABI has for the default instance alone.
        public uint CreateEx(IntPtr set, string instance, string name, uint[] config)
        {
            return string.IsNullOrEmpty(instance) ? Create(set, name, config) : VdNotSupported;
        }

        public Outcome<uint[]> GetConfiguration(IntPtr set, uint timeOut, bool nullOut)
        {
            if (nullOut)
            {
                return new Outcome<uint[]>(getConfiguration(set, Waiting(timeOut), null));
            }
            var config = new uint[ConfigMembers.Length];
            for (int index = 0; index < config.Length; index++)
            {
                config[index] = Untouched32;
            }
            fixed (uint* members = config)
            {
                return new Outcome<uint[]>(getConfiguration(set, Waiting(timeOut), members), config);
            }
        }

        public Outcome<ulong> OpenDevice(IntPtr set, string name, bool nullOut)
        {
            ulong device = Untouched;
            fixed (byte* passed = Text(name))
            {
                uint code = openDevice(set, passed, nullOut ? null : &device);
                return nullOut ? new Outcome<ulong>(code) : new Outcome<ulong>(code, device);
            }
        }

        public uint Close(IntPtr set)
        {
            return close(set);
        }

        public uint SignalAbort(IntPtr set)
        {
            return signalAbort(set);
        }

        public uint OpenInSecondary(IntPtr set, string name)
        {
            fixed (byte* passed = Text(name))
            {
                return openInSecondary(set, passed);
            }
        }

        // OpenInSecondaryEx, which this ABI has for the default instance alone.
        public uint OpenInSecondaryEx(IntPtr set, string instance, string name)
        {
            return string.IsNullOrEmpty(instance) ? OpenInSecondary(set, name) : VdProtocol;
        }

        public Outcome<uint> GetBufferHandle(IntPtr set, ulong address, bool nullOut)
        {
            uint handle = Untouched32;
            uint code = getBufferHandle(set, address, nullOut ? null : &handle);
            return nullOut ? new Outcome<uint>(code) : new Outcome<uint>(code, handle);
        }

        public Outcome<ulong> MapBufferHandle(IntPtr set, uint handle, bool nullOut)
        {
            ulong address = Untouched;
            uint code = mapBufferHandle(set, handle, nullOut ? null : &address);
            return nullOut ? new Outcome<ulong>(code) : new Outcome<ulong>(code, address);
        }

        // GetCommand; gives the command where one was handed out.
        public Outcome<Command> GetCommand(IntPtr device, uint timeOut, bool nullOut)
        {
            ulong record = Untouched;
            uint code = getCommand(device, Waiting(timeOut), nullOut ? null : &record);
            if (nullOut || code != NoError || record == 0)
            {
                return new Outcome<Command>(code);
            }
            return new Outcome<Command>(code, new Command { Address = record, Record = *(CommandRecord*)record });
        }

        public uint CompleteCommand(IntPtr device, ulong command, uint code, uint bytesTransferred, ulong position)
        {
            return completeCommand(device, command, code, bytesTransferred, position);
        }

        // Name the files that were loaded, whose digests the evidence of a run has.
        public string[] Files()
        {
            return new[]
            {
                typeof(Library).Assembly.Location,
                typeof(Newtonsoft.Json.Linq.JToken).Assembly.Location,
                System.IO.Path.GetFullPath(path),
            };
        }

        // Find what the library exports; 0 where there is no such thing.
        public ulong Symbol(string name)
        {
            return (ulong)Platform.Current.FindSymbol(loaded, name);
        }

        // Call a function at an address. The caller tidies the stack, so arguments that it does not have do no harm.
        public uint Call(ulong function, ulong[] given)
        {
            var all = new ulong[MostArguments];
            given.CopyTo(all, 0);
            var called = Marshal.GetDelegateForFunctionPointer<AnyFunction>((IntPtr)(long)function);
            return called(all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7]);
        }

        private T Function<T>(string symbol)
        {
            IntPtr found = Platform.Current.FindSymbol(loaded, symbol);
            if (found == IntPtr.Zero)
            {
                string sentence = path + " has no function " + symbol + ": correct it in Library.cs";
                throw new Refused(ErrorCode.ImplementationUnavailable, sentence);
            }
            return Marshal.GetDelegateForFunctionPointer<T>(found);
        }

        // Give a text as C has it, with a zero at its end.
        private static byte[] Text(string text)
        {
            return text == null ? null : Encoding.UTF8.GetBytes(text + "\0");
        }

        // Give a time-out in milliseconds as a time_t, of which a negative one is infinite.
        private static long Waiting(uint timeOut)
        {
            return timeOut == Infinite ? -1L : timeOut;
        }

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void ObjectFunction(IntPtr self);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate uint PlainFunction(IntPtr self);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate uint NameFunction(IntPtr self, byte* name);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate uint CreateFunction(IntPtr self, byte* name, uint* config);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate uint GetConfigurationFunction(IntPtr self, long timeOut, uint* config);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate uint OpenDeviceFunction(IntPtr self, byte* name, ulong* device);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate uint GetBufferHandleFunction(IntPtr self, ulong buffer, uint* handle);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate uint MapBufferHandleFunction(IntPtr self, uint handle, ulong* buffer);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate uint GetCommandFunction(IntPtr self, long timeOut, ulong* command);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate uint CompleteCommandFunction(
            IntPtr self, ulong command, uint code, ulong bytesTransferred, ulong position);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate uint AnyFunction(
            ulong first, ulong second, ulong third, ulong fourth,
            ulong fifth, ulong sixth, ulong seventh, ulong eighth);
    }
}

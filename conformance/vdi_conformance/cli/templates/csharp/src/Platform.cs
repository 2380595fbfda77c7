// What the operating system does for the host; Linux.cs and Windows.cs say how.
using System;

namespace VdiHost
{
    // Where answers go. `Write` tells whether all of the line was taken.
    internal interface IOutput
    {
        bool Write(byte[] line);
    }

    internal abstract class Platform
    {
        public static readonly Platform Current =
            Environment.OSVersion.Platform == PlatformID.Win32NT ? (Platform)new Windows() : new Linux();

        // What the protocol calls this system.
        public abstract string Name { get; }

        // A library that crashes is to end this process as it ends any other program.
        public abstract void LeaveCrashesAlone();

        // Keep standard output for answers; what else is printed goes to standard error from now on.
        public abstract IOutput TakeStandardOutput();

        // End the process with exit code 0, whatever its threads do.
        public abstract void EndProcess();

        // Set a variable for compiled code, too.
        public abstract void SetVariable(string name, string value);

        // What processes share is to be open to a server under another account.
        public abstract void ShareWithAllAccounts();

        // Give a handle, or null and the reason; and find what such a library exports.
        public abstract IntPtr LoadLibrary(string path, out string reason);

        public abstract IntPtr FindSymbol(IntPtr library, string name);

        // Map fresh zeroed memory, or address space without access; 0 where there is no room.
        public abstract ulong Map(ulong address, ulong size, bool isAccessible);

        // Copy from and to memory, and tell whether all bytes could be touched.
        public abstract bool CopyOut(ulong address, byte[] to);

        public abstract bool CopyIn(ulong address, byte[] from);

        // Give an address in the static data of some library.
        public abstract ulong StaticData();
    }
}

// This part has not been tried. What a library prints on standard output by its own C library may still disturb the
// protocol.
using System;
using System.ComponentModel;
using System.IO;
using System.Runtime.InteropServices;

namespace VdiHost
{
    internal sealed class Windows : Platform
    {
        private const uint Commit = 0x1000;
        private const uint ReserveSpace = 0x2000;
        private const uint NoAccess = 0x01;
        private const uint ReadAndWrite = 0x04;
        private const int StandardOutput = -11;
        private const int StandardError = -12;
        private static readonly IntPtr ThisProcess = new IntPtr(-1);

        public override string Name
        {
            get { return "win32"; }
        }

        public override void LeaveCrashesAlone()
        {
        }

        public override IOutput TakeStandardOutput()
        {
            var output = new Output(Console.OpenStandardOutput());
            SetStdHandle(StandardOutput, GetStdHandle(StandardError));
            return output;
        }

        public override void EndProcess()
        {
            TerminateProcess(ThisProcess, 0);
        }

        public override void SetVariable(string name, string value)
        {
            Environment.SetEnvironmentVariable(name, value);
        }

        public override void ShareWithAllAccounts()
        {
        }

        public override IntPtr LoadLibrary(string path, out string reason)
        {
            IntPtr loaded = LoadLibraryW(path);
            reason = loaded == IntPtr.Zero ? new Win32Exception(Marshal.GetLastWin32Error()).Message : null;
            return loaded;
        }

        public override IntPtr FindSymbol(IntPtr library, string name)
        {
            return GetProcAddress(library, name);
        }

        public override ulong Map(ulong address, ulong size, bool isAccessible)
        {
            uint kind = isAccessible ? ReserveSpace | Commit : ReserveSpace;
            uint protection = isAccessible ? ReadAndWrite : NoAccess;
            ulong mapped = VirtualAlloc(address, size, kind, protection);
            return mapped == 0 && address != 0 ? VirtualAlloc(0, size, kind, protection) : mapped;
        }

        public override bool CopyOut(ulong address, byte[] to)
        {
            return to.Length == 0 || ReadProcessMemory(ThisProcess, address, to, (ulong)to.Length, IntPtr.Zero);
        }

        public override bool CopyIn(ulong address, byte[] from)
        {
            return from.Length == 0 || WriteProcessMemory(ThisProcess, address, from, (ulong)from.Length, IntPtr.Zero);
        }

        // The handle of a module is its address.
        public override ulong StaticData()
        {
            return (ulong)(long)LoadLibraryW("kernel32.dll");
        }

        private sealed class Output : IOutput
        {
            private readonly Stream stream;

            public Output(Stream stream)
            {
                this.stream = stream;
            }

            public bool Write(byte[] line)
            {
                try
                {
                    stream.Write(line, 0, line.Length);
                    stream.Flush();
                    return true;
                }
                catch (IOException)
                {
                    return false;
                }
            }
        }

        [DllImport("kernel32")]
        private static extern IntPtr GetStdHandle(int which);

        [DllImport("kernel32")]
        private static extern bool SetStdHandle(int which, IntPtr handle);

        [DllImport("kernel32")]
        private static extern bool TerminateProcess(IntPtr process, uint code);

        [DllImport("kernel32", CharSet = CharSet.Unicode, SetLastError = true)]
        private static extern IntPtr LoadLibraryW(string path);

        [DllImport("kernel32", CharSet = CharSet.Ansi, BestFitMapping = false)]
        private static extern IntPtr GetProcAddress(IntPtr library, string name);

        [DllImport("kernel32")]
        private static extern ulong VirtualAlloc(ulong address, ulong size, uint kind, uint protection);

        [DllImport("kernel32")]
        private static extern bool ReadProcessMemory(
            IntPtr process, ulong from, [Out] byte[] to, ulong size, IntPtr copied);

        [DllImport("kernel32")]
        private static extern bool WriteProcessMemory(
            IntPtr process, ulong to, byte[] from, ulong size, IntPtr copied);
    }
}
